"""Which chunk the robot executes at what time: the last ones that were published, end to end."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

# Chunks whose end lies so far back are forgotten [ns].
_MEMORY_NS = 2_000_000_000
# A chunk that the bridge has not taken up so long after its publication is lost [ns]. When it
# is taken up even later, it is believed again.
_LOST_AFTER_NS = 200_000_000


class ChunkStatus(enum.Enum):
    """What became of a published chunk."""

    PENDING = "on its way to the bridge"
    EXECUTED = "taken up by the bridge"
    LOST = "never executed"


@dataclass(eq=False)
class PublishedChunk:
    """A chunk that left the policy."""

    sequence: int
    stamp_ns: int  # Of its observation.
    start_ns: int  # Time of row 0.
    period_ns: float
    actions: np.ndarray  # (rows, D) float64
    published_ns: int
    asked_rows: float  # Rows from its observation to the moment at which it was asked for.
    is_first: bool  # Nothing was being executed when it was asked for.
    status: ChunkStatus = field(default=ChunkStatus.PENDING)
    from_ns: int = 0  # Executed from then on; before that is known, its publication.

    def __post_init__(self) -> None:
        self.from_ns = self.published_ns

    @property
    def end_ns(self) -> float:
        """Time of the last row."""
        return self.start_ns + (len(self.actions) - 1) * self.period_ns

    def row_at(self, time_ns: float) -> float:
        """The row for a time; between two rows a fraction, never limited."""
        return (time_ns - self.start_ns) / self.period_ns


class ChunkTimeline:
    """The chunks that were, are and will be executed, as far as it is known."""

    def __init__(self) -> None:
        self._chunks: list[PublishedChunk] = []

    @property
    def last(self) -> PublishedChunk | None:
        """The newest chunk that is executed or on its way; None: nothing is."""
        return next((c for c in reversed(self._chunks) if c.status is not ChunkStatus.LOST), None)

    def add(self, chunk: PublishedChunk) -> None:
        """A chunk was published."""
        self._chunks = [c for c in self._chunks if c.end_ns > chunk.published_ns - _MEMORY_NS]
        self._chunks.append(chunk)

    def mark_executed(self, sequence: int, stamp_ns: int, at_ns: int) -> PublishedChunk | None:
        """The bridge executes a chunk at `at_ns`; returns it when that is news."""
        for index, chunk in enumerate(self._chunks):
            if chunk.sequence == sequence and chunk.stamp_ns == stamp_ns:
                if chunk.status is ChunkStatus.EXECUTED:
                    return None
                chunk.status, chunk.from_ns = ChunkStatus.EXECUTED, at_ns
                # The bridge takes chunks in order: what it passed over will not come.
                _mark_lost(self._chunks[:index])
                return chunk
        return None

    def mark_overdue(self, at_ns: int) -> int:
        """Marks chunks that should have been taken up by `at_ns` as lost; returns how many."""
        return _mark_lost([c for c in self._chunks if at_ns - c.published_ns > _LOST_AFTER_NS])

    def forget_executed(self, at_ns: int) -> None:
        """The robot follows no chunk at `at_ns`: what was published before is not gone on from.

        A chunk that is on its way may still be taken up.
        """
        self._chunks = [
            c for c in self._chunks if c.status is not ChunkStatus.EXECUTED or c.from_ns > at_ns
        ]

    def clear(self) -> None:
        """Forgets all."""
        self._chunks = []

    def plan(self, stamp_ns: int, horizon: int, period_ns: float) -> tuple[np.ndarray, int] | None:
        """What is executed at the times of a chunk that is yet to come.

        Args:
            stamp_ns: Time of row 0.
            horizon: H.
            period_ns: Between two rows.

        Returns:
            (actions, overlap): (H, D) float64, each row from the chunk that is executed at its
            time, interpolated between that chunk's rows as the bridge does, its last row held
            where all have run out; and the number of rows up to there. None: nothing is executed
            at any of these times.
        """
        chunks = [c for c in self._chunks if c.status is not ChunkStatus.LOST]
        if not chunks:
            return None
        overlap = math.floor((chunks[-1].end_ns - stamp_ns) / period_ns + 1e-6) + 1
        overlap = min(overlap, horizon)
        if overlap < 1:
            return None
        times = stamp_ns + np.arange(horizon) * period_ns
        actions = np.empty((horizon, chunks[0].actions.shape[1]))
        for index, chunk in enumerate(chunks):
            # The first one stands for what was before it, too: its first executed row is held.
            here = times >= (chunk.from_ns if index else -math.inf)
            earliest = min(max(chunk.row_at(chunk.from_ns), 0.0), len(chunk.actions) - 1.0)
            actions[here] = _rows(chunk, times[here], earliest)
        return actions, overlap


def _mark_lost(chunks: Sequence[PublishedChunk]) -> int:
    """Marks those of them that are still on their way as lost; returns how many."""
    lost = [chunk for chunk in chunks if chunk.status is ChunkStatus.PENDING]
    for chunk in lost:
        chunk.status = ChunkStatus.LOST
    return len(lost)


def _rows(chunk: PublishedChunk, times_ns: np.ndarray, earliest: float) -> np.ndarray:
    """The chunk at these times, (N, D) float64, held before row `earliest` and after the last."""
    last = len(chunk.actions) - 1
    position = np.clip((times_ns - chunk.start_ns) / chunk.period_ns, earliest, last)
    row = np.minimum(position.astype(int), last)
    weight = (position - row)[:, None]
    after = np.minimum(row + 1, last)
    rows: np.ndarray = (1.0 - weight) * chunk.actions[row] + weight * chunk.actions[after]
    return rows
