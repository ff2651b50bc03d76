"""A robot whose drives are disturbed, for rollouts that leave the expert's own path.

`RobotState.commanded` is what the bridge sent; the disturbance acts behind the bridge, on what the
drives execute. A row therefore holds the expert's command for the state that was really reached,
and no further field is needed to train on it.
"""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.brain.observation import SceneState
from pi05_ros.evaluation.bridged_robot import Robot
from pi05_ros.platforms.platform import Platform

_CORRELATION_S = 0.4  # Time in which the disturbance falls to 1/e [s].


class DisturbedRobot:
    """A `Robot` that adds an Ornstein-Uhlenbeck process to each command.

    The standard deviation of an entry is `noise` times its largest velocity: of a base axis as it
    is [m/s, rad/s], of a joint the distance of one second [rad, m]. Grippers are not disturbed:
    one that opens by chance drops what it holds.

    Args:
        robot: The robot.
        platform: Its platform.
        noise: Share of the largest velocity.
        random: Source of the disturbance.
    """

    def __init__(
        self, robot: Robot, platform: Platform, noise: float, random: np.random.Generator
    ) -> None:
        self._robot, self._random = robot, random
        self._sigma = np.where(platform.is_gripper, 0.0, noise * platform.max_velocity)
        self._lower, self._upper = platform.lower, platform.upper
        self._keep = math.exp(-platform.period / _CORRELATION_S)
        self._offset: np.ndarray = np.zeros(platform.size)

    def measure(self) -> np.ndarray:
        """Return the measured state, (D,) float64."""
        return self._robot.measure()

    def move(self, command: np.ndarray | None) -> None:
        """Execute a disturbed command for one period; None: the controllers receive nothing."""
        fresh = self._random.standard_normal(len(self._offset))
        step = math.sqrt(1.0 - self._keep**2) * self._sigma
        self._offset = self._keep * self._offset + step * fresh
        if command is not None:
            command = np.asarray(np.clip(command + self._offset, self._lower, self._upper))
        self._robot.move(command)

    def scene(self) -> SceneState | None:
        """Return the ground truth of a mock home."""
        return self._robot.scene()
