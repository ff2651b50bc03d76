"""Ticker of the control bridge: one call a period.

On a robot it follows the steady clock, never a ROS timer: rclpy timers follow the ROS clock, and a
backward step of system time would stall them. In a mock home it follows simulated time, so that
commands keep their rate in simulated time at any speed of the simulation: the tick then runs while
/clock is taken, in the executor's thread, and the ticker's own thread only checks that the clock
advances.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from rclpy.clock import ClockType, TimeJump
from rclpy.node import Node

from pi05_ros.nodes.common.robot_timer import call_when_time_moves

# Above the middle of the range, below the kernel's own threads.
_TICKER_PRIORITY = 50
# Priority of the other threads in the ticker's process. A tick needs the GIL: while the thread
# that holds it waits for a processor, the tick waits as well, at any priority of its own.
PROCESS_PRIORITY = 40


class Ticker:
    """Calls `tick(now_ns)` once a period until it is stopped; `start` starts it.

    Args:
        node: Node whose clock the ticks follow.
        period: Period [s].
        tick: Called with the node's time [ns]. Must not raise.
        clock_lost: Called each period of wall time while simulated time stands still.
        clock_timeout_s: Time without /clock after which it counts as stopped [s, wall].

    Attributes:
        ticks: Number of calls.
        missed: Number of periods without a call.
        realtime: True if the thread got real-time priority.
    """

    def __init__(
        self,
        node: Node,
        period: float,
        tick: Callable[[int], None],
        clock_lost: Callable[[], None] | None = None,
        clock_timeout_s: float = 0.2,
    ) -> None:
        self.ticks = 0
        self.missed = 0
        self.realtime = False
        self._node = node
        self._period_ns = round(period * 1e9)
        self._tick = tick
        self._clock_lost = clock_lost
        self._clock_timeout = clock_timeout_s
        self._stop = threading.Event()
        self._last_index: int | None = None  # Period of simulated time of the last tick.
        self._advanced_at = 0.0  # Time of the last advance of simulated time [s, steady].
        self._jump_handle = None
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        """Start ticking."""
        self._advanced_at = time.monotonic()
        if self._simulated:
            self._jump_handle = call_when_time_moves(self._node.get_clock(), self._time_moved)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after a tick in progress."""
        self._stop.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)
        if self._jump_handle is not None:
            self._jump_handle.unregister()
            self._jump_handle = None

    @property
    def _simulated(self) -> bool:
        clock = self._node.get_clock()
        return clock.clock_type == ClockType.ROS_TIME and clock.ros_time_is_active

    @property
    def clock_stands_still(self) -> bool:
        """True if simulated time has not advanced for `clock_timeout_s`."""
        return time.monotonic() - self._advanced_at > self._clock_timeout

    def _time_moved(self, jump: TimeJump) -> None:
        """Tick when simulated time enters a new period. Called while /clock is taken."""
        self._advanced_at = time.monotonic()
        now = self._node.get_clock().now().nanoseconds
        index, last = now // self._period_ns, self._last_index
        if index == last or self._stop.is_set():
            return
        if last is not None and index > last:
            self.missed += index - last - 1
        self._last_index = index
        self._tick(now)
        self.ticks += 1

    def _run(self) -> None:
        self.realtime = request_realtime(_TICKER_PRIORITY)
        if self._jump_handle is not None:
            self._watch_clock()
        else:
            self._run_steady()

    def _run_steady(self) -> None:
        due = time.monotonic_ns() + self._period_ns
        while not self._stop.wait(max(0, due - time.monotonic_ns()) * 1e-9):
            self._tick(self._node.get_clock().now().nanoseconds)
            self.ticks += 1
            due += self._period_ns
            late = time.monotonic_ns() - due
            if late > 0:
                # Too late for the next one: skip whole periods rather than send a burst.
                skipped = late // self._period_ns + 1
                self.missed += skipped
                due += skipped * self._period_ns

    def _watch_clock(self) -> None:
        """Call `clock_lost` once a period while simulated time stands still."""
        delay = self._clock_timeout
        while not self._stop.wait(delay):
            delay = self._advanced_at + self._clock_timeout - time.monotonic()
            if delay <= 0:
                delay = self._period_ns * 1e-9
                if self._clock_lost is not None:
                    self._clock_lost()


def request_realtime(priority: int) -> bool:
    """Request SCHED_FIFO for the calling thread and the threads that it starts later.

    It needs root, rtprio or CAP_SYS_NICE.

    Args:
        priority: 1 to 99.

    Returns:
        True if it was granted.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except (AttributeError, PermissionError, OSError):
        return False
    return True
