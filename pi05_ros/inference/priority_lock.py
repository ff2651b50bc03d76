"""A lock that whoever is in a hurry gets first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PriorityLock:
    """Lets one thread in at a time, urgent ones first, and lets a patient holder give way.

    A robot moves on while its next subtask is being thought of: a chunk is urgent, a subtask is
    not. A patient thread may starve while urgent ones queue; chunks come at a fixed rate and leave
    time between them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._is_held = False
        self._urgent_waiting = 0

    @contextmanager
    def hold(self, *, urgent: bool) -> Iterator[None]:
        """Holds the lock within the block. Not reentrant."""
        self._acquire(urgent)
        try:
            yield
        finally:
            self._release()

    def give_way(self) -> None:
        """To be called by a patient holder: lets every urgent thread that waits go first."""
        with self._changed:
            if not self._urgent_waiting:
                return
        self._release()
        self._acquire(urgent=False)

    def _acquire(self, urgent: bool) -> None:
        with self._changed:
            if urgent:
                self._urgent_waiting += 1
                try:
                    self._changed.wait_for(lambda: not self._is_held)
                finally:
                    self._urgent_waiting -= 1
            else:
                self._changed.wait_for(lambda: not self._is_held and not self._urgent_waiting)
            self._is_held = True

    def _release(self) -> None:
        with self._changed:
            self._is_held = False
            self._changed.notify_all()
