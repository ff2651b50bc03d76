"""Worker thread that runs once after each wake-up."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from rclpy.node import Node

from pi05_ros.errors import Pi05Error


class Worker:
    """Runs `work()` in its own thread after each `wake`; calls during the work count as one.

    Inference must not run in an executor's callback: it would delay sensors, watchdogs and
    lifecycle services. An exception in `work` is logged and counted, and the thread continues.

    Args:
        node: Node whose log is used.
        name: Name of the thread.
        work: The work.
        now_ns: Returns the node's time [ns].
        on_done: Called in the thread after each `work`.

    Attributes:
        pending_ns: Time of the oldest `wake` whose work is not done, by `now_ns`; 0: none.
    """

    def __init__(
        self,
        node: Node,
        name: str,
        work: Callable[[], None],
        now_ns: Callable[[], int],
        on_done: Callable[[], None],
    ) -> None:
        self.errors = 0
        self.pending_ns = 0
        self._node = node
        self._work = work
        self._now_ns = now_ns
        self._on_done = on_done
        self._woken_ns = 0  # Time of the oldest `wake` for which no work has begun.
        self._lock = threading.Lock()  # Guards the two times.
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Request one run of `work`."""
        with self._lock:
            self._woken_ns = self._woken_ns or self._now_ns()
            self.pending_ns = self.pending_ns or self._woken_ns
        self._wake.set()

    def stop(self, timeout: float = 2.0) -> None:
        """End the thread after the work in progress; wait at most `timeout` [s]."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._node.get_logger().warning(
                f"{self._thread.name} did not finish within {timeout:g} s; its result is discarded"
            )

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stop.is_set():
                return
            with self._lock:
                self.pending_ns, self._woken_ns = self._woken_ns, 0
            try:
                self._work()
            except Pi05Error as error:
                self.errors += 1
                self._node.get_logger().warning(str(error), throttle_duration_sec=2.0)
            except Exception:
                self.errors += 1
                self._node.get_logger().error(
                    f"{self._thread.name} failed:\n{traceback.format_exc()}",
                    throttle_duration_sec=2.0,
                )
            with self._lock:
                self.pending_ns = self._woken_ns
            self._on_done()
