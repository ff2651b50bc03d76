"""Policy and bridge in a closed loop on a simulated clock: no ROS, no threads, no waiting.

What takes time takes as long as it is told to: pictures until they arrive, the brain, messages.
So the scheduler can be tested, and seams between chunks be measured, at any delay.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.scheduler import ChunkRelease, ChunkRequest, ChunkScheduler, SubtaskRef


class LoopBridge(Protocol):
    """What takes chunks and moves the robot."""

    def tick(self, now_ns: int) -> StateSample:
        """One period; returns the robot's state after it."""

    def take(self, request: ChunkRequest, release: ChunkRelease, now_ns: int) -> None:
        """A chunk arrives."""


# The brain: the state at the observation's stamp, and what is asked of it; gives (H, D) float64.
Think = Callable[[StateSample, ChunkRequest], np.ndarray]


@dataclass(frozen=True)
class LoopTiming:
    """How long things take [s]."""

    tick: float = 0.02
    frame: float = 1 / 30  # Between two observations.
    frame_latency: float = 0.015  # From an observation's stamp to its arrival.
    transport: float = 0.001  # Of a chunk and of a state.
    tick_phase: float = 0.007  # Of the first tick: the bridge's clock knows nothing of pictures.


class ChunkLoop:
    """Runs a scheduler against a bridge.

    Args:
        scheduler: The policy's.
        bridge: What executes.
        think: The brain.
        delay: Gives how long the brain takes for the next chunk [s].
        timing: How long everything else takes.

    Attributes:
        subtask: What is to be done; a test may change it between two calls of `run`.
        requests: All that was asked of the brain.
        releases: What was published, each with its request.
        refused: Why computed chunks were not published.
    """

    def __init__(
        self,
        scheduler: ChunkScheduler,
        bridge: LoopBridge,
        think: Think,
        delay: Callable[[], float],
        timing: LoopTiming | None = None,
    ) -> None:
        self.subtask = SubtaskRef("a task", 1, "a subtask")
        self.requests: list[ChunkRequest] = []
        self.releases: list[tuple[ChunkRequest, ChunkRelease]] = []
        self.refused: list[str] = []
        self.now_ns = 0
        self._scheduler, self._bridge = scheduler, bridge
        self._think, self._delay = think, delay
        self._timing = timing or LoopTiming()
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._states: list[StateSample] = []
        self._newest_ns = 0  # Stamp of the newest observation that has arrived; 0: none.
        self._busy = False
        start_ns = 1_000_000_000  # Not 0, which is no stamp.
        self._at(start_ns + _ns(self._timing.tick_phase), self._tick)
        self._at(start_ns + _ns(0.1), self._frame)
        self.now_ns = start_ns

    @property
    def newest_state(self) -> StateSample:
        """The robot's last state."""
        return self._states[-1]

    def run(self, seconds: float) -> None:
        """Goes on for so long."""
        end_ns = self.now_ns + _ns(seconds)
        while self._events[0][0] <= end_ns:
            self.now_ns, _, happen = heapq.heappop(self._events)
            happen()
        self.now_ns = end_ns

    def _at(self, time_ns: int, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time_ns, next(self._order), happen))

    def _after(self, seconds: float, happen: Callable[[], None]) -> None:
        self._at(self.now_ns + _ns(seconds), happen)

    def _tick(self) -> None:
        self._after(self._timing.tick, self._tick)
        state = self._bridge.tick(self.now_ns)
        self._states = [*self._states[-99:], state]
        self._after(self._timing.transport, lambda: self._scheduler.add_state(state))

    def _frame(self) -> None:
        self._after(self._timing.frame, self._frame)
        stamp_ns = self.now_ns

        def arrive() -> None:
            self._newest_ns = stamp_ns
            self._scheduler.add_observation(stamp_ns)
            self._wake()

        self._after(self._timing.frame_latency, arrive)

    def _wake(self) -> None:
        """The policy's worker: one chunk at a time, always from the newest observation."""
        if self._busy or not self._newest_ns or not self.subtask.text:
            return
        # As the observation buffer does: the state nearest to the pictures.
        state = min(self._states, key=lambda s: abs(s.stamp_ns - self._newest_ns))
        request = self._scheduler.request(
            self._newest_ns, state.session, state.epoch, self.subtask, self.now_ns
        )
        if request is None:
            return
        self.requests.append(request)
        self._busy = True
        actions = self._think(state, request)
        self._after(self._delay(), lambda: self._done(request, actions))

    def _done(self, request: ChunkRequest, actions: np.ndarray) -> None:
        self._busy = False
        refusal = self._scheduler.refusal(request, self.subtask, self.now_ns)
        if refusal:
            self.refused.append(refusal)
        else:
            release = self._scheduler.release(request, actions, self.now_ns)
            self.releases.append((request, release))
            transport = self._timing.transport
            self._after(transport, lambda: self._bridge.take(request, release, self.now_ns))
        self._wake()


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
