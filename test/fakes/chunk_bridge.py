"""A bridge that executes rows by time, and nothing else: no limits, no blending."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.scheduler import ChunkRelease, ChunkRequest

DIMENSIONS = 2
PERIOD_NS = 20_000_000
RUNNING, HOLDING, DISARMED = 1, 2, 3


@dataclass
class FakeChunkBridge:
    """Says which chunk it follows, like the real one; `executed` keeps what it did."""

    session: int = 5
    epoch: int = 1
    is_armed: bool = True
    loses: set[int] = field(default_factory=set)  # Sequences that never arrive.
    executed: list[tuple[int, int, float, np.ndarray]] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)  # Times of ticks without a row, after a chunk.

    def __post_init__(self) -> None:
        self.commanded = np.zeros(DIMENSIONS)
        self._chunk: tuple[ChunkRequest, ChunkRelease] | None = None

    def take(self, request: ChunkRequest, release: ChunkRelease, now_ns: int) -> None:
        stale = (request.session, request.epoch) != (self.session, self.epoch)
        if not stale and self.is_armed and release.sequence not in self.loses:
            self._chunk = request, release

    def void(self) -> None:
        """As a stop and a new arming do."""
        self.epoch += 1
        self._chunk = None

    def tick(self, now_ns: int) -> StateSample:
        sequence, stamp_ns, row = 0, 0, math.nan
        if self._chunk is not None:
            request, release = self._chunk
            position = (now_ns - release.start_ns) / PERIOD_NS
            if position <= len(release.actions) - 0.5:
                sequence, stamp_ns, row = release.sequence, request.stamp_ns, position
                whole = min(int(position), len(release.actions) - 1)
                after = min(whole + 1, len(release.actions) - 1)
                weight = min(position, len(release.actions) - 1) - whole
                self.commanded = (1 - weight) * release.actions[whole]
                self.commanded = self.commanded + weight * release.actions[after]
                self.executed.append((now_ns, sequence, row, self.commanded))
        if not sequence and self.executed:
            self.holds.append(now_ns)
        mode = (RUNNING if sequence else HOLDING) if self.is_armed else DISARMED
        return StateSample(
            stamp_ns=now_ns,
            names=("a", "b"),
            measured=self.commanded.copy(),
            commanded=self.commanded.copy(),
            session=self.session,
            epoch=self.epoch,
            mode=mode,
            commanded_ns=now_ns,
            chunk_sequence=sequence,
            chunk_stamp_ns=stamp_ns,
            chunk_row=row,
        )
