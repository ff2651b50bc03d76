"""joint_trajectory_controller (ros2_controllers, Jazzy 4.42), without ROS.

It has a position command interface and position and velocity state interfaces. Parameters that our
robots do not set have the real defaults (no partial goals, no integration of velocities, spline
interpolation, no cmd_timeout). Like the real controller it does not check for NaN, infinity,
position limits or duplicate joint names.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np

from pi05_ros.sim.controllers.goals import CommandRejected, TrajectoryResult
from pi05_ros.sim.controllers.spline import NANOSECONDS, JointPoint
from pi05_ros.sim.controllers.tolerances import Tolerances, beyond
from pi05_ros.sim.controllers.trajectory import (
    JointTrajectory,
    RunningTrajectory,
    TrajectorySample,
)
from pi05_ros.sim.controllers.trajectory_checks import check_trajectory

INVALID_GOAL = -1
PATH_TOLERANCE_VIOLATED = -4
GOAL_TOLERANCE_VIOLATED = -5


@dataclass(frozen=True)
class JointTrajectoryConfig:
    """Parameters of one joint_trajectory_controller, named as there."""

    joints: tuple[str, ...]
    update_rate_hz: float = 100.0  # Of the controller manager.
    interpolate_from_desired_state: bool = True  # Real default: false. Streams need true.
    allow_nonzero_velocity_at_trajectory_end: bool = False

    def __post_init__(self) -> None:
        if not self.joints or len(set(self.joints)) != len(self.joints):
            raise ValueError(f"joints {self.joints} must be names, each once")
        if self.update_rate_hz <= 0:
            raise ValueError(f"update_rate_hz {self.update_rate_hz} is not above 0")


@dataclass(frozen=True)
class JointTrajectoryState:
    """Content of control_msgs/JointTrajectoryControllerState after an update."""

    reference: JointPoint  # Desired state; time_ns: since the trajectory's start.
    feedback: JointPoint  # Measured state.
    error: np.ndarray  # reference - feedback, positions, (joints,).
    output: np.ndarray  # Positions commanded until the next update, (joints,).


class JointTrajectoryController:
    """Runs one trajectory at a time, from a topic or from an action goal.

    Args:
        config: Its parameters.
        positions: Measured positions at the start, (joints,) float64, which it holds.
        tolerances: Defaults for topic messages, and for goals without tolerances.
    """

    def __init__(
        self,
        config: JointTrajectoryConfig,
        positions: np.ndarray,
        tolerances: Tolerances | None = None,
    ) -> None:
        self.config = config
        self._period_ns = round(1e9 / config.update_rate_hz)
        self._default_tolerances = tolerances or Tolerances.unlimited(len(config.joints))
        self._goal: Hashable | None = None
        self._results: list[TrajectoryResult] = []
        self.reset(positions)

    def reset(self, positions: np.ndarray) -> None:
        """Restart as after activation and hold `positions`; an active goal is aborted."""
        self.abort_goal("Current goal cancelled during deactivate transition.")
        self._positions, self._velocities = np.array(positions), np.zeros(len(positions))
        self._last_command = self._measured
        self._last_command_ns: int | None = None
        # The real controller sorts each list of a message through one buffer that it never clears:
        # a joint missing from a message (with another one duplicated) gets the previous content.
        self._sorting = np.zeros(len(self.config.joints))
        self._tolerances = self._default_tolerances
        # (time since start, reference, error) of the last update; `state` is built on demand.
        self._updated: tuple[int, JointPoint, np.ndarray] | None = None
        self._hold(_at_rest(self._measured))
        self._running = self._next

    @property
    def state(self) -> JointTrajectoryState | None:
        """State after the last update; None before the first."""
        if self._updated is None:
            return None
        since_start, reference, error = self._updated
        return JointTrajectoryState(
            reference=replace(reference, time_ns=since_start),
            feedback=replace(self._measured, time_ns=since_start),
            error=error,
            output=self._last_command.positions,
        )

    @property
    def active_goal(self) -> Hashable | None:
        """The active goal."""
        return self._goal

    @property
    def set_point(self) -> np.ndarray:
        """Last commanded positions, (joints,)."""
        return self._last_command.positions

    def check(self, trajectory: JointTrajectory, now_ns: int) -> str:
        """Reason why a trajectory would be rejected now; empty if it would be accepted."""
        allow = self.config.allow_nonzero_velocity_at_trajectory_end
        return check_trajectory(trajectory, self.config.joints, now_ns, allow)

    def set_trajectory(self, trajectory: JointTrajectory, now_ns: int) -> None:
        """Start a trajectory from the topic in place of the old one; an active goal stays active.

        Raises:
            CommandRejected: The trajectory violates a rule of `check_trajectory`; nothing changes.
        """
        self._require(trajectory, now_ns)
        self._next = self._sorted(trajectory)
        self._is_holding = False

    def start_goal(
        self,
        goal: Hashable,
        trajectory: JointTrajectory,
        now_ns: int,
        path_tolerance: dict[str, float] | None = None,
        goal_tolerance: dict[str, float] | None = None,
        goal_time_tolerance: float = 0.0,
    ) -> None:
        """Start a follow_joint_trajectory goal; an active one is aborted with INVALID_GOAL.

        Args:
            goal: Identifier of the goal, returned by `take_results`.
            trajectory: Its trajectory.
            now_ns: Present time [ns].
            path_tolerance: Joint name -> largest error on the path (see Tolerances.with_goal).
            goal_tolerance: Joint name -> largest error at the end.
            goal_time_tolerance: [s]; 0: the controller's default.

        Raises:
            CommandRejected: As for `set_trajectory`; nothing changes.
        """
        self._require(trajectory, now_ns)
        self.abort_goal("Current goal preempted by new incoming action.")
        self._tolerances = self._default_tolerances.with_goal(
            self.config.joints, path_tolerance or {}, goal_tolerance or {}, goal_time_tolerance
        )
        self._goal = goal
        self._next = self._sorted(trajectory)
        self._is_holding = False

    def cancel_goal(self, goal: Hashable) -> bool:
        """Cancel `goal` and hold the measured position; return False if it is not active.

        As on a robot, this steps the command back by the tracking error.
        """
        if self._goal is None or goal != self._goal:
            return False
        self._finish(TrajectoryResult(goal, "canceled"))
        self._hold(_at_rest(self._measured))
        return True

    def abort_goal(self, why: str) -> None:
        """Abort an active goal with INVALID_GOAL; the trajectory continues."""
        if self._goal is not None:
            self._finish(TrajectoryResult(self._goal, "aborted", INVALID_GOAL, why))

    def take_results(self) -> list[TrajectoryResult]:
        """Return the results of goals that ended since the last call."""
        results, self._results = self._results, []
        return results

    def update(self, now_ns: int, positions: np.ndarray, velocities: np.ndarray) -> np.ndarray:
        """Run one cycle.

        Args:
            now_ns: Present time [ns].
            positions: Measured, (joints,) float64 [rad] or [m].
            velocities: Measured, (joints,) float64 [unit/s].

        Returns:
            Positions to command until the next cycle, (joints,) float64: the trajectory sampled
            one period ahead. Not limited; contains NaN or infinity if the trajectory does.
        """
        self._positions, self._velocities = positions, velocities
        self._running = self._next
        is_first = not self._running.is_begun
        if is_first:
            self._begin(now_ns)
        with np.errstate(invalid="ignore", over="ignore"):  # Trajectories may hold infinity.
            reference = self._running.sample(now_ns)
            command = self._running.sample(now_ns + self._period_ns)
            error = reference.state.positions - positions
            self._command_and_finish(now_ns, is_first, command, error)
        self._updated = (now_ns - self._running.start_ns, reference.state, error)
        return self._last_command.positions

    @property
    def _measured(self) -> JointPoint:
        """Last measured state."""
        return JointPoint(0, self._positions, self._velocities)

    def _begin(self, now_ns: int) -> None:
        """Set the start state of a new trajectory."""
        if not self.config.interpolate_from_desired_state:
            self._running.begin(now_ns, now_ns, self._measured)
            return
        # The last command was sampled one period after the update that sent it, but the real
        # controller dates it to that update, so the first segment is one period longer.
        last_ns = now_ns if self._last_command_ns is None else self._last_command_ns
        self._running.begin(now_ns, last_ns, self._last_command)

    def _command_and_finish(
        self, now_ns: int, is_first: bool, command: TrajectorySample, error: np.ndarray
    ) -> None:
        """Command the new set-point unless a tolerance is violated; end goals."""
        tolerances, holding = self._tolerances, self._is_holding
        at_end = command.is_past_end
        strayed = (
            tolerances.limits_path
            and (not at_end or is_first)
            and not holding
            and beyond(tolerances.path, error)
        )
        missed = (
            tolerances.limits_goal and at_end and not holding and beyond(tolerances.goal, error)
        )
        late = (now_ns - command.segment_start_ns) * NANOSECONDS
        expired = missed and 0.0 < tolerances.goal_time < late
        if not strayed and not expired:
            self._last_command = command.state
            self._last_command_ns = now_ns
        if strayed:
            self._fail(PATH_TOLERANCE_VIOLATED, "Aborted due to path tolerance violation")
        elif expired:
            self._fail(
                GOAL_TOLERANCE_VIOLATED,
                f"Aborted due to goal_time_tolerance exceeding by {late:f} seconds",
            )
        elif at_end and not missed and self._goal is not None:
            self._finish(
                TrajectoryResult(self._goal, "succeeded", 0, "Goal successfully reached!")
            )
            self._hold(replace(self._running.points[-1], time_ns=0))

    def _fail(self, code: int, text: str) -> None:
        """Abort an active goal, if there is one, and hold the measured position."""
        if self._goal is not None:
            self._finish(TrajectoryResult(self._goal, "aborted", code, text))
        self._hold(_at_rest(self._measured))

    def _finish(self, result: TrajectoryResult) -> None:
        """Record the result of the active goal and clear it."""
        self._results.append(result)
        self._goal = None

    def _hold(self, point: JointPoint) -> None:
        """Hold `point` from the next update on, without checking tolerances."""
        self._next = RunningTrajectory((point,), stamp_ns=0)
        self._is_holding = True

    def _require(self, trajectory: JointTrajectory, now_ns: int) -> None:
        """Raise CommandRejected if `check` finds a reason."""
        reason = self.check(trajectory, now_ns)
        if reason:
            raise CommandRejected(reason)

    def _sorted(self, trajectory: JointTrajectory) -> RunningTrajectory:
        """Sort the columns of a trajectory into the order of the controller's joints."""
        target = [self.config.joints.index(name) for name in trajectory.joint_names]
        in_order = trajectory.joint_names == self.config.joints

        def sort(values: np.ndarray) -> np.ndarray:
            if in_order:
                self._sorting[:] = values
            else:
                for index, value in zip(target, values, strict=True):
                    self._sorting[index] = value
            return self._sorting.copy()

        points = tuple(
            JointPoint(
                point.time_ns,
                sort(point.positions),
                None if point.velocities is None else sort(point.velocities),
                None if point.accelerations is None else sort(point.accelerations),
            )
            for point in trajectory.points
        )
        return RunningTrajectory(points, trajectory.stamp_ns)


def _at_rest(point: JointPoint) -> JointPoint:
    """Return the positions of a point at time 0, without derivatives."""
    return JointPoint(0, point.positions)
