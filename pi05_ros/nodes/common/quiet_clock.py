"""Simulated time for a node that rests: looked at now and then, instead of at every tick."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from pi05_ros.nodes.common.by_hand import ByHand

_CLOCK_TOPIC = "/clock"


class QuietClock:
    """Lets a node's time come by hand while it rests, and by the executor while it works.

    rclpy wakes a node for every tick of /clock, for nothing. On a robot, without simulated time,
    there is nothing to do and nothing is done. All methods are called in the executor's thread.

    Args:
        node: Whose time.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._by_hand = ByHand()
        # rclpy makes the tap in the node's constructor and keeps it; taken by hand, it is not
        # among `node.subscriptions`.
        self._taps = [tap for tap in node.subscriptions if tap.topic_name == _CLOCK_TOPIC]

    def look(self) -> None:
        """Rests: brings the node's time up to now, and leaves it there until the next look.

        Callbacks for jumps of time are called from here.
        """
        for tap in self._taps:
            self._move(tap, self._by_hand)
            while (taken := tap.handle.take_message(tap.msg_type, tap.raw)) is not None:
                tap.callback(taken[0])

    def wake(self) -> None:
        """Time comes by itself from now on. Begins with the executor's next round."""
        for tap in self._taps:
            self._move(tap, self._node.default_callback_group)

    def _move(self, tap: Any, group: CallbackGroup) -> None:
        """Puts a subscription into a group, with its events, which wake on unread messages."""
        if tap.callback_group is group:
            return
        for entity in (tap, *tap.event_handlers):
            entity.callback_group = group
        if self._node.executor is not None:
            self._node.executor.wake()  # It looks anew at what the node has.
