"""Topics and actions of the mock home's controllers, as those of ros2_controllers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration, Time
from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointTrajectoryControllerState
from geometry_msgs.msg import Twist, TwistStamped
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg
from trajectory_msgs.msg import JointTrajectoryPoint

from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import float_array, ns_to_time
from pi05_ros.nodes.mock_home.goals import GoalTracker
from pi05_ros.nodes.mock_home.gripper import GripperInterface
from pi05_ros.platforms.platform import Group
from pi05_ros.sim.controllers.goals import CommandRejected, TrajectoryResult
from pi05_ros.sim.controllers.joint_trajectory import JointTrajectoryState
from pi05_ros.sim.controllers.spline import JointPoint
from pi05_ros.sim.controllers.trajectory import JointTrajectory
from pi05_ros.sim.simulation import Simulation

_FEEDBACK_NS = 50_000_000  # Period of action feedback (action_monitor_rate 20 Hz).


class TrajectoryInterface:
    """Topics and action of a joint_trajectory_controller: command, goal and state.

    For the kind `forward_position` the command is an array, one period ahead.
    """

    def __init__(self, node: Node, group: Group, simulation: Simulation) -> None:
        self._node = node
        self._simulation = simulation
        self._arm = simulation.manager.arms[group.controller.name]
        self._witness = simulation.manager.witnesses[group.controller.name]
        self._joints = list(self._arm.config.joints)
        # Commands carry the names of the driver, the simulation those of the URDF.
        self._urdf_names = {d.driver_joint_name: d.joint_name for d in group.dimensions}
        kind, name = group.controller.kind, group.controller.name
        self._topic = group.controller.command_name
        self._takes_goals = kind == "follow_joint_trajectory"  # Instead of messages, each tick.
        self._period_ns = round(simulation.platform.period * 1e9)
        self._feedback_due_ns = 0
        if kind == "forward_position":
            node.create_subscription(
                Float64MultiArray, self._topic, self._array, qos.CONTROLLER_INPUT
            )
        else:
            topic = f"/{name}/joint_trajectory" if self._takes_goals else self._topic
            node.create_subscription(
                JointTrajectoryMsg, topic, self._command, qos.CONTROLLER_INPUT
            )
        self._goals = GoalTracker(
            node,
            FollowJointTrajectory,
            self._topic if self._takes_goals else f"/{name}/follow_joint_trajectory",
            self._check_goal,
            self._start_goal,
            self._cancel_goal,
            **({"result_timeout_s": 1} if self._takes_goals else {}),
        )
        self._state = node.create_publisher(
            JointTrajectoryControllerState,
            f"/{name}/controller_state",
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

    def _array(self, message: Float64MultiArray) -> None:
        point = JointPoint(self._period_ns, np.array(message.data, dtype=np.float64))
        self._take(JointTrajectory(0, tuple(self._joints), (point,)))

    def _command(self, message: JointTrajectoryMsg) -> None:
        self._take(self._trajectory(message))

    def _trajectory(self, message: JointTrajectoryMsg) -> JointTrajectory:
        return trajectory_from_message(message, self._urdf_names)

    def _take(self, trajectory: JointTrajectory) -> None:
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
        trajectory = self._trajectory(request.trajectory)
        with self._simulation.lock:
            return self._arm.check(trajectory, self._simulation.now_ns)

    def _start_goal(self, goal: Hashable, request: FollowJointTrajectory.Goal) -> None:
        tolerance = request.goal_time_tolerance
        trajectory = self._trajectory(request.trajectory)
        with self._simulation.lock:
            if self._takes_goals:
                self._witness.trajectory(trajectory, self._arm.set_point)
                self._simulation.arrival.set()
            self._arm.start_goal(
                goal,
                trajectory,
                self._simulation.now_ns,
                {self._urdf_names.get(t.name, t.name): t.position for t in request.path_tolerance},
                {self._urdf_names.get(t.name, t.name): t.position for t in request.goal_tolerance},
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


class BaseInterface:
    """Topic `cmd_vel` of the base."""

    def __init__(self, node: Node, group: Group, simulation: Simulation) -> None:
        self._node = node
        self._simulation = simulation
        self._base = simulation.manager.bases[group.controller.name]
        self._witness = simulation.manager.witnesses[group.controller.name]
        self._topic = group.controller.command_name
        self._slides = 1 in group.base_axes  # diff_drive_controller does not read linear.y.
        kind = TwistStamped if group.controller.kind == "base_velocity" else Twist
        node.create_subscription(kind, self._topic, self._command, qos.CONTROLLER_INPUT)

    def publish(self, now_ns: int) -> None:
        """Do nothing: odometry is published with the other measurements."""

    def destroy(self) -> None:
        """Do nothing: there is no action server."""

    def _command(self, message: TwistStamped | Twist) -> None:
        if isinstance(message, TwistStamped):
            twist, stamp = message.twist, message.header.stamp
        else:
            twist, stamp = message, Time()  # 0 counts as the time of arrival.
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


def trajectory_from_message(
    message: JointTrajectoryMsg, urdf_names: Mapping[str, str] | None = None
) -> JointTrajectory:
    """Convert a trajectory to arrays, without checks.

    Args:
        message: The trajectory.
        urdf_names: Name of a joint in the message -> its name in the URDF, where they differ.
    """
    names = urdf_names or {}
    joints = tuple(names.get(name, name) for name in message.joint_names)
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
    return JointTrajectory(_time_ns(message.header.stamp), joints, points)


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
