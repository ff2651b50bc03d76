"""The last goal of each gripper, from which its commands go on when the robot is armed again."""

from __future__ import annotations

import numpy as np

from pi05_ros.platforms.platform import Platform

# A gripper farther from its goal than when it was last armed, by more than this share of its
# stroke, was moved by something else.
_MOVED = 0.05


class GripperGoals:
    """Remembers what each gripper was last told to do.

    A gripper that holds an object stands away from its goal, and presses because it does.
    Commands that began at the measured width would release the object.

    Args:
        platform: The robot.
        confirmed: True if `accept` reports each goal that a controller accepted. False: each
            command counts as a goal, as where commands are executed without controllers.
    """

    def __init__(self, platform: Platform, confirmed: bool = False) -> None:
        self._is_gripper = np.array([d.unit == "fraction" for d in platform.dimensions])
        self._confirmed = confirmed
        self._goals: np.ndarray = np.full(platform.size, np.nan)
        self._measured: np.ndarray = np.full(
            platform.size, np.nan
        )  # At the last tick of an armed robot.

    def accept(self, index: int, goal: float) -> None:
        """Note that the controller of the gripper at `index` accepted a goal, 0 to 1."""
        self._goals[index] = goal

    def update(self, commanded: np.ndarray | None, measured: np.ndarray) -> None:
        """Process one tick of an armed robot.

        Args:
            commanded: Command of the tick, (D,) float64; None: grippers were not commanded.
            measured: (D,) float64.
        """
        self._measured = measured
        if commanded is not None and not self._confirmed:
            self._goals = np.where(self._is_gripper, commanded, np.nan)

    def start(self, measured: np.ndarray) -> np.ndarray:
        """Return the values from which commands start when the robot is armed, (D,) float64.

        That is the measured state (D,), and for each gripper its last goal, if there was one. A
        gripper that something else has moved away from its goal since starts where it is.
        """
        away = np.abs(measured - self._goals) - np.abs(self._measured - self._goals)
        self._goals[away > _MOVED] = np.nan
        return np.where(np.isnan(self._goals), measured, self._goals)
