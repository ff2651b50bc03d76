"""How late the next chunk will be, from how late the last ones were."""

from __future__ import annotations

import statistics
from collections import deque

# A delay is taken for a stall when it is so much above the median:
_STALL_FACTOR = 2.0  # times the median,
_STALL_ROWS = 3.0  # and so many rows more.
_STALL_SHARE = 0.25  # Of the window; more of them are no stalls.


class DelayEstimator:
    """The greatest of the last delays that is no stall.

    Real-time chunking takes the greatest delay of a recent window (arXiv 2506.07339, algorithm
    1), since a chunk that comes earlier than was thought fits, and one that comes later does not.
    But one stall would then freeze the head of every chunk for a whole window. So delays above
    twice the median and three rows more are left out, as long as they are rare: at most a quarter
    of the window, and one of a short one. What happens more often is how the machine is.

    A chunk that was computed while nothing ran is a warm-up: caches are cold, and the robot may
    have been the one that was late. It is kept only as long as there is nothing else.

    Args:
        initial: What is said until a delay was measured [rows].
        window: Delays that are remembered.
    """

    def __init__(self, initial: float, window: int) -> None:
        self._initial = initial
        self._warm_up = 0.0
        self._delays: deque[float] = deque(maxlen=window)

    @property
    def measured(self) -> int:
        """Delays that are remembered."""
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
        """Takes a measured delay [rows], 0 or more."""
        if not 0 <= rows < float("inf"):
            raise ValueError(f"a delay is 0 rows or more, found {rows}")
        if is_warm_up:
            self._warm_up = rows
        else:
            self._delays.append(rows)
