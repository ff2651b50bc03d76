"""A robot without physics, with its drivers and controllers as topics, and faults of both.

Measurements follow commands at once unless a fault is switched on. All attributes below may be
changed at any time and apply from the next measurement on.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from control_msgs.action import ParallelGripperCommand
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.action import ActionServer
from rclpy.node import Node
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import float_array, ns_to_time
from pi05_ros.platforms.platform import Group, Platform
from system.threads import Rhythm
from system.witness import Command, Witness


class FakeRobot:
    """Joint states, odometry, and a witness on every command.

    Attributes:
        witness: Commands that reached the controllers.
        clock_offset_ns: Added to the system's time for every stamp [ns]: a clock that stepped.
        silent_joints: Whether joint states are withheld.
        silent_odometry: Whether odometry is withheld.
        reversed_odometry: Whether odometry has the wrong sign.
        frozen: Whether joints ignore commands.
        errors: Joint name -> error of its measurement [rad or m].
        defect: Changes each joint state before it is sent; None: nothing.
        joints_sent_ns: When the last joint state was sent (steady).
    """

    def __init__(self, node: Node, platform: Platform, rate_hz: float = 100.0) -> None:
        self.node = node
        self.platform = platform
        self.witness = Witness(platform)
        self.clock_offset_ns = 0
        self.silent_joints = False
        self.silent_odometry = False
        self.reversed_odometry = False
        self.frozen = False
        self.errors: dict[str, float] = {}
        self.defect: Callable[[JointState], JointState] | None = None
        self.joints_sent_ns = 0
        self._lock = threading.Lock()  # The executor takes commands, the rhythm measures.
        self._positions = home_positions(platform)
        self._listen(platform)
        self._joints = node.create_publisher(
            JointState, platform.joint_states_topic, qos.DRIVER_OUTPUT
        )
        self._odometry = node.create_publisher(Odometry, platform.odom_topic, qos.DRIVER_OUTPUT)
        self._rhythm = Rhythm("robot", 1.0 / rate_hz, self._measure)

    def now_ns(self) -> int:
        """Return the robot's time: the system's, with its offset [ns]."""
        return time.time_ns() + self.clock_offset_ns

    def measured(self) -> Mapping[str, float]:
        """Return position [rad or m] by joint name, as it is published."""
        with self._lock:
            return {n: p + self.errors.get(n, 0.0) for n, p in self._positions.items()}

    def close(self) -> None:
        """Stop publishing."""
        self._rhythm.close()

    def _listen(self, platform: Platform) -> None:
        self._entities: list[Any] = []
        for group in platform.groups:
            name = group.controller.command_name
            if group.kind == "parallel_gripper":
                execute = functools.partial(self._on_gripper, group)
                server = ActionServer(self.node, ParallelGripperCommand, name, execute)
                self._entities.append(server)
                continue
            kind = JointTrajectory if group.kind == "joint_trajectory" else TwistStamped
            take = self._on_trajectory if group.kind == "joint_trajectory" else self._on_twist

            def callback(message: Any, info: Any, take: Any = take, group: Group = group) -> None:
                take(group, message, info)

            # rclpy's annotation lacks the form with the message's info.
            untyped: Any = callback
            self._entities.append(
                self.node.create_subscription(kind, name, untyped, qos.CONTROLLER_INPUT)
            )

    def _on_trajectory(self, group: Group, message: JointTrajectory, info: Any) -> None:
        values = np.array(message.points[-1].positions)
        stamp = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        wanted = [d.joint_name for d in group.dimensions]
        ordered = np.full(len(wanted), math.nan)
        for name, value in zip(message.joint_names, values, strict=True):
            ordered[wanted.index(name)] = value
        self.witness.add(group.name, Command(*_arrival(info), stamp, ordered))
        with self._lock:
            if not self.frozen:
                self._positions.update(zip(message.joint_names, values.tolist(), strict=True))

    def _on_twist(self, group: Group, message: TwistStamped, info: Any) -> None:
        twist = message.twist
        values = np.array([twist.linear.x, twist.linear.y, twist.angular.z])
        stamp = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        self.witness.add(group.name, Command(*_arrival(info), stamp, values))

    def _on_gripper(self, group: Group, goal: Any) -> Any:
        (position,) = goal.request.command.position
        self.witness.gripper_goals.append((time.monotonic_ns(), group.name, position))
        with self._lock:
            self._positions[group.dimensions[0].joint_name] = position
        goal.succeed()
        return ParallelGripperCommand.Result(reached_goal=True)

    def _measure(self) -> None:
        """Publish one set of measurements."""
        stamp = ns_to_time(self.now_ns())
        if not self.silent_joints:
            measured = self.measured()
            joints = JointState(
                name=list(measured), position=float_array(np.array(list(measured.values())), "d")
            )
            joints.header.stamp = stamp
            if self.defect is not None:
                joints = self.defect(joints)
            self.joints_sent_ns = time.monotonic_ns()
            self._joints.publish(joints)
        if not self.silent_odometry:
            odometry = Odometry()
            odometry.header.stamp = stamp
            base = self.witness.base
            if base and self.witness.base_speed(time.monotonic_ns()) > 0:
                twist = odometry.twist.twist
                values = -base[-1].values if self.reversed_odometry else base[-1].values
                twist.linear.x, twist.linear.y, twist.angular.z = values.tolist()
            self._odometry.publish(odometry)


def home_positions(platform: Platform) -> dict[str, float]:
    """Return positions of the home pose by joint name [rad or m]."""
    positions = {}
    for group in platform.groups:
        for dimension in group.dimensions:
            if dimension.is_velocity:
                continue
            value = dimension.home
            if group.kind == "parallel_gripper":
                value = group.joint_closed + value * (group.joint_open - group.joint_closed)
            positions[dimension.joint_name] = value
    return positions


def _arrival(info: Any) -> tuple[int, int]:
    """Return when DDS received a message (steady clock, ns), and its publication number.

    The callback runs later than that, by as much as the harness is busy.
    """
    waited = time.time_ns() - info["received_timestamp"]
    return time.monotonic_ns() - max(0, waited), info["publication_sequence_number"]
