"""A record of each tick of a bridged robot, and of the chunks around each seam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.chunking.scheduler import ChunkScheduler
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.control.bridge import Tick
from pi05_ros.control.chunk import AcceptedChunk
from pi05_ros.control.modes import Mode
from pi05_ros.evaluation.bridged_robot import BridgedRobot
from pi05_ros.evaluation.closed_loop import ClosedLoop, LoopHooks, Policy
from pi05_ros.platforms.platform import Platform


@dataclass(frozen=True)
class TickRecord:
    """One tick of the bridge."""

    sequence: int  # Of the chunk that was followed; 0: none.
    row: float  # Of that chunk; NaN: none.
    wanted: np.ndarray  # (D,) that chunk's target at this time; without a chunk, `command`.
    before: np.ndarray  # (D,) target without it: of the previous chunk, or standing still.
    command: np.ndarray  # (D,) sent to the controllers.
    mode: Mode


@dataclass(frozen=True)
class Run:
    """A finished run."""

    ticks: list[TickRecord]
    rejected: list[str]  # Rules by which the bridge rejected chunks.
    points: float = 0.0  # Of a task in a mock home.
    seconds: float = 0.0  # Simulated, until the task was done or time was up.


class TickRecorder:
    """Records ticks from the first command on; `add` is a hook of a ClosedLoop."""

    def __init__(self, platform: Platform) -> None:
        self.ticks: list[TickRecord] = []
        self._period_ns = platform.period * 1e9
        self._followed: AcceptedChunk | None = None  # The last chunk that was followed.
        self._before: AcceptedChunk | None = None  # The one before it; None: the robot stood.
        self._stood_at: np.ndarray = platform.home

    def add(self, tick: Tick, now_ns: int) -> None:
        """Record a tick at `now_ns`."""
        last = self.ticks[-1] if self.ticks else None
        command = tick.command
        if command is None:  # Nothing is sent: the robot keeps its last command.
            if last is None:
                return
            command = last.command
        if tick.target is None:
            nan = float("nan")
            self.ticks.append(TickRecord(0, nan, command, command, command, tick.mode))
            return
        chunk = tick.target.chunk
        if chunk is not self._followed:
            stood = last is None or not last.sequence
            self._before = None if stood else self._followed
            self._followed = chunk
            self._stood_at = command if last is None else last.command
        wanted = self._target(chunk, now_ns)
        before = self._stood_at
        if self._before is not None:
            before = self._target(self._before, now_ns)
        self.ticks.append(
            TickRecord(chunk.sequence, tick.target.row, wanted, before, command, tick.mode)
        )

    def _target(self, chunk: AcceptedChunk, now_ns: int) -> np.ndarray:
        """Return a chunk's target (D,) at a time, extrapolated linearly behind its last row."""
        actions = chunk.actions
        position = max((now_ns - chunk.start_ns) / self._period_ns, 0.0)
        row = min(int(position), len(actions) - 2)
        values: np.ndarray = actions[row] + (position - row) * (actions[row + 1] - actions[row])
        return values


def run_policy(
    platform: Platform,
    policy: Policy,
    settings: ChunkSettings,
    horizon: int,
    delay: float,
    seconds: float,
) -> Run:
    """Run a policy on a robot without physics, and record it.

    Args:
        platform: The robot's platform.
        policy: The low level.
        settings: How chunks follow each other.
        horizon: Rows of the policy's chunks.
        delay: Time that each chunk takes to compute [s].
        seconds: Simulated.
    """
    recorder = TickRecorder(platform)
    scheduler = ChunkScheduler(settings, platform.period, horizon)
    hooks = LoopHooks(on_tick=recorder.add)
    loop = ClosedLoop(BridgedRobot(platform), scheduler, policy, lambda: delay, hooks=hooks)
    loop.follow("a task", "a subtask")
    loop.run(seconds)
    return Run(recorder.ticks, loop.rejected, seconds=seconds)
