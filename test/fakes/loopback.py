"""A robot without physics: commands return as measurements. Faults can be switched on."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

from builtin_interfaces.msg import Time
from control_msgs.action import FollowJointTrajectory, ParallelGripperCommand
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.action import ActionServer, GoalResponse
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from system.robot import home_positions
from trajectory_msgs.msg import JointTrajectory

from pi05_ros.platforms.platform import Group, Platform

_TYPES = {
    "joint_trajectory": JointTrajectory,
    "follow_joint_trajectory": FollowJointTrajectory,
    "forward_position": Float64MultiArray,
    "parallel_gripper": ParallelGripperCommand,
    "base_velocity": TwistStamped,
    "base_twist": Twist,
}


class LoopbackRobot:
    """Publishes joint states and odometry, and keeps every command that it receives.

    Args:
        node: Owns the topics.
        platform: The robot.
        rate_hz: Of the measurements.
        kinds: Group name -> message or action class that its controller takes instead; None: the
            group has no controller.
    """

    def __init__(
        self,
        node: Node,
        platform: Platform,
        rate_hz: float = 50.0,
        kinds: Mapping[str, Any] | None = None,
    ) -> None:
        self.node = node
        self.platform = platform
        self.trajectories: list[JointTrajectory] = []
        self.twists: list[TwistStamped] = []
        self.plain_twists: list[Twist] = []
        self.arrays: dict[str, list[list[float]]] = {}  # By group.
        self.goals: dict[str, list[Any]] = {}  # By group.
        self.accepts = True
        self.nan_joint: str | None = None
        self.silent = False
        self.positions = home_positions(platform)
        self._servers: list[ActionServer] = []  # rclpy keeps no reference of its own.
        for group in platform.groups:
            kind = {group.name: _TYPES.get(group.controller.kind), **(kinds or {})}[group.name]
            if kind is not None:
                self.control(group, kind)
        self._joints = {
            topic: node.create_publisher(JointState, topic, 10)
            for topic in platform.joint_states_topics
        }
        self._odometry = node.create_publisher(Odometry, platform.odom_topic, 10)
        node.create_timer(1.0 / rate_hz, self.publish)

    def control(self, group: Group, kind: Any) -> None:
        """Create the controller of a group: a subscription or an action server of `kind`."""
        name = group.controller.command_name
        if hasattr(kind, "Goal"):
            self._servers.append(self._server(group, kind, name))
            return
        callbacks = {
            JointTrajectory: functools.partial(self._on_trajectory, group),
            TwistStamped: self._on_twist,
            Twist: self.plain_twists.append,
            Float64MultiArray: functools.partial(self._on_array, group),
        }
        self.node.create_subscription(kind, name, callbacks[kind], 10)

    def _server(self, group: Group, kind: Any, name: str) -> ActionServer:
        def execute(handle: Any) -> Any:
            self.goals.setdefault(group.name, []).append(handle.request)
            if kind is FollowJointTrajectory:
                self._on_trajectory(group, handle.request.trajectory)
            handle.succeed()
            return kind.Result()

        def answer(_: Any) -> GoalResponse:
            return GoalResponse.ACCEPT if self.accepts else GoalResponse.REJECT

        return ActionServer(self.node, kind, name, execute, goal_callback=answer)

    def _on_array(self, group: Group, message: Float64MultiArray) -> None:
        values = message.data.tolist()
        self.arrays.setdefault(group.name, []).append(values)
        names = [dimension.joint_name for dimension in group.dimensions]
        self.positions.update(zip(names, values, strict=True))

    def publish(self) -> None:
        """Publish one set of measurements."""
        if self.silent:
            return
        stamp: Time = self.node.get_clock().now().to_msg()
        sent = {**self.positions, **({self.nan_joint: math.nan} if self.nan_joint else {})}
        published: set[str] = set()
        for topic, publisher in self._joints.items():
            own = [d for d in self.platform.joints_on(topic) if d.joint_name not in published]
            published |= {d.joint_name for d in own}
            joints = JointState(
                name=[d.driver_joint_name for d in own],
                position=[sent[d.joint_name] for d in own],
            )
            joints.header.stamp = stamp
            publisher.publish(joints)
        odometry = Odometry()
        odometry.header.stamp = stamp
        if self.twists:
            odometry.twist.twist = self.twists[-1].twist
        if self.plain_twists:
            odometry.twist.twist = self.plain_twists[-1]
        self._odometry.publish(odometry)

    def _on_trajectory(self, group: Group, message: JointTrajectory) -> None:
        self.trajectories.append(message)
        names = {d.driver_joint_name: d.joint_name for d in group.dimensions}
        for name, position in zip(message.joint_names, message.points[-1].positions, strict=True):
            self.positions[names[name]] = position

    def _on_twist(self, message: TwistStamped) -> None:
        self.twists.append(message)
