"""Command interfaces of the mock home's grippers, by the kind that the platform gives."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from control_msgs.action import FollowJointTrajectory, ParallelGripperCommand
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.controller_actions import gripper_command_type
from pi05_ros.nodes.mock_home.goals import GoalTracker
from pi05_ros.platforms.platform import Group
from pi05_ros.sim.controllers.goals import GripperResult
from pi05_ros.sim.simulation import Simulation

_FROM_TOPIC = "from the topic"  # Id of a goal that came as a message; nobody awaits its result.


class GripperInterface:
    """Action or topic of one gripper.

    Raises:
        ConfigError: control_msgs was built without the type of the action.
    """

    def __init__(self, node: Node, group: Group, simulation: Simulation) -> None:
        self._node = node
        self._simulation = simulation
        self._gripper = simulation.manager.grippers[group.controller.name]
        self._witness = simulation.manager.witnesses[group.controller.name]
        self._name, self._kind = group.controller.command_name, group.controller.kind
        self._action: Any = None
        self._goals: GoalTracker | None = None
        self._group = group
        if not group.controller.is_action:
            is_array = self._kind == "forward_position"
            node.create_subscription(
                Float64MultiArray if is_array else JointTrajectory,
                self._name,
                self._on_array if is_array else self._on_trajectory,
                qos.CONTROLLER_INPUT,
            )
            return
        if self._kind == "gripper_command":
            self._action = gripper_command_type(group)
        else:
            parallel = self._kind == "parallel_gripper"
            self._action = ParallelGripperCommand if parallel else FollowJointTrajectory
        self._goals = GoalTracker(
            node,
            self._action,
            self._name,
            self._check_goal,
            self._start_goal,
            self._cancel_goal,
        )

    def publish(self, now_ns: int) -> None:
        """Send results. Called by the physics thread after each tick."""
        with self._simulation.lock:
            results = self._gripper.take_results()
        for result in results:
            if self._goals is not None:
                self._goals.end(result.goal, result.outcome, self._result(result))

    def destroy(self) -> None:
        """Destroy the action server."""
        if self._goals is not None:
            self._goals.destroy()

    def _on_array(self, message: Float64MultiArray) -> None:
        self._take(self._joint(message.data))

    def _on_trajectory(self, message: JointTrajectory) -> None:
        self._take(self._joint(_last(message)))

    def _take(self, positions: list[float]) -> None:
        reason = self._check(positions)
        if not reason:
            with self._simulation.lock:
                self._gripper.start_goal(_FROM_TOPIC, positions, self._simulation.now_ns)
            return
        self._node.get_logger().error(
            f"{self._name}: command rejected: {reason}", throttle_duration_sec=1.0
        )

    def _positions(self, request: Any) -> list[float]:
        """Return the joint positions [m or rad] that a goal asks for."""
        if self._kind == "gripper_command":
            return self._joint([request.command.position])
        if self._kind == "parallel_gripper":
            return self._joint(request.command.position)
        return self._joint(_last(request.trajectory))

    def _joint(self, commands: Sequence[float]) -> list[float]:
        return [self._group.gripper_joint(command) for command in commands]

    def _check(self, positions: Sequence[float]) -> str:
        with self._simulation.lock:
            self._witness.gripper(list(positions))
            reason = self._gripper.check(list(positions))
            if reason:
                self._witness.rejection(reason)
        return reason

    def _check_goal(self, request: Any) -> str:
        return self._check(self._positions(request))

    def _start_goal(self, goal: Hashable, request: Any) -> None:
        with self._simulation.lock:
            self._gripper.start_goal(goal, self._positions(request), self._simulation.now_ns)

    def _cancel_goal(self, goal: Hashable) -> bool:
        with self._simulation.lock:
            return self._gripper.cancel_goal(goal)

    def _result(self, result: GripperResult) -> Any:
        if self._kind == "follow_joint_trajectory":
            return FollowJointTrajectory.Result()
        message = self._action.Result(stalled=result.stalled, reached_goal=result.reached_goal)
        if result.position is None:
            return message
        if self._kind == "gripper_command":
            message.position = float(result.position)
        else:
            # As the real controller: no joint name, and an effort of 0.
            message.state = JointState(position=[result.position], effort=[0.0])
        return message


def _last(trajectory: JointTrajectory) -> list[float]:
    """Return the positions of a trajectory's last point; none of an empty one."""
    return list(trajectory.points[-1].positions) if trajectory.points else []
