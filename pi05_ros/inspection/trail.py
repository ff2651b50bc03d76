"""Recent positions of moving points."""

from __future__ import annotations

from collections import deque

import numpy as np


class Trail:
    """Points over time, at a minimum interval.

    Args:
        spacing: Minimum time between two stored entries [s].
        memory: Time for which entries are kept [s].
    """

    def __init__(self, spacing: float, memory: float) -> None:
        self._spacing_ns, self._memory_ns = round(spacing * 1e9), round(memory * 1e9)
        self._stamps: deque[int] = deque()
        self._points: deque[np.ndarray] = deque()
        self._driven: deque[bool] = deque()

    def __len__(self) -> int:
        return len(self._stamps)

    def due(self, stamp_ns: int) -> bool:
        """Check whether points of that time would be stored."""
        return not self._stamps or stamp_ns >= self._stamps[-1] + self._spacing_ns

    def add(self, stamp_ns: int, points: np.ndarray, driven: bool = False) -> None:
        """Store points (K, 3) if they are due, and whether an operator drove them."""
        if not self.due(stamp_ns):
            return
        self._stamps.append(stamp_ns)
        self._points.append(np.asarray(points, dtype=np.float64))
        self._driven.append(driven)
        while self._stamps[0] < stamp_ns - self._memory_ns:
            self._stamps.popleft()
            self._driven.popleft()
            self._points.popleft()

    def since(self, now_ns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the stored entries, the oldest first.

        Returns:
            Ages (N,) [s], points (N, K, 3), and whether an operator drove them, (N,) bool.
        """
        first = next(
            (n for n, s in enumerate(self._stamps) if s >= now_ns - self._memory_ns),
            len(self._stamps),
        )
        stamps = np.array(list(self._stamps)[first:], dtype=np.int64)
        points = list(self._points)[first:]
        driven = np.array(list(self._driven)[first:], dtype=bool)
        places = np.array(points) if points else np.zeros((0, 0, 3))
        return (now_ns - stamps) * 1e-9, places, driven
