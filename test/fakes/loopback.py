"""A robot without physics: commands return as measurements. Faults can be switched on."""

from __future__ import annotations

import math

from builtin_interfaces.msg import Time
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import JointState
from system.robot import home_positions
from trajectory_msgs.msg import JointTrajectory

from pi05_ros.platforms.platform import Platform


class LoopbackRobot:
    """Publishes joint states and odometry, and keeps every command that it receives."""

    def __init__(self, node: Node, platform: Platform, rate_hz: float = 50.0) -> None:
        self.node = node
        self.platform = platform
        self.trajectories: list[JointTrajectory] = []
        self.twists: list[TwistStamped] = []
        self.nan_joint: str | None = None
        self.silent = False
        self.positions = home_positions(platform)
        for group in platform.groups:
            command = group.controller.command_name
            if group.kind == "joint_trajectory":
                node.create_subscription(JointTrajectory, command, self._on_trajectory, 10)
            elif group.kind == "base_velocity":
                node.create_subscription(TwistStamped, command, self._on_twist, 10)
        self._joints = node.create_publisher(JointState, platform.joint_states_topic, 10)
        self._odometry = node.create_publisher(Odometry, platform.odom_topic, 10)
        node.create_timer(1.0 / rate_hz, self.publish)

    def publish(self) -> None:
        """Publish one set of measurements."""
        if self.silent:
            return
        stamp: Time = self.node.get_clock().now().to_msg()
        joints = JointState(name=list(self.positions), position=list(self.positions.values()))
        if self.nan_joint:
            joints.position[list(self.positions).index(self.nan_joint)] = math.nan
        joints.header.stamp = stamp
        self._joints.publish(joints)
        odometry = Odometry()
        odometry.header.stamp = stamp
        if self.twists:
            odometry.twist.twist = self.twists[-1].twist
        self._odometry.publish(odometry)

    def _on_trajectory(self, message: JointTrajectory) -> None:
        self.trajectories.append(message)
        self.positions.update(zip(message.joint_names, message.points[-1].positions, strict=True))

    def _on_twist(self, message: TwistStamped) -> None:
        self.twists.append(message)
