"""Results of a controller's action goals, without ROS."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from pi05_ros.errors import Pi05Error

GoalOutcome = Literal["succeeded", "aborted", "canceled"]


class CommandRejected(Pi05Error):
    """A controller rejects a command; the message is the reason."""


@dataclass(frozen=True)
class TrajectoryResult:
    """Result of a follow_joint_trajectory goal (control_msgs/FollowJointTrajectory)."""

    goal: Hashable  # The `goal` argument of `start_goal`.
    outcome: GoalOutcome
    error_code: int = 0  # SUCCESSFUL 0, INVALID_GOAL -1, ... , GOAL_TOLERANCE_VIOLATED -5.
    error_string: str = ""


@dataclass(frozen=True)
class GripperResult:
    """Result of a gripper_cmd goal (control_msgs/ParallelGripperCommand)."""

    goal: Hashable  # The `goal` argument of `start_goal`.
    outcome: GoalOutcome
    position: float | None = None  # Measured at the end [m or rad]; None: the result is empty.
    stalled: bool = False
    reached_goal: bool = False
