"""Estimate of the delay of the next chunk from the delays of recent chunks."""

from __future__ import annotations

import statistics
from collections import deque

# A delay above _STALL_FACTOR * median + _STALL_ROWS is treated as a stall.
_STALL_FACTOR = 2.0
_STALL_ROWS = 3.0  # [rows]
_STALL_SHARE = 0.25  # Largest share of the window that may be excluded as stalls.


class DelayEstimator:
    """Estimates the delay as the largest recent delay, stalls excluded.

    Real-time chunking uses the largest delay of a recent window (arXiv 2506.07339, algorithm 1):
    a chunk that arrives earlier than estimated can be used, one that arrives later cannot. A
    single stall would however commit the first rows of every chunk for a whole window. Delays
    above twice the median plus three rows are therefore excluded while they are rare: at most a
    quarter of the window, or one in a short window. More frequent delays count as normal.

    The delay of a chunk that was computed while no other was executed is a warm-up: caches are
    cold, and the delay may be the robot's. It is used only until another delay is measured.

    Args:
        initial: Estimate before the first measurement [rows].
        window: Number of delays that are kept.
    """

    def __init__(self, initial: float, window: int) -> None:
        self._initial = initial
        self._warm_up = 0.0
        self._delays: deque[float] = deque(maxlen=window)

    @property
    def measured(self) -> int:
        """Number of delays in the window."""
        return len(self._delays)

    @property
    def rows(self) -> float:
        """The estimate [rows]."""
        if not self._delays:
            return max(self._initial, self._warm_up)
        median = statistics.median(self._delays)
        kept = sorted(self._delays)
        for _ in range(max(1, int(_STALL_SHARE * len(kept)))):
            if kept[-1] > _STALL_FACTOR * median + _STALL_ROWS:
                kept.pop()
        return kept[-1]

    def add(self, rows: float, is_warm_up: bool = False) -> None:
        """Add a measured delay [rows], 0 or more."""
        if not 0 <= rows < float("inf"):
            raise ValueError(f"a delay is 0 rows or more, found {rows}")
        if is_warm_up:
            self._warm_up = rows
        else:
            self._delays.append(rows)
