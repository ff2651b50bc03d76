"""Trains a policy on one scripted skill, from pictures, and drives it in homes it has not seen.

    ./pi05 run python benchmarks/skill.py --out skill_out

The shoulder of the left arm turns until it points at a marked door. The expert is recorded in
homes of the training range as ordinary bags, the ordinary recipe machinery trains, and the
checkpoint drives in homes of the validation range in closed loop. Two policies that do not see
where the door is must fail: the same weights with a blank picture, and weights that were not
trained.
The same command goes on with what is in --out.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from facing.driving import Trial, drive
from facing.recording import record
from facing.training import facing_recipe, train

_PLATFORM = "mobile_18dof"


def main() -> None:
    """Record, train, drive, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--homes", type=int, default=40, help="homes of training (default 40)")
    parser.add_argument("--starts", type=int, default=4, help="episodes in each (default 4)")
    parser.add_argument("--trials", type=int, default=12, help="unseen homes (default 12)")
    parser.add_argument("--out", type=Path, default=Path("skill_out"), help="folder for results")
    parser.add_argument("--set", action="append", default=[], help="key=value of the recipe")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    out, bags = arguments.out, arguments.out / "bags"
    begun = time.perf_counter()
    if not bags.exists():
        record(bags, _PLATFORM, range(arguments.homes), arguments.starts)
    print(f"recorded after {time.perf_counter() - begun:.0f} s")
    recipe = facing_recipe(bags, arguments.set)
    run = train(recipe, out / "run", out / "cache")
    print(f"trained after {time.perf_counter() - begun:.0f} s")
    homes = range(10_000, 10_000 + arguments.trials)
    print_trials("trained", drive(str(run.path / "best"), _PLATFORM, homes))
    blank = drive(str(run.path / "best"), _PLATFORM, homes, lambda p: np.full_like(p, 128))
    print_trials("blank pictures", blank)
    print_trials("not trained", drive(f"random:{recipe.model.preset}", _PLATFORM, homes))
    print(f"done after {time.perf_counter() - begun:.0f} s")


def print_trials(name: str, trials: Sequence[Trial]) -> None:
    """Print one line a home, and how many succeeded."""
    for trial in trials:
        print(
            f"{name:15} home {trial.home}  door at {math.degrees(trial.bearing):6.1f}°, shoulder "
            f"at {math.degrees(trial.angle):6.1f}°, {trial.speed:.3f} rad/s"
            f"{'' if trial.succeeded else '  failed'}"
        )
    succeeded = sum(trial.succeeded for trial in trials)
    mean = math.degrees(mean_error(trials))
    print(f"{name}: {succeeded} of {len(trials)}, mean error {mean:.1f}°")


def mean_error(trials: Sequence[Trial]) -> float:
    """Return the mean distance of the shoulder from the bearing [rad]."""
    return sum(trial.error for trial in trials) / len(trials)


if __name__ == "__main__":
    main()
