"""parallel_gripper_action_controller as on a robot (ros2_controllers, Jazzy), without ROS."""

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
    """Commands the position of the last goal, and says when a goal is reached or stuck.

    Args:
        config: Its parameters.
        position: Measured at the start [m or rad]. It holds it.
    """

    def __init__(self, config: ParallelGripperConfig, position: float) -> None:
        self.config = config
        self._stall_timeout_ns = round(config.stall_timeout_s * 1e9)
        self._results: list[GripperResult] = []
        self._goal: Hashable | None = None
        self._measured = position
        self.reset(position)

    def reset(self, position: float) -> None:
        """Starts anew as if just activated, and holds `position`; an active goal is aborted."""
        if self._goal is not None:
            self._finish("aborted", stalled=False)
        self.set_point = position  # Commanded now [m or rad]; whatever was sent.
        self._measured = position
        self._last_movement_ns = 0

    @property
    def active_goal(self) -> Hashable | None:
        """The goal that is being carried out."""
        return self._goal

    def check(self, positions: Sequence[float]) -> str:
        """Why a goal would be rejected; an empty string if it would be taken."""
        if len(positions) != 1:
            return f"{len(positions)} positions, a gripper takes exactly 1"
        return ""

    def start_goal(self, goal: Hashable, positions: Sequence[float], now_ns: int) -> None:
        """Takes a gripper_cmd goal. An active one is canceled and gets an empty result.

        Args:
            goal: Anything that names it; comes back in `take_results`.
            positions: `command.position`; no limit is checked, nor NaN.
            now_ns: The time [ns].

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
        """Cancels `goal` if it is active and holds the measured position."""
        if self._goal is None or goal != self._goal:
            return False
        self._end_quietly()
        self.set_point = self._measured
        return True

    def take_results(self) -> list[GripperResult]:
        """Goals that ended since the last call."""
        results, self._results = self._results, []
        return results

    def update(self, now_ns: int, position: float, velocity: float) -> float:
        """One cycle: judges the active goal by the measured state.

        Args:
            now_ns: The time [ns].
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
        """Notes the end of the active goal."""
        reached = outcome == "succeeded" and not stalled
        self._results.append(GripperResult(self._goal, outcome, self._measured, stalled, reached))
        self._goal = None

    def _end_quietly(self) -> None:
        """Cancels an active goal with an empty result."""
        if self._goal is not None:
            self._results.append(GripperResult(self._goal, "canceled"))
            self._goal = None
