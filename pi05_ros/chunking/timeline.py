"""Timeline of the published chunks: which one the robot executes at which time."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

# Chunks that ended longer ago than this are discarded [ns].
_MEMORY_NS = 2_000_000_000
# A chunk that the bridge does not execute within this time of its publication counts as lost [ns].
# If it is executed later after all, it counts as executed.
_LOST_AFTER_NS = 200_000_000


class ChunkStatus(enum.Enum):
    """Status of a published chunk."""

    PENDING = "on its way to the bridge"
    EXECUTED = "taken up by the bridge"
    LOST = "never executed"
    OVERRIDDEN = "an operator drove"


@dataclass(eq=False)
class PublishedChunk:
    """A published chunk and its status."""

    sequence: int
    stamp_ns: int  # Of its observation.
    start_ns: int  # Time of row 0.
    period_ns: float
    actions: np.ndarray  # (rows, D) float64
    published_ns: int
    asked_rows: float  # Rows between its observation and its request.
    is_first: bool  # No chunk was being executed at its request.
    text: str = ""  # Of its subtask.
    status: ChunkStatus = field(default=ChunkStatus.PENDING)
    from_ns: int = 0  # Start of its execution; until that is known, its publication.
    was_overridden: bool = False  # Its first execution says nothing about its delay.

    def __post_init__(self) -> None:
        self.from_ns = self.published_ns

    @property
    def counts(self) -> bool:
        """True if it is executed, or may be soon."""
        return self.status in (ChunkStatus.PENDING, ChunkStatus.EXECUTED)

    @property
    def end_ns(self) -> float:
        """Time of the last row."""
        return self.start_ns + (len(self.actions) - 1) * self.period_ns

    def row_at(self, time_ns: float) -> float:
        """Return the row due at a time, fractional between two rows, not limited to the chunk."""
        return (time_ns - self.start_ns) / self.period_ns


class ChunkTimeline:
    """The chunks that were, are or will be executed, as far as known."""

    def __init__(self) -> None:
        self._chunks: list[PublishedChunk] = []

    @property
    def last(self) -> PublishedChunk | None:
        """The newest chunk that is executed or pending; None: there is none."""
        return next((c for c in reversed(self._chunks) if c.counts), None)

    def add(self, chunk: PublishedChunk) -> None:
        """Add a published chunk."""
        self._chunks = [c for c in self._chunks if c.end_ns > chunk.published_ns - _MEMORY_NS]
        self._chunks.append(chunk)

    def mark_executed(self, sequence: int, stamp_ns: int, at_ns: int) -> PublishedChunk | None:
        """Mark a chunk as executed since `at_ns`; return it if it was not marked before."""
        for index, chunk in enumerate(self._chunks):
            if chunk.sequence == sequence and chunk.stamp_ns == stamp_ns:
                if chunk.status is ChunkStatus.EXECUTED:
                    return None
                chunk.status, chunk.from_ns = ChunkStatus.EXECUTED, at_ns
                # The bridge executes chunks in order: earlier pending ones will not be executed.
                _mark_lost(self._chunks[:index])
                return chunk
        return None

    def mark_overdue(self, at_ns: int) -> int:
        """Mark chunks that should have been executed by `at_ns` as lost; return how many."""
        return _mark_lost([c for c in self._chunks if at_ns - c.published_ns > _LOST_AFTER_NS])

    def override(self) -> int:
        """Take note that an operator drives; return how many chunks were on their way.

        No chunk continues what the operator does. The bridge may execute the newest one when it
        gets the robot back: then it counts again.
        """
        pending = 0
        for chunk in self._chunks:
            if chunk.counts:
                pending += chunk.status is ChunkStatus.PENDING
                chunk.status, chunk.was_overridden = ChunkStatus.OVERRIDDEN, True
        return pending

    def forget_executed(self, at_ns: int) -> None:
        """Discard the executed chunks: the robot follows no chunk at `at_ns`.

        Pending chunks are kept, because they may still be executed.
        """
        self._chunks = [
            c for c in self._chunks if c.status is not ChunkStatus.EXECUTED or c.from_ns > at_ns
        ]

    def clear(self) -> None:
        """Discard all chunks."""
        self._chunks = []

    def plan(self, stamp_ns: int, horizon: int, period_ns: float) -> tuple[np.ndarray, int] | None:
        """Return the actions that are executed at the times of a future chunk's rows.

        Args:
            stamp_ns: Time of row 0 [ns].
            horizon: Number of rows H.
            period_ns: Time between two rows [ns].

        Returns:
            (actions, overlap): actions, (H, D) float64, each row from the chunk that is executed
            at its time, interpolated between that chunk's rows as the bridge does, with the last
            row repeated after the end of all chunks; and the number of rows up to that end. None:
            nothing is executed at any of these times.
        """
        chunks = [c for c in self._chunks if c.counts]
        if not chunks:
            return None
        overlap = math.floor((chunks[-1].end_ns - stamp_ns) / period_ns + 1e-6) + 1
        overlap = min(overlap, horizon)
        if overlap < 1:
            return None
        times = stamp_ns + np.arange(horizon) * period_ns
        actions = np.empty((horizon, chunks[0].actions.shape[1]))
        for index, chunk in enumerate(chunks):
            # Before the first chunk, its first executed row is held.
            here = times >= (chunk.from_ns if index else -math.inf)
            earliest = min(max(chunk.row_at(chunk.from_ns), 0.0), len(chunk.actions) - 1.0)
            actions[here] = _rows(chunk, times[here], earliest)
        return actions, overlap


def _mark_lost(chunks: Sequence[PublishedChunk]) -> int:
    """Mark the pending ones of these chunks as lost; return how many."""
    lost = [chunk for chunk in chunks if chunk.status is ChunkStatus.PENDING]
    for chunk in lost:
        chunk.status = ChunkStatus.LOST
    return len(lost)


def _rows(chunk: PublishedChunk, times_ns: np.ndarray, earliest: float) -> np.ndarray:
    """Interpolate a chunk at times (N,) [ns], clamped to rows `earliest` to last; (N, D)."""
    last = len(chunk.actions) - 1
    position = np.clip((times_ns - chunk.start_ns) / chunk.period_ns, earliest, last)
    row = np.minimum(position.astype(int), last)
    weight = (position - row)[:, None]
    after = np.minimum(row + 1, last)
    rows: np.ndarray = (1.0 - weight) * chunk.actions[row] + weight * chunk.actions[after]
    return rows
