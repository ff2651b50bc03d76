"""A lock with two priorities."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PriorityLock:
    """A mutex that urgent threads acquire first, and that other holders can yield to them.

    Chunks are urgent, since the robot moves while they are computed; subtasks are not. Threads
    that are not urgent can starve while urgent ones queue; in practice chunks are requested at a
    fixed rate that leaves time between them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._is_held = False
        self._urgent_waiting = 0

    @contextmanager
    def hold(self, *, urgent: bool) -> Iterator[None]:
        """Hold the lock within the block. Not reentrant."""
        self._acquire(urgent)
        try:
            yield
        finally:
            self._release()

    def yield_to_urgent(self) -> None:
        """Let every waiting urgent thread run first. For a holder that is not urgent."""
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
