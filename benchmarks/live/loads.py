"""What keeps a machine busy while something is timed: `python -m live.loads KIND`.

    burning    matrix products in one thread; start one for each core
    thinking   the nano model draws one chunk after the other, as a policy that never waits
    decoding   the nano model writes one subtask after the other, as a planner that never waits
    metronome  no load: a bare loop that wakes up 50 times a second, the best that can be had

Prints the steady clock [s] after each piece of work.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable

import numpy as np

from pi05_ros.brain.observation import Observation
from pi05_ros.platforms.platform import Platform, load_platform

KINDS = ("burning", "thinking", "decoding", "metronome")
_PERIOD_NS = 20_000_000
_SIDE = 224  # [pixel]


class NanoMind:
    """The nano model with weights drawn at random, looking at noise."""

    def __init__(self, platform: Platform) -> None:
        from pi05_ros.inference.model_brain import ModelBrain

        self._platform = platform
        self._brain = ModelBrain(platform, "random:nano")
        self._brain.warm_up()
        self._random = np.random.default_rng(0)

    def chunk(self) -> None:
        """Draws one chunk from new pictures."""
        self._brain.predict_chunk(self._observation(), "pick up the plate")

    def text(self) -> None:
        """Writes one subtask from new pictures."""
        self._brain.predict_subtask(self._observation(), "put the dishes in the sink")

    def _observation(self) -> Observation:
        platform = self._platform
        return Observation(
            stamp_ns=time.time_ns(),
            names=platform.names,
            state=np.array(platform.home),
            commanded=np.array(platform.home),
            images={
                name: self._random.integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)
                for name in platform.camera_names
            },
        )


def forever(work: Callable[[], None]) -> None:
    """Works, and prints a line each time."""
    while True:
        work()
        print(time.monotonic(), flush=True)


def multiply() -> None:
    """A second, more or less, of matrix products in one thread."""
    matrix = np.random.default_rng(0).random((512, 512), dtype=np.float32)
    for _ in range(100):
        matrix @ matrix


def metronome() -> None:
    """Sleeps until the next 20 ms of the steady clock."""
    now = time.monotonic_ns()
    time.sleep((_PERIOD_NS - now % _PERIOD_NS) * 1e-9)


def main() -> int:
    """Runs one kind until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--realtime", action="store_true", help="with SCHED_FIFO 50")
    arguments = parser.parse_args()
    kind = arguments.kind
    # Whoever started it may have real-time priority: a load must not.
    policy, priority = (os.SCHED_FIFO, 50) if arguments.realtime else (os.SCHED_OTHER, 0)
    os.sched_setscheduler(0, policy, os.sched_param(priority))
    if kind == "metronome":
        gc.disable()
        forever(metronome)
    if kind == "burning":
        forever(multiply)
    mind = NanoMind(load_platform("mobile_18dof"))
    forever(mind.chunk if kind == "thinking" else mind.text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
