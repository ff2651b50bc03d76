"""Simulated time for an idle node: /clock is polled now and then, instead of waking the node."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from pi05_ros.nodes.common.manual_take import ManualTakeGroup

_CLOCK_TOPIC = "/clock"


class PolledClock:
    """Takes /clock by polling while a node is idle, and through the executor while it works.

    rclpy wakes a node for every tick of /clock, also when the node has nothing to do. Without
    simulated time there is no subscription to /clock and both methods do nothing. All methods are
    called in the executor's thread.

    Args:
        node: Node whose clock is polled.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._manual_group = ManualTakeGroup()
        # rclpy creates this subscription in the node's constructor and keeps it. While it is
        # taken manually it is not among `node.subscriptions`.
        self._subscriptions = [s for s in node.subscriptions if s.topic_name == _CLOCK_TOPIC]

    def poll(self) -> None:
        """Take the pending /clock messages; the time then stays until the next call.

        Jump callbacks of the clock are called from here.
        """
        for clock in self._subscriptions:
            self._move(clock, self._manual_group)
            while (taken := clock.handle.take_message(clock.msg_type, clock.raw)) is not None:
                clock.callback(taken[0])

    def resume(self) -> None:
        """Let the executor take /clock again, from its next round on."""
        for clock in self._subscriptions:
            self._move(clock, self._node.default_callback_group)

    def _move(self, subscription: Any, group: CallbackGroup) -> None:
        """Put a subscription and its event handlers into a callback group.

        The event handlers move as well: they wake the executor for unread messages.
        """
        if subscription.callback_group is group:
            return
        for entity in (subscription, *subscription.event_handlers):
            entity.callback_group = group
        if self._node.executor is not None:
            self._node.executor.wake()  # The executor collects the node's entities anew.
