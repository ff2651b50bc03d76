"""Streams of messages, by number and time."""

from __future__ import annotations

import threading

import numpy as np


class Stream:
    """When each message of one publisher came or went. Filled from one thread, read in another."""

    def __init__(self, entries: tuple[tuple[int, int], ...] = ()) -> None:
        self._lock = threading.Lock()
        self._entries = list(entries)

    def add(self, sequence: int, time_ns: int) -> None:
        """Takes message number `sequence`."""
        with self._lock:
            self._entries.append((sequence, time_ns))

    def clear(self) -> None:
        """Forgets all."""
        with self._lock:
            self._entries.clear()

    def copy(self) -> Stream:
        """What is there now."""
        with self._lock:
            return Stream(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def errors_ms(self, period_ms: float) -> np.ndarray:
        """|period - wanted| between messages that follow each other, (K,) float64 [ms].

        A message that was lost on the way makes no period: its neighbours do not follow each
        other. One that was never sent does, as its number was never given.
        """
        entries = np.array(self._entries, dtype=np.int64).reshape(-1, 2)
        steps = np.diff(entries, axis=0)
        return np.abs(steps[steps[:, 0] == 1, 1] * 1e-6 - period_ms)
