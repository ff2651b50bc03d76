"""Topics and actions of the mock home's controllers, as those of ros2_controllers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration, Time
from control_msgs.action import FollowJointTrajectory, ParallelGripperCommand
from control_msgs.msg import JointTrajectoryControllerState
from geometry_msgs.msg import TwistStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg
from trajectory_msgs.msg import JointTrajectoryPoint

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import float_array, ns_to_time
from pi05_ros.nodes.mock_home.goals import GoalTracker
from pi05_ros.platforms.platform import Group
from pi05_ros.sim.controllers.goals import CommandRejected, GripperResult, TrajectoryResult
from pi05_ros.sim.controllers.joint_trajectory import JointTrajectoryState
from pi05_ros.sim.controllers.spline import JointPoint
from pi05_ros.sim.controllers.trajectory import JointTrajectory
from pi05_ros.sim.simulation import Simulation

_FEEDBACK_NS = 50_000_000  # Period of action feedback (action_monitor_rate 20 Hz).


class TrajectoryInterface:
    """Topics and action of a joint_trajectory_controller: command, goal and state."""

    def __init__(self, node: Node, group: Group, simulation: Simulation) -> None:
        self._node = node
        self._simulation = simulation
        self._arm = simulation.manager.arms[group.controller.name]
        self._witness = simulation.manager.witnesses[group.controller.name]
        self._joints = list(self._arm.config.joints)
        self._topic = group.controller.command_name
        self._feedback_due_ns = 0
        node.create_subscription(
            JointTrajectoryMsg, self._topic, self._command, qos.CONTROLLER_INPUT
        )
        self._goals = GoalTracker(
            node,
            FollowJointTrajectory,
            f"/{group.controller.name}/follow_joint_trajectory",
            self._check_goal,
            self._start_goal,
            self._cancel_goal,
        )
        self._state = node.create_publisher(
            JointTrajectoryControllerState,
            f"/{group.controller.name}/controller_state",
            qos.DRIVER_OUTPUT,
        )

    def publish(self, now_ns: int) -> None:
        """Send results, feedback and state. Called by the physics thread after each tick."""
        is_watched = self._state.get_subscription_count() > 0
        with self._simulation.lock:
            results = self._arm.take_results()
            goal = self._arm.active_goal
            wants_feedback = goal is not None and now_ns >= self._feedback_due_ns
            state = self._arm.state if is_watched or wants_feedback else None
        for result in results:
            self._goals.end(result.goal, result.outcome, _trajectory_result(result))
        if state is None:
            return
        stamp = ns_to_time(now_ns)
        if goal is not None and wants_feedback:
            self._feedback_due_ns = now_ns + _FEEDBACK_NS
            self._goals.publish_feedback(goal, self._feedback(state, stamp))
        if is_watched:
            self._state.publish(self._state_message(state, stamp))

    def destroy(self) -> None:
        """Destroy the action server."""
        self._goals.destroy()

    def _command(self, message: JointTrajectoryMsg) -> None:
        trajectory = trajectory_from_message(message)
        with self._simulation.lock:
            self._witness.trajectory(trajectory, self._arm.set_point)
            self._simulation.arrival.set()
            try:
                self._arm.set_trajectory(trajectory, self._simulation.now_ns)
                return
            except CommandRejected as error:
                self._witness.rejection(str(error))
                reason = str(error)
        self._node.get_logger().error(
            f"{self._topic}: trajectory rejected: {reason}", throttle_duration_sec=1.0
        )

    def _check_goal(self, request: FollowJointTrajectory.Goal) -> str:
        trajectory = trajectory_from_message(request.trajectory)
        with self._simulation.lock:
            return self._arm.check(trajectory, self._simulation.now_ns)

    def _start_goal(self, goal: Hashable, request: FollowJointTrajectory.Goal) -> None:
        tolerance = request.goal_time_tolerance
        with self._simulation.lock:
            self._arm.start_goal(
                goal,
                trajectory_from_message(request.trajectory),
                self._simulation.now_ns,
                {t.name: t.position for t in request.path_tolerance},
                {t.name: t.position for t in request.goal_tolerance},
                tolerance.sec + tolerance.nanosec * 1e-9,
            )

    def _cancel_goal(self, goal: Hashable) -> bool:
        with self._simulation.lock:
            return self._arm.cancel_goal(goal)

    def _state_message(
        self, state: JointTrajectoryState, stamp: Time
    ) -> JointTrajectoryControllerState:
        message = JointTrajectoryControllerState(
            joint_names=self._joints,
            reference=_point_message(state.reference),
            feedback=_point_message(state.feedback),
            error=JointTrajectoryPoint(positions=float_array(state.error, "d")),
            output=JointTrajectoryPoint(positions=float_array(state.output, "d")),
            speed_scaling_factor=1.0,
        )
        message.header.stamp = stamp
        return message

    def _feedback(
        self, state: JointTrajectoryState, stamp: Time
    ) -> FollowJointTrajectory.Feedback:
        message = FollowJointTrajectory.Feedback(
            joint_names=self._joints,
            desired=_point_message(state.reference),
            actual=_point_message(state.feedback),
            error=JointTrajectoryPoint(positions=float_array(state.error, "d")),
        )
        message.header.stamp = stamp
        return message


class GripperInterface:
    """Action `gripper_cmd` of one gripper."""

    def __init__(self, node: Node, group: Group, simulation: Simulation) -> None:
        self._simulation = simulation
        self._gripper = simulation.manager.grippers[group.controller.name]
        self._witness = simulation.manager.witnesses[group.controller.name]
        self._joint = group.dimensions[0].joint_name
        self._goals = GoalTracker(
            node,
            ParallelGripperCommand,
            group.controller.command_name,
            self._check_goal,
            self._start_goal,
            self._cancel_goal,
        )

    def publish(self, now_ns: int) -> None:
        """Send results. Called by the physics thread after each tick."""
        with self._simulation.lock:
            results = self._gripper.take_results()
        for result in results:
            self._goals.end(result.goal, result.outcome, self._result(result))

    def destroy(self) -> None:
        """Destroy the action server."""
        self._goals.destroy()

    def _check_goal(self, request: ParallelGripperCommand.Goal) -> str:
        positions = list(request.command.position)
        with self._simulation.lock:
            self._witness.gripper(positions)
            reason = self._gripper.check(positions)
            if reason:
                self._witness.rejection(reason)
        return reason

    def _start_goal(self, goal: Hashable, request: ParallelGripperCommand.Goal) -> None:
        with self._simulation.lock:
            positions = list(request.command.position)
            self._gripper.start_goal(goal, positions, self._simulation.now_ns)

    def _cancel_goal(self, goal: Hashable) -> bool:
        with self._simulation.lock:
            return self._gripper.cancel_goal(goal)

    def _result(self, result: GripperResult) -> ParallelGripperCommand.Result:
        message = ParallelGripperCommand.Result(
            stalled=result.stalled, reached_goal=result.reached_goal
        )
        if result.position is not None:
            # As the real controller: no joint name, and an effort of 0.
            message.state = JointState(position=[result.position], effort=[0.0])
        return message


class BaseInterface:
    """Topic `cmd_vel` of the base."""

    def __init__(self, node: Node, group: Group, simulation: Simulation) -> None:
        self._node = node
        self._simulation = simulation
        self._base = simulation.manager.bases[group.controller.name]
        self._witness = simulation.manager.witnesses[group.controller.name]
        self._topic = group.controller.command_name
        self._slides = 1 in group.base_axes  # diff_drive_controller does not read linear.y.
        node.create_subscription(TwistStamped, self._topic, self._command, qos.CONTROLLER_INPUT)

    def publish(self, now_ns: int) -> None:
        """Do nothing: odometry is published with the other measurements."""

    def destroy(self) -> None:
        """Do nothing: there is no action server."""

    def _command(self, message: TwistStamped) -> None:
        twist, stamp = message.twist, message.header.stamp
        command = (twist.linear.x, twist.linear.y, twist.angular.z)
        with self._simulation.lock:
            self._witness.twist(command)
            self._simulation.arrival.set()
            if not self._slides:
                command = (command[0], 0.0, command[2])
            try:
                self._base.set_command(_time_ns(stamp), command, self._simulation.now_ns)
                return
            except CommandRejected as error:
                self._witness.rejection(str(error))
                reason = str(error)
        self._node.get_logger().warning(
            f"{self._topic}: command ignored: {reason}", throttle_duration_sec=1.0
        )


Interface = TrajectoryInterface | GripperInterface | BaseInterface


def make_interfaces(node: Node, simulation: Simulation) -> list[Interface]:
    """Create one interface for each controller of the platform."""
    kinds: dict[str, type[Interface]] = {
        "joint_trajectory": TrajectoryInterface,
        "parallel_gripper": GripperInterface,
        "base_velocity": BaseInterface,
    }
    return [kinds[group.kind](node, group, simulation) for group in simulation.platform.groups]


def trajectory_from_message(message: JointTrajectoryMsg) -> JointTrajectory:
    """Convert a trajectory to arrays, without checks."""
    points = tuple(
        JointPoint(
            _time_ns(point.time_from_start),
            np.array(point.positions, dtype=np.float64),
            _optional(point.velocities),
            _optional(point.accelerations),
            _optional(point.effort),
        )
        for point in message.points
    )
    return JointTrajectory(_time_ns(message.header.stamp), tuple(message.joint_names), points)


def _optional(values: Any) -> np.ndarray | None:
    """Convert to an array; an empty list, which means not given, to None."""
    return np.array(values, dtype=np.float64) if len(values) else None


def _time_ns(time: Time | Duration) -> int:
    """Convert a stamp or duration to ns; 0 is a valid value for a controller."""
    return time.sec * 1_000_000_000 + time.nanosec


def _point_message(point: JointPoint) -> JointTrajectoryPoint:
    message = JointTrajectoryPoint(positions=float_array(point.positions, "d"))
    if point.velocities is not None:
        message.velocities = float_array(point.velocities, "d")
    if point.accelerations is not None:
        message.accelerations = float_array(point.accelerations, "d")
    seconds, nanoseconds = divmod(point.time_ns, 1_000_000_000)
    message.time_from_start = Duration(sec=seconds, nanosec=nanoseconds)
    return message


def _trajectory_result(result: TrajectoryResult) -> FollowJointTrajectory.Result:
    return FollowJointTrajectory.Result(
        error_code=result.error_code, error_string=result.error_string
    )
