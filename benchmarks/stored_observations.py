"""Stores observations of the expert's work with the chunks and subtasks of a checkpoint.

    ./pi05 run python benchmarks/stored_observations.py --checkpoint nano

The file, test/evaluation/shipping/nano.npz, is committed with the weights that made it; a test
compares what the weights give on another machine. The answers are computed a second time with
other kernels of torch, and the file is written only if rounding did not move them by a tenth of
what the test allows.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from pi05_ros.brain.observation import Observation
from pi05_ros.evaluation.shipping.stored import again, answered, largest_difference
from pi05_ros.evaluation.trials.brains import high_level, low_level
from pi05_ros.evaluation.trials.episode import Episode
from pi05_ros.evaluation.trials.settings import ONE_PROCESS, EvaluationSettings
from pi05_ros.evaluation.trials.tasks import find_tasks
from pi05_ros.inference.model_brain import ModelBrain
from pi05_ros.platforms.platform import Platform, load_platform

OUT = Path(__file__).parents[1] / "test" / "evaluation" / "shipping" / "nano.npz"
HOMES = (10_050, 10_051)  # Of validation; the closed loops of the tests are in others.
SECONDS = (1.0, 5.0)  # Into the expert's work: the robot has just begun; a hand is at a dish.
ALLOWED = 1e-3  # Largest difference by other kernels, in platform units.


def main(arguments: Sequence[str] | None = None) -> int:
    """Collect, answer twice, compare, write. Returns 1 where rounding matters too much."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", default="nano", help="default: nano, which is shipped")
    parser.add_argument("--platform", default="mobile_18dof", help="default: mobile_18dof")
    parser.add_argument("--homes", type=int, nargs="+", default=HOMES, help="seeds")
    parser.add_argument("--seconds", type=float, nargs="+", default=SECONDS, help="moments")
    parser.add_argument("--out", type=Path, default=OUT, help=f"default: {OUT.name} of the tests")
    parsed = parser.parse_args(arguments)
    platform = load_platform(parsed.platform)
    size = ModelBrain(platform, parsed.checkpoint).info.image_size
    assert size is not None  # A model's brain has one.
    moments = [
        moment for home in parsed.homes for moment in seen(platform, home, size, parsed.seconds)
    ]
    task = find_tasks(["dishes"])[0].text
    stored = answered(parsed.checkpoint, platform, task, moments)
    with torch.backends.mkldnn.flags(enabled=False):
        other = again(parsed.checkpoint, stored)
    moved = largest_difference(stored, other)
    for subtask, answer in zip(stored.subtasks, stored.answers, strict=True):
        print(f"{subtask!r}: the high level says {answer!r}")
    print(f"other kernels move actions by at most {moved:.2g}")
    if moved > ALLOWED or stored.answers != other.answers:
        print(
            f"wanted at most {ALLOWED:g} and equal answers: take other --homes or --seconds, "
            "at which no decision is close",
            file=sys.stderr,
        )
        return 1
    stored.save(parsed.out)
    print(f"wrote {parsed.out} ({parsed.out.stat().st_size / 1e6:.2f} MB)")
    return 0


def seen(
    platform: Platform, home: int, size: tuple[int, int], seconds: Sequence[float]
) -> list[tuple[Observation, str]]:
    """Return observations of the expert's work on the dishes, and its subtask at each.

    Args:
        platform: The robot.
        home: Seed.
        size: (height, width) of the pictures.
        seconds: Moments, rising [s].
    """
    settings = EvaluationSettings(
        find_tasks(["dishes"], max(1.0, max(seconds) + platform.period)),
        (home,),
        brain="expert",
        platform=platform.name,
    )
    (trial,) = settings.trials()
    low = low_level(settings, ONE_PROCESS, trial)
    found: list[tuple[Observation, str]] = []

    def look(episode: Episode) -> None:
        loop = episode.loop
        if len(found) < len(seconds) and loop.seconds >= seconds[len(found)]:
            views = episode.driver_pictures.at(size)
            images = {camera: views[camera] for camera in platform.camera_names}
            observation = dataclasses.replace(loop.observe(), images=images, scene=None)
            found.append((observation, loop.subtask.text))

    Episode(settings, trial, platform, low, high_level(settings, trial, low)).run(look)
    return found


if __name__ == "__main__":
    sys.exit(main())
