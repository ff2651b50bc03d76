"""Timer in the robot's time: simulated or steady."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock, JumpHandle, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.node import Node


class RobotTimer:
    """Calls back once a period of simulated time in a simulation, else of the steady clock.

    In a simulation the callback runs while /clock is taken, in the executor's thread and in the
    order of messages: everything that arrived before that tick has been taken. rclpy's timers are
    not used there: EventsExecutor calls a timer twice when two ticks of /clock are taken at once,
    and the next call is then late by a period.

    Args:
        node: Node whose clock is used.
        period: Period [s].
        callback: Must not raise, and must not open or close a RobotTimer.
        steady_clock: Clock of a node without simulated time.
    """

    def __init__(
        self, node: Node, period: float, callback: Callable[[], None], steady_clock: Clock
    ) -> None:
        self._node = node
        self._callback = callback
        self._period_ns = round(period * 1e9)
        self._clock = node.get_clock()
        self._due_ns = 0  # Simulated time of the next call [ns]; 0: with the next tick.
        self._jumps = self._timer = None
        if self._clock.ros_time_is_active:
            self._jumps = call_when_time_moves(self._clock, self._on_jump)
        else:
            self._timer = node.create_timer(period, callback, clock=steady_clock)

    def close(self) -> None:
        """Stop the timer."""
        if self._jumps is not None:
            self._jumps.unregister()
            self._jumps = None
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None

    def _on_jump(self, jump: TimeJump) -> None:
        now_ns = self._clock.now().nanoseconds
        if now_ns < self._due_ns - self._period_ns:
            self._due_ns = now_ns  # Time has jumped back.
        if now_ns < self._due_ns:
            return
        self._due_ns += self._period_ns
        if self._due_ns <= now_ns:  # The first call, or some were missed.
            self._due_ns = now_ns + self._period_ns
        self._callback()


def call_when_time_moves(clock: Clock, callback: Callable[[TimeJump], None]) -> JumpHandle:
    """Call back whenever simulated time moves, forward or backward, while /clock is taken.

    Returns:
        Handle whose `unregister` ends the calls.
    """
    every = JumpThreshold(
        min_forward=Duration(nanoseconds=1),
        min_backward=Duration(nanoseconds=-1),
        on_clock_change=True,
    )
    return clock.create_jump_callback(every, post_callback=callback)
