"""What an episode of the expert costs to collect, by part, and how many scenes a second there are.

    ./pi05 run python benchmarks/collect.py --homes 0-9 --out docs/benchmarks/collect.md

One process with one thread records whole episodes as `./pi05 homes collect` does. Seconds are of
the processor, so that other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
from live import machine

from pi05_ros.evaluation.bridged_robot import BridgedRobot
from pi05_ros.evaluation.collection.episode import EpisodeSummary, Equipment, record_episode
from pi05_ros.evaluation.collection.episode_bag import EpisodeBag
from pi05_ros.evaluation.collection.scenes import SceneSettings, collect_scenes
from pi05_ros.evaluation.collection.settings import CollectSettings
from pi05_ros.evaluation.collection.visibility import Visibility
from pi05_ros.evaluation.rollout import parse_homes
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.world import World

# Part -> the methods that are it. What one of them calls of another part is not counted twice.
PARTS: dict[str, list[tuple[type, str]]] = {
    "pictures": [(CameraRenderer, "render")],
    "boxes": [(Visibility, "item")],
    "physics": [(World, "step")],
    "expert": [(ExpertBrain, "predict_chunk"), (ExpertBrain, "predict_subtask")],
    "bridge": [(BridgedRobot, "measure"), (BridgedRobot, "tick")],
    "bag and JPEG": [
        (EpisodeBag, "add_state"),
        (EpisodeBag, "add_picture"),
        (EpisodeBag, "add_answer"),
        (EpisodeBag, "close"),
    ],
    "home and window": [(World, "__init__"), (CameraRenderer, "_context_for")],
}
SETS = 8

PAGE = """# Cost of collecting

`benchmarks/collect.py`: {count} homes, `{platform}`, one process with one thread, on {machine}.
Seconds of the processor.

An episode lasts {simulated:.1f} simulated seconds and costs **{cost:.1f} s**, {share:.2f} s for
each simulated second: pictures of all cameras at 10 Hz, rows at 50 Hz, boxes at 1 Hz.
{successes} of {count} episodes are a success.

{table}

A set of pictures of a static scene with its boxes, captions and questions costs {scene:.0f} ms:
{scenes:.0f} sets a second.
"""


@dataclass
class Clock:
    """Processor time by part."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _inside: list[float] = field(default_factory=list)  # Time of inner parts, by depth.

    def timed(self, part: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a method that belongs to a part."""

        @functools.wraps(method)
        def run(*arguments: Any, **named: Any) -> Any:
            begin = time.process_time()
            self._inside.append(0.0)
            try:
                return method(*arguments, **named)
            finally:
                spent = time.process_time() - begin
                self.seconds[part] += spent - self._inside.pop()
                self.calls[part] += 1
                if self._inside:
                    self._inside[-1] += spent

        return run


def measure(platform: str, homes: list[int], folder: Path) -> tuple[Clock, float, list[Any]]:
    """Record the episodes of homes; return times by part, in all, and the summaries."""
    clock, summaries = Clock(), list[EpisodeSummary]()
    equipment = Equipment.of(load_platform(platform))
    settings = CollectSettings(platform)
    # One that is not counted loads the libraries.
    record_episode(
        equipment, CollectSettings(platform, max_seconds=1.0), homes[0], 0, folder / "first", ""
    )
    with ExitStack() as stack:
        for part, methods in PARTS.items():
            for owner, name in methods:
                wrapped = clock.timed(part, getattr(owner, name))
                stack.enter_context(patch.object(owner, name, wrapped))
        begin = time.process_time()
        for home in homes:
            summaries.append(record_episode(equipment, settings, home, 0, folder / str(home), ""))
        total = time.process_time() - begin
    return clock, total, summaries


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", default="mobile_18dof")
    parser.add_argument("--homes", type=parse_homes, default=list(range(10)))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    count = len(options.homes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clock, total, summaries = measure(options.platform, options.homes, folder / "episodes")
        begin = time.process_time()
        collect_scenes(folder / "scenes", SceneSettings(options.platform, SETS), options.homes)
        scene = (time.process_time() - begin) / (count * SETS)
    simulated = sum(summary.seconds for summary in summaries)
    rows = sorted(clock.seconds.items(), key=lambda item: -item[1])
    rows.append(("the rest", total - sum(clock.seconds.values())))
    lines = ["| part | s an episode | share | calls an episode |", "|---|---|---|---|"]
    for part, seconds in rows:
        calls = f"{clock.calls[part] / count:.0f}" if part in clock.calls else ""
        lines.append(f"| {part} | {seconds / count:.2f} | {seconds / total:.0%} | {calls} |")
    page = PAGE.format(
        count=count,
        platform=options.platform,
        machine=machine.describe(),
        simulated=simulated / count,
        cost=total / count,
        share=total / simulated,
        successes=sum(summary.outcome == "success" for summary in summaries),
        table="\n".join(lines),
        scene=scene * 1e3,
        scenes=1.0 / scene,
    )
    print(page)
    if options.out is not None:
        options.out.write_text(page)


if __name__ == "__main__":
    main()
