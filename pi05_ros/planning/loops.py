"""Notices that a planner goes round in circles: a drawer opened, closed, opened, closed."""

from __future__ import annotations

from collections import deque

# Periods of a cycle, in subtasks. One is no cycle: a change is always to another text.
_PERIODS = range(2, 5)


class LoopDetector:
    """Looks for the same few subtasks in the same order, again and again.

    It cannot know that three equal plates wait for the same two subtasks: it is told to people,
    and stops nothing.

    Args:
        repeats: So often in a row a cycle must come.
        window: Within this time [s].
    """

    def __init__(self, repeats: int, window: float) -> None:
        self._repeats = repeats
        self._window_ns = round(window * 1e9)
        self._changes: deque[tuple[int, str]] = deque(maxlen=_PERIODS[-1] * repeats)

    def clear(self) -> None:
        """Forgets: another task, or an operator who spoke."""
        self._changes.clear()

    def add(self, text: str, now_ns: int) -> None:
        """The subtask changed to `text`, as it is compared."""
        if self._changes and now_ns < self._changes[-1][0]:
            self._changes.clear()  # Time jumped back.
        self._changes.append((now_ns, text))

    def cycle(self, now_ns: int) -> tuple[str, ...]:
        """The subtasks that come again and again, in their order; empty: none do."""
        recent = [text for when, text in self._changes if now_ns - when <= self._window_ns]
        for period in _PERIODS:
            tail = recent[-period * self._repeats :]
            if len(tail) == period * self._repeats and tail == tail[:period] * self._repeats:
                return tuple(tail[:period])
        return ()
