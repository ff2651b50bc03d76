"""Publish frames on /tf and /tf_static."""

from __future__ import annotations

from collections.abc import Iterable

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage


class TransformBroadcaster:
    """Publishes where moving frames are.

    Args:
        node: The node that publishes.
        qos: Of /tf; depth 100 when None.
    """

    def __init__(self, node: Node, qos: QoSProfile | int | None = None) -> None:
        self.pub_tf = node.create_publisher(TFMessage, "/tf", qos or QoSProfile(depth=100))

    def sendTransform(self, transform: TransformStamped | Iterable[TransformStamped]) -> None:
        """Publishes one placement, or several in one message."""
        self.pub_tf.publish(TFMessage(transforms=_as_list(transform)))


class StaticTransformBroadcaster:
    """Publishes where frames are for ever; late subscribers get all of them.

    Args:
        node: The node that publishes.
        qos: Of /tf_static; depth 1, transient local when None.
    """

    def __init__(self, node: Node, qos: QoSProfile | int | None = None) -> None:
        transient = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.pub_tf = node.create_publisher(TFMessage, "/tf_static", qos or transient)
        self._placements: dict[str, TransformStamped] = {}

    def sendTransform(self, transform: TransformStamped | Iterable[TransformStamped]) -> None:
        """Publishes placements together with all that were sent before.

        As in tf2, the first placement of a frame stays.
        """
        for placement in _as_list(transform):
            self._placements.setdefault(placement.child_frame_id, placement)
        self.pub_tf.publish(TFMessage(transforms=list(self._placements.values())))


def _as_list(transform: TransformStamped | Iterable[TransformStamped]) -> list[TransformStamped]:
    return [transform] if isinstance(transform, TransformStamped) else list(transform)
