"""Executor thread of a process."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future
from rclpy.utilities import get_default_context

# One wait of the executor [s]. Its length does not matter: a message or a timer ends it at once.
_WAIT_S = 60.0
# A change of the system clock against the steady clock by more than this is a step [s].
_STEP_S = 0.02


class EventLoop:
    """An executor and its thread: EventsExecutor where rclpy has it.

    rclpy's wait-set executors build a wait set over every entity of every node anew for each
    message: most of what a message costs. EventsExecutor is called back by DDS instead. Its
    `spin` cannot be used as it is in rclpy 7.1.6:

    * It waits until the last time point of the steady clock. Where the C++ library was
      built for a glibc without waits on the steady clock, as in the wheels, that moment is
      converted to the system's clock, overflows and lies in the past: the wait returns at once,
      and the executor uses a whole core. A wait with a limit is converted correctly.
    * By the same conversion a timer that waits while the system's clock steps back is late by the
      step: `restart_timers_after_step` restarts such waits.
    * `shutdown` waits for the spinning thread while it holds the GIL, which that thread
      requires in order to end.

    So this class waits in pieces of `_WAIT_S`, and ends the wait before it shuts the executor
    down. EventsExecutor ignores callback groups: all callbacks run one after the other, in the
    order of their events.

    Args:
        context: Context of the nodes; None: the default one.
        on_end: Called in the loop's thread when it ends, by `stop` or by a failure.

    Attributes:
        executor: The rclpy executor; `node.executor` is the same.
        failure: Traceback of the exception that ended the loop; empty: none.
    """

    def __init__(
        self, context: Context | None = None, on_end: Callable[[], None] | None = None
    ) -> None:
        self.failure = ""
        self._context = context or get_default_context()
        self._on_end = on_end
        self._stopping = self._is_shut_down = False
        self._nodes: list[Node] = []
        self._clock_offset = time.time() - time.monotonic()
        self._woken = Future()  # Ends the present wait; see `_wait`.
        self._thread = threading.Thread(target=self._run, name="executor", daemon=True)
        self.executor = _executor(self._context)

    def add(self, node: Node) -> None:
        """Run the callbacks of `node` from now on."""
        self._nodes.append(node)
        self.executor.add_node(node)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def create_task(self, function: Callable[..., Any], *arguments: Any) -> Future:
        """Run `function` in the loop's thread; return a future of its result."""
        return self.executor.create_task(function, *arguments)

    def restart_timers_after_step(self) -> None:
        """Restart all timers if the system clock has stepped; must be called regularly."""
        offset = time.time() - time.monotonic()
        step, self._clock_offset = offset - self._clock_offset, offset
        if abs(step) > _STEP_S and not isinstance(self.executor, SingleThreadedExecutor):
            self.create_task(self._restart_timers)

    def _restart_timers(self) -> None:
        for node in self._nodes:
            for timer in node.timers:
                timer.reset()

    def stop(self, timeout: float = 2.0) -> bool:
        """End the loop after the callback in progress. May be called repeatedly, from any thread.

        Args:
            timeout: Maximum wait for that callback [s].

        Returns:
            True if the thread has ended.
        """
        self._stopping = True
        if self._thread is threading.current_thread():
            self._end_wait()
            return False
        deadline = time.monotonic() + timeout
        while not self._is_shut_down and self._thread.is_alive() and time.monotonic() < deadline:
            self._end_wait()  # Again: the loop may have been between two waits.
            self._thread.join(0.05)
        if self._thread.is_alive():
            return False
        if not self._is_shut_down:
            self._is_shut_down = True
            self.executor.shutdown(0.0)
        return True

    def _run(self) -> None:
        try:
            while not self._stopping and self._context.ok():
                self._wait()
        except ExternalShutdownException:
            pass
        except Exception:
            if not self._stopping:
                self.failure = traceback.format_exc()
        finally:
            if self._on_end is not None:
                self._on_end()

    def _wait(self) -> None:
        """Run callbacks until `_end_wait` or the end of `_WAIT_S`."""
        if isinstance(self.executor, SingleThreadedExecutor):
            self.executor.spin_once(timeout_sec=_WAIT_S)
            return
        self._woken = Future()  # A new one for each wait: it keeps a callback of each.
        if not self._stopping:
            self.executor.spin_until_future_complete(self._woken, _WAIT_S)

    def _end_wait(self) -> None:
        if isinstance(self.executor, SingleThreadedExecutor):
            self.executor.create_task(lambda: None)  # `spin_once` returns only after some work.
        elif not self._woken.done():
            self._woken.set_result(None)


def _executor(context: Context) -> Any:
    """Return an EventsExecutor; in Humble, whose rclpy has none, a SingleThreadedExecutor."""
    try:
        from rclpy.experimental.events_executor import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor(context=context)
    return EventsExecutor(context=context)
