"""The real bridge on a simulated clock, with a robot behind it, and a record of each tick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.scheduler import ChunkRelease, ChunkRequest
from pi05_ros.control.bridge import Bridge
from pi05_ros.control.chunk import Chunk, ChunkRejected
from pi05_ros.control.modes import Mode
from pi05_ros.platforms.platform import Platform

SESSION = 7


class Body(Protocol):
    """A robot."""

    def state(self) -> np.ndarray:
        """(D,) float64, measured, platform units."""

    def move(self, command: np.ndarray | None, now_ns: int) -> None:
        """One period under this command (D,); None: under none."""


class PerfectBody:
    """Is where it was commanded to be."""

    def __init__(self, platform: Platform) -> None:
        self._state: np.ndarray = platform.home.copy()

    def state(self) -> np.ndarray:
        return self._state.copy()

    def move(self, command: np.ndarray | None, now_ns: int) -> None:
        if command is not None:
            self._state = command


@dataclass(frozen=True)
class TickRecord:
    """What one tick was."""

    sequence: int  # Of the chunk that was followed; 0: none.
    row: float  # Of that chunk; NaN: none.
    wanted: np.ndarray  # (D,) what that chunk's rows say for this time; without one, `command`.
    before: np.ndarray  # (D,) what would be wanted without it: of the chunk before, or standing.
    command: np.ndarray  # (D,) what was sent.
    mode: Mode


class BridgedRobot:
    """Bridge and body; a LoopBridge.

    Attributes:
        bridge: The real one.
        record: One entry for each tick while armed.
        rejected: Rules that chunks broke.
    """

    def __init__(self, platform: Platform, body: Body) -> None:
        self.bridge = Bridge(platform, SESSION)
        self.record: list[TickRecord] = []
        self.rejected: list[str] = []
        self._platform = platform
        self._body = body
        self._actions: dict[int, tuple[int, np.ndarray]] = {}  # Start and rows, by sequence.
        self._followed = self._before = 0  # Sequences; 0: none, the robot stood.
        self._stood_at: np.ndarray = platform.home

    def take(self, request: ChunkRequest, release: ChunkRelease, now_ns: int) -> None:
        """A chunk arrives, in the numbers that its message has."""
        data = release.actions.astype(np.float32)
        chunk = Chunk(
            stamp_ns=request.stamp_ns,
            start_ns=release.start_ns,
            session=request.session,
            epoch=request.epoch,
            sequence=release.sequence,
            subtask_id=request.subtask.id,
            names=self._platform.names,
            period=self._platform.period,
            horizon=len(data),
            data=data.ravel(),
        )
        try:
            self.bridge.add_chunk(chunk, now_ns)
        except ChunkRejected as error:
            self.rejected.append(error.rule)
        self._actions[release.sequence] = release.start_ns, data.astype(np.float64)

    def tick(self, now_ns: int) -> StateSample:
        """Measures, ticks, moves."""
        state = self._body.state()
        self._measure(state, now_ns)
        if self.bridge.mode is Mode.DISARMED:
            self.bridge.arm(now_ns, now_ns)
        tick = self.bridge.tick(now_ns, now_ns)
        self._body.move(tick.command, now_ns)
        command = self.bridge.motion.commanded
        sequence, stamp_ns, row = 0, 0, math.nan
        if tick.target is not None:
            sequence, row = tick.target.chunk.sequence, tick.target.row
            stamp_ns = tick.target.chunk.stamp_ns
        self._note(sequence, row, command, tick.mode, now_ns)
        return StateSample(
            stamp_ns=now_ns,
            names=self._platform.names,
            measured=state,
            commanded=command,
            session=SESSION,
            epoch=self.bridge.epoch,
            mode=int(tick.mode),
            commanded_ns=now_ns,
            chunk_sequence=sequence,
            chunk_stamp_ns=stamp_ns,
            chunk_row=row,
        )

    def _note(
        self, sequence: int, row: float, command: np.ndarray, mode: Mode, now_ns: int
    ) -> None:
        if sequence and sequence != self._followed:
            stood = not self.record or not self.record[-1].sequence
            self._before = 0 if stood else self._followed
            self._followed, self._stood_at = sequence, self._last_command(command)
        wanted = before = command
        if sequence:
            wanted = self._row(sequence, now_ns)
            before = self._row(self._before, now_ns) if self._before else self._stood_at
        self.record.append(TickRecord(sequence, row, wanted, before, command, mode))

    def _last_command(self, command: np.ndarray) -> np.ndarray:
        return self.record[-1].command if self.record else command

    def _row(self, sequence: int, now_ns: int) -> np.ndarray:
        """What a chunk says for a time, going on as it ended where it is over."""
        start_ns, actions = self._actions[sequence]
        position = max((now_ns - start_ns) * 1e-9 / self._platform.period, 0.0)
        row = min(int(position), len(actions) - 2)
        values: np.ndarray = actions[row] + (position - row) * (actions[row + 1] - actions[row])
        return values

    def _measure(self, state: np.ndarray, now_ns: int) -> None:
        names, positions = [], []
        for group in self._platform.groups:
            for dimension in group.dimensions:
                value = state[self._platform.index(dimension.name)]
                if dimension.is_velocity:
                    continue
                if group.kind == "parallel_gripper":
                    value = group.joint_closed + value * (group.joint_open - group.joint_closed)
                names.append(dimension.joint_name)
                positions.append(float(value))
        self.bridge.add_joint_states(names, positions, now_ns, now_ns)
        self.bridge.add_odometry(state[self._platform.is_velocity].tolist(), now_ns, now_ns)
