"""parallel_gripper_action_controller (ros2_controllers, Jazzy), without ROS."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from pi05_ros.sim.controllers.goals import CommandRejected, GoalOutcome, GripperResult


@dataclass(frozen=True)
class ParallelGripperConfig:
    """Parameters, named as in parallel_gripper_action_controller; of one finger."""

    goal_tolerance: float = 0.01  # [m or rad] Closer than this is reached.
    allow_stalling: bool = True  # Closing on an object succeeds. Real default: false, it aborts.
    stall_velocity_threshold: float = 0.001  # [m/s or rad/s] Slower than this is a stall...
    stall_timeout_s: float = 1.0  # ... when it lasts longer than this.

    def __post_init__(self) -> None:
        if min(self.goal_tolerance, self.stall_velocity_threshold, self.stall_timeout_s) < 0:
            raise ValueError("goal_tolerance, stall_velocity_threshold, stall_timeout_s: below 0")


class ParallelGripperController:
    """Commands the position of the last goal, and detects when a goal is reached or stalled.

    Args:
        config: Its parameters.
        position: Measured position at the start [m or rad], which it holds.
    """

    def __init__(self, config: ParallelGripperConfig, position: float) -> None:
        self.config = config
        self._stall_timeout_ns = round(config.stall_timeout_s * 1e9)
        self._results: list[GripperResult] = []
        self._goal: Hashable | None = None
        self._measured = position
        self.reset(position)

    def reset(self, position: float) -> None:
        """Restart as after activation and hold `position`; an active goal is aborted."""
        if self._goal is not None:
            self._finish("aborted", stalled=False)
        self.set_point = position  # Present command [m or rad], not limited.
        self._measured = position
        self._last_movement_ns = 0

    @property
    def active_goal(self) -> Hashable | None:
        """The active goal."""
        return self._goal

    def check(self, positions: Sequence[float]) -> str:
        """Reason why a goal would be rejected; empty if it would be accepted."""
        if len(positions) != 1:
            return f"{len(positions)} positions, a gripper takes exactly 1"
        return ""

    def start_goal(self, goal: Hashable, positions: Sequence[float], now_ns: int) -> None:
        """Start a gripper_cmd goal. An active one is canceled and gets an empty result.

        Args:
            goal: Identifier of the goal, returned by `take_results`.
            positions: `command.position`; not checked for limits or NaN.
            now_ns: Present time [ns].

        Raises:
            CommandRejected: There is not exactly one position.
        """
        reason = self.check(positions)
        if reason:
            raise CommandRejected(reason)
        self._end_quietly()
        self._goal = goal
        self._last_movement_ns = now_ns
        self.set_point = float(positions[0])

    def cancel_goal(self, goal: Hashable) -> bool:
        """Cancel `goal` and hold the measured position; return False if it is not active."""
        if self._goal is None or goal != self._goal:
            return False
        self._end_quietly()
        self.set_point = self._measured
        return True

    def take_results(self) -> list[GripperResult]:
        """Return the results of goals that ended since the last call."""
        results, self._results = self._results, []
        return results

    def update(self, now_ns: int, position: float, velocity: float) -> float:
        """Run one cycle: check the active goal against the measured state.

        Args:
            now_ns: Present time [ns].
            position: Measured [m or rad].
            velocity: Measured [unit/s].

        Returns:
            The position to command [m or rad].
        """
        self._measured = position
        if self._goal is not None:
            if abs(self.set_point - position) < self.config.goal_tolerance:
                self._finish("succeeded", stalled=False)
            elif abs(velocity) > self.config.stall_velocity_threshold:
                self._last_movement_ns = now_ns
            elif now_ns - self._last_movement_ns > self._stall_timeout_ns:
                outcome: GoalOutcome = "succeeded" if self.config.allow_stalling else "aborted"
                self._finish(outcome, stalled=True)
        return self.set_point

    def _finish(self, outcome: GoalOutcome, stalled: bool) -> None:
        """Record the result of the active goal and clear it."""
        reached = outcome == "succeeded" and not stalled
        self._results.append(GripperResult(self._goal, outcome, self._measured, stalled, reached))
        self._goal = None

    def _end_quietly(self) -> None:
        """Cancel an active goal with an empty result."""
        if self._goal is not None:
            self._results.append(GripperResult(self._goal, "canceled"))
            self._goal = None
