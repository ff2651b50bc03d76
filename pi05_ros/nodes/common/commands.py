"""Commands to the controllers of a platform."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from control_msgs.action import ParallelGripperCommand
from geometry_msgs.msg import TwistStamped
from rclpy.action import ActionClient
from rclpy.node import Node
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import float_array, seconds_to_duration
from pi05_ros.platforms.platform import Group, Platform

# A gripper goal is sent when the target moved by this share of the stroke, at most 10 times a
# second: each new goal cancels the previous one (parallel_gripper_action_controller).
_GRIPPER_DEADBAND = 0.02
GRIPPER_PERIOD = 0.1  # [s]


class CommandSender:
    """Publishers and action clients for every controller of a platform.

    Joint trajectories: one point, stamp 0, one period ahead, so that the controller moves from its
    last command to this one until the next arrives (it needs interpolate_from_desired_state).
    Base: TwistStamped in the base frame, stamped now. Grippers: see `send_grippers`.

    Args:
        node: Owns publishers and clients.
        platform: The robot.
    """

    def __init__(self, node: Node, platform: Platform) -> None:
        self._node, self._platform = node, platform
        # One message a controller, filled at every tick: creating one costs more.
        self._trajectories: list[tuple[Any, slice, JointTrajectory]] = []
        self._grippers: list[tuple[Group, int, ActionClient]] = []
        self._bases: list[tuple[Any, TwistStamped]] = []
        for group in platform.groups:
            part = platform.slices[group.name]
            topic = group.controller.command_name
            if group.kind == "joint_trajectory":
                publisher = node.create_publisher(JointTrajectory, topic, qos.COMMAND)
                self._trajectories.append((publisher, part, _one_point(group, platform.period)))
            elif group.kind == "parallel_gripper":
                client = ActionClient(node, ParallelGripperCommand, topic)
                self._grippers.append((group, part.start, client))
            else:
                publisher = node.create_publisher(TwistStamped, topic, qos.COMMAND)
                twist = TwistStamped()
                twist.header.frame_id = platform.base_frame
                self._bases.append((publisher, twist))
        self._sent_gripper_targets: dict[str, float] = {}
        self._gripper_targets: dict[str, float] = {}

    def send(self, command: np.ndarray, starts_grippers: bool = False) -> None:
        """Send a command to arms, torso and base, and store the targets of the grippers.

        Args:
            command: (D,) float64, platform units.
            starts_grippers: True if it comes from a chunk. Before the first such command grippers
                get no goal: one at the measured width would drop a held object.
        """
        for publisher, part, trajectory in self._trajectories:
            trajectory.points[0].positions = float_array(command[part], "d")
            publisher.publish(trajectory)
        self._send_base(command)
        for group, index, _ in self._grippers:
            if starts_grippers or group.name in self._gripper_targets:
                self._gripper_targets[group.name] = float(command[index])

    def _send_base(self, command: np.ndarray) -> None:
        for publisher, message in self._bases:
            message.header.stamp = self._node.get_clock().now().to_msg()
            linear, angular = message.twist.linear, message.twist.angular
            linear.x, linear.y, angular.z = self._platform.base_twist(command).tolist()
            publisher.publish(message)

    def send_grippers(self) -> list[str]:
        """Send a goal to each gripper whose target moved; called every GRIPPER_PERIOD.

        Returns:
            Names of required action servers that are not available.
        """
        absent = []
        for group, _, client in self._grippers:
            wanted = self._gripper_targets.get(group.name)
            if wanted is None:
                continue
            if (
                abs(wanted - self._sent_gripper_targets.get(group.name, math.inf))
                < _GRIPPER_DEADBAND
            ):
                continue
            if not client.server_is_ready():
                absent.append(group.controller.command_name)
                continue
            position = group.joint_closed + wanted * (group.joint_open - group.joint_closed)
            goal = ParallelGripperCommand.Goal(
                command=JointState(name=[group.dimensions[0].joint_name], position=[position])
            )
            if group.max_effort > 0:
                goal.command.effort = [group.max_effort]
            answer = client.send_goal_async(goal)
            answer.add_done_callback(functools.partial(self._on_gripper_answer, group))
            self._sent_gripper_targets[group.name] = wanted
        return absent

    def _on_gripper_answer(self, group: Group, answer: Any) -> None:
        """Log a rejected gripper goal, and send it again in the next round."""
        if answer.cancelled() or answer.exception() is not None or answer.result().accepted:
            return
        self._sent_gripper_targets.pop(group.name, None)
        self._node.get_logger().warning(
            f"{group.controller.command_name} rejected a goal: the gripper does not move",
            throttle_duration_sec=5.0,
        )

    def unsubscribed_topics(self) -> list[str]:
        """Return the command topics of arms, torso and base without a subscriber."""
        publishers = [publisher for publisher, *_ in [*self._trajectories, *self._bases]]
        return [p.topic_name for p in publishers if p.get_subscription_count() == 0]

    def other_publishers(self) -> list[str]:
        """Return other publishers of the command topics, as "NODE publishes TOPIC".

        Publishers of this node's name do not count: discovery keeps those of a killed process.
        """
        own = (self._node.get_namespace(), self._node.get_name())
        found = []
        for publisher, *_ in [*self._trajectories, *self._bases]:
            topic = publisher.topic_name
            if self._node.count_publishers(topic) < 2:
                continue
            for info in self._node.get_publishers_info_by_topic(topic):
                if (info.node_namespace, info.node_name) != own:
                    found.append(f"{info.node_name} publishes {topic}")
        return found

    def clear_gripper_targets(self) -> None:
        """Drop the targets of the grippers; they keep holding what they hold."""
        self._gripper_targets.clear()
        self._sent_gripper_targets.clear()

    def destroy(self) -> None:
        """Destroy publishers and clients."""
        for publisher, *_ in [*self._trajectories, *self._bases]:
            self._node.destroy_publisher(publisher)
        for _, _, client in self._grippers:
            client.destroy()


def _one_point(group: Group, period: float) -> JointTrajectory:
    """Return a trajectory of one point, one period [s] ahead, without positions yet."""
    point = JointTrajectoryPoint(time_from_start=seconds_to_duration(period))
    names = [dimension.joint_name for dimension in group.dimensions]
    return JointTrajectory(joint_names=names, points=[point])
