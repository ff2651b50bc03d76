"""Controllers that take goals of an action: trajectories and grippers.

Everything here runs in the executor's thread: an answer must not arrive before its request is
noted.
"""

from __future__ import annotations

import time
from typing import Any

import control_msgs.action
import numpy as np
from control_msgs.action import FollowJointTrajectory, ParallelGripperCommand
from rclpy.action import ActionClient
from rclpy.node import Node
from sensor_msgs.msg import JointState

from pi05_ros.errors import ConfigError
from pi05_ros.nodes.common.controller_checks import Offer, action_offer
from pi05_ros.nodes.common.controller_topics import one_point
from pi05_ros.platforms.platform import Group

_ANSWER_LIMIT = 1.0  # A goal without an answer for longer than this is given up [s, wall].


class ActionOutput:
    """Client of one controller's action.

    Attributes:
        group: What the controller moves.
        rejected: The controller rejected the last goal.
    """

    def __init__(self, node: Node, group: Group, kind: Any) -> None:
        self.group = group
        self.rejected = False
        self._node, self._kind = node, kind
        self.name = group.controller.command_name
        self._client = ActionClient(node, kind, self.name)
        self._asked: float | None = None  # When the last goal without an answer was sent [s].
        self._unanswered: float | None = None  # When the first one was; None: all have answers.

    @property
    def connected(self) -> bool:
        """True if the client has found a server of its type."""
        return bool(self._client.server_is_ready())

    @property
    def waits(self) -> bool:
        """True while the last goal has no answer."""
        return self._asked is not None and time.monotonic() - self._asked < _ANSWER_LIMIT

    @property
    def problem(self) -> str:
        """Why the controller does not execute its goals, as one clause; empty if it does."""
        if self.rejected:
            return f"{self.name} rejected the last goal: see the log of its controller"
        if self._unanswered is not None and time.monotonic() - self._unanswered > _ANSWER_LIMIT:
            return f"{self.name} does not answer goals: check its controller"
        return ""

    def forget(self) -> None:
        """Discard what the last goals met, as when the robot is disarmed."""
        self.rejected = False
        self._asked = self._unanswered = None

    def send(self, position: np.ndarray) -> None:
        """Send a goal (D,): positions [rad or m] of the group's joints."""
        self._asked = time.monotonic()
        if self._unanswered is None:
            self._unanswered = self._asked
        answer = self._client.send_goal_async(self._goal(position))
        answer.add_done_callback(self._on_answer)

    def offer(self) -> Offer:
        """Return whether the action is served, and the types under its name."""
        return action_offer(self._node, self.name, self._kind, self.connected)

    def destroy(self) -> None:
        """Destroy the client."""
        self._client.destroy()

    def _goal(self, position: np.ndarray) -> Any:
        raise NotImplementedError

    def _on_answer(self, answer: Any) -> None:
        self._asked = self._unanswered = None
        if answer.cancelled() or answer.exception() is not None:
            return
        self.rejected = not answer.result().accepted


class TrajectoryActionOutput(ActionOutput):
    """Trajectories of one point, one period of the goals ahead.

    A goal replaces the one before. The next is sent once the last was answered, so that a slow
    server gets fewer of them rather than a queue.
    """

    def __init__(self, node: Node, group: Group, period: float) -> None:
        super().__init__(node, group, FollowJointTrajectory)
        self._trajectory = one_point(group, period)

    def _goal(self, position: np.ndarray) -> FollowJointTrajectory.Goal:
        self._trajectory.points[0].positions = position.tolist()
        return FollowJointTrajectory.Goal(trajectory=self._trajectory)


class ParallelGripperOutput(ActionOutput):
    """Goals of parallel_gripper_action_controller."""

    def __init__(self, node: Node, group: Group) -> None:
        super().__init__(node, group, ParallelGripperCommand)

    def _goal(self, position: np.ndarray) -> ParallelGripperCommand.Goal:
        names = [self.group.dimensions[0].driver_joint_name]
        goal = ParallelGripperCommand.Goal(
            command=JointState(name=names, position=position.tolist())
        )
        if self.group.max_effort > 0:
            goal.command.effort = [self.group.max_effort]
        return goal


class GripperCommandOutput(ActionOutput):
    """Goals of gripper_action_controller and of drivers with the older GripperCommand.

    Raises:
        ConfigError: control_msgs was built without the type.
    """

    def __init__(self, node: Node, group: Group) -> None:
        super().__init__(node, group, gripper_command_type(group))

    def _goal(self, position: np.ndarray) -> Any:
        goal = self._kind.Goal()
        goal.command.position = float(position[0])
        goal.command.max_effort = float(self.group.max_effort)
        return goal


def gripper_command_type(group: Group) -> Any:
    """Return the class control_msgs/action/GripperCommand.

    Raises:
        ConfigError: control_msgs was built without it.
    """
    kind = getattr(control_msgs.action, "GripperCommand", None)
    if kind is None:
        raise ConfigError(
            f"{group.name}: kind gripper_command",
            "control_msgs has no action GripperCommand here: install the distribution's "
            "control_msgs, or let ./pi05 build the interfaces again",
        )
    return kind


def action_output(node: Node, group: Group, period: float) -> ActionOutput:
    """Create the output of a group whose controller takes goals.

    Args:
        node: Owns the client.
        group: The group.
        period: Time between two goals [s].

    Raises:
        ConfigError: The type of the action was not built.
    """
    if group.controller.kind == "follow_joint_trajectory":
        return TrajectoryActionOutput(node, group, period)
    if group.controller.kind == "gripper_command":
        return GripperCommandOutput(node, group)
    return ParallelGripperOutput(node, group)
