"""Periodic threads of the harness, and their priority."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Below the control bridge's ticker (50): a fake robot keeps its rate and delays no command.
_PRIORITY = 10


def request_priority() -> bool:
    """Request SCHED_FIFO for the calling thread; return False where it is not allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except (AttributeError, PermissionError, OSError):
        return False
    return True


@contextmanager
def children_with_priority() -> Iterator[None]:
    """Give SCHED_FIFO to threads that are started inside, where allowed; the caller keeps its own.

    For the threads of DDS: a witness that waits for a core would receive commands late. No process
    may be started inside, since it would inherit the priority.
    """
    try:
        policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    except (AttributeError, OSError):
        yield
        return
    raised = request_priority()
    try:
        yield
    finally:
        if raised:
            os.sched_setscheduler(0, policy, parameters)


class Rhythm:
    """A thread that calls a function once a period, by the steady clock, until it is closed.

    A period that is missed is skipped. An exception ends the rhythm and is raised by `close`.
    """

    def __init__(self, name: str, period: float, function: Callable[[], None]) -> None:
        self.period = period  # [s]; may be changed at any time.
        self._function = function
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and wait for the call in progress."""
        self._stop.set()
        self._thread.join(timeout=2.0)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _run(self) -> None:
        request_priority()
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            try:
                self._function()
            except Exception as error:
                self._failure = error
                return
            due = max(due + self.period, time.monotonic())
