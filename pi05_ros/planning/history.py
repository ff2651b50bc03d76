"""Subtasks of a task so far: text, outcome as the model saw it, and duration."""

from __future__ import annotations

from collections import deque

from pi05_ros.brain.interface import PastOutcome, PastSubtask

_LONGEST = 200  # A subtask a few seconds, for a task of 15 minutes.


class SubtaskHistory:
    """Records the subtasks of one task."""

    def __init__(self) -> None:
        self._past: deque[PastSubtask] = deque(maxlen=_LONGEST)
        self._text, self._since_ns = "", 0
        self._has_stalled = False

    def clear(self) -> None:
        """Forget everything, when a task begins."""
        self._past.clear()
        self._text, self._has_stalled = "", False

    def shown(self, now_ns: int) -> tuple[PastSubtask, ...]:
        """Earlier subtasks, oldest first; the present one as well if the robot stalled in it."""
        if not (self._text and self._has_stalled):
            return tuple(self._past)
        duration = max(0, now_ns - self._since_ns) * 1e-9
        return (*self._past, PastSubtask(self._text, "stalled", duration))

    def stalled(self) -> None:
        """Take note that the robot stalled during the present subtask."""
        self._has_stalled = True

    def change(self, text: str, outcome: PastOutcome, now_ns: int) -> None:
        """End the present subtask and begin the next one.

        Args:
            text: Of the next one; empty: none.
            outcome: Of the present one; one that was changed after a stall has "stalled".
            now_ns: Present time [ns].
        """
        if self._text:
            if self._has_stalled and outcome == "changed":
                outcome = "stalled"
            duration = max(0, now_ns - self._since_ns) * 1e-9
            self._past.append(PastSubtask(self._text, outcome, duration))
        self._text, self._since_ns, self._has_stalled = text, now_ns, False
