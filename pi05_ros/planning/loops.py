"""Detection of repeating subtask sequences, such as a drawer opened and closed again and again."""

from __future__ import annotations

from collections import deque

# Lengths of a cycle, in subtasks. 1 is impossible: a change is always to another text.
_PERIODS = range(2, 5)


class LoopDetector:
    """Detects short cycles of subtasks.

    A cycle may be legitimate: three equal plates take the same two subtasks three times. So a
    detected cycle is reported, and stops nothing.

    Args:
        repeats: Consecutive repetitions that make a sequence a cycle.
        window: Time within which they must occur [s].
    """

    def __init__(self, repeats: int, window: float) -> None:
        self._repeats = repeats
        self._window_ns = round(window * 1e9)
        self._changes: deque[tuple[int, str]] = deque(maxlen=_PERIODS[-1] * repeats)

    def clear(self) -> None:
        """Forget all subtasks, after a new task or an operator's input."""
        self._changes.clear()

    def add(self, text: str, now_ns: int) -> None:
        """Record a change of the subtask to `text`, a comparison key."""
        if self._changes and now_ns < self._changes[-1][0]:
            self._changes.clear()  # Time jumped back.
        self._changes.append((now_ns, text))

    def cycle(self, now_ns: int) -> tuple[str, ...]:
        """Return the subtasks of the present cycle in their order; empty: there is no cycle."""
        recent = [text for when, text in self._changes if now_ns - when <= self._window_ns]
        for period in _PERIODS:
            tail = recent[-period * self._repeats :]
            if len(tail) == period * self._repeats and tail == tail[:period] * self._repeats:
                return tuple(tail[:period])
        return ()
