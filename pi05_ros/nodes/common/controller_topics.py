"""Controllers that take messages of a topic: trajectories, positions, base velocities."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
from geometry_msgs.msg import Twist, TwistStamped
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.controller_checks import Offer, topic_offer
from pi05_ros.nodes.common.conversions import float_array, seconds_to_duration
from pi05_ros.platforms.platform import Group, Platform


class TopicOutput:
    """Publisher of one controller's commands.

    The message is made once and filled at every tick: creating one costs more.

    Attributes:
        group: What the controller moves.
    """

    def __init__(self, node: Node, group: Group, kind: Any) -> None:
        self.group = group
        self._node, self._kind = node, kind
        self._publisher = node.create_publisher(kind, group.controller.command_name, qos.COMMAND)

    @property
    def name(self) -> str:
        """Absolute name of the topic."""
        return self._publisher.topic_name

    @property
    def connected(self) -> bool:
        """True if a subscription receives the commands."""
        return self.matched > 0

    @property
    def problem(self) -> str:
        """Why the controller does not execute its commands: a topic gives no answer."""
        return ""

    @property
    def matched(self) -> int:
        """Number of subscriptions that receive the commands."""
        return self._publisher.get_subscription_count()

    def send(self, values: np.ndarray) -> None:
        """Publish a command (D,): positions [rad or m] of joints, or base velocities."""
        raise NotImplementedError

    def offer(self) -> Offer:
        """Return who listens, and to which type."""
        return topic_offer(self._node, self.name, self._kind)

    def other_publishers(self) -> list[str]:
        """Return other publishers of the topic, as "NODE publishes TOPIC".

        Publishers of this node's name do not count: discovery keeps those of a killed process.
        """
        if self._node.count_publishers(self.name) < 2:
            return []
        own = (self._node.get_namespace(), self._node.get_name())
        return [
            f"{info.node_name} publishes {self.name}"
            for info in self._node.get_publishers_info_by_topic(self.name)
            if (info.node_namespace, info.node_name) != own
        ]

    def destroy(self) -> None:
        """Destroy the publisher."""
        self._node.destroy_publisher(self._publisher)


class TrajectoryOutput(TopicOutput):
    """Trajectories of one point, stamp 0, one period ahead.

    The controller moves from its last command to this one until the next arrives (it needs
    interpolate_from_desired_state).
    """

    def __init__(self, node: Node, group: Group, period: float) -> None:
        super().__init__(node, group, JointTrajectory)
        self._message = one_point(group, period)

    def send(self, values: np.ndarray) -> None:
        """Publish joint positions (D,) [rad or m]."""
        self._message.points[0].positions = float_array(values, "d")
        self._publisher.publish(self._message)


class ForwardOutput(TopicOutput):
    """Arrays of positions in the order of the group's joints, as forward_command_controller."""

    def __init__(self, node: Node, group: Group) -> None:
        super().__init__(node, group, Float64MultiArray)
        self._message = Float64MultiArray()

    def send(self, values: np.ndarray) -> None:
        """Publish joint positions (D,) [rad or m]."""
        self._message.data = array.array("d", values.tolist())
        self._publisher.publish(self._message)


class BaseOutput(TopicOutput):
    """Base velocities in the base frame: TwistStamped with the present time, or Twist."""

    def __init__(self, node: Node, group: Group, base_frame: str) -> None:
        stamped = group.controller.kind == "base_velocity"
        super().__init__(node, group, TwistStamped if stamped else Twist)
        self._stamped = TwistStamped() if stamped else None
        self._twist = Twist() if self._stamped is None else self._stamped.twist
        if self._stamped is not None:
            self._stamped.header.frame_id = base_frame

    def send(self, values: np.ndarray) -> None:
        """Publish vx, vy [m/s], wz [rad/s], or vx and wz of a base that cannot move sideways."""
        vx, *vy, wz = values.tolist()
        self._twist.linear.x, self._twist.angular.z = vx, wz
        self._twist.linear.y = vy[0] if vy else 0.0
        if self._stamped is None:
            self._publisher.publish(self._twist)
            return
        self._stamped.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(self._stamped)


def one_point(group: Group, period: float) -> JointTrajectory:
    """Return a trajectory of one point, one period [s] ahead, without positions yet."""
    point = JointTrajectoryPoint(time_from_start=seconds_to_duration(period))
    names = [dimension.driver_joint_name for dimension in group.dimensions]
    return JointTrajectory(joint_names=names, points=[point])


def topic_output(node: Node, group: Group, platform: Platform, period: float) -> TopicOutput:
    """Create the output of a group whose controller takes messages.

    Args:
        node: Owns the publisher.
        group: The group.
        platform: Its robot.
        period: Time between two commands [s].
    """
    if group.kind == "base_velocity":
        return BaseOutput(node, group, platform.base_frame)
    if group.controller.kind == "forward_position":
        return ForwardOutput(node, group)
    return TrajectoryOutput(node, group, period)
