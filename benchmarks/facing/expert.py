"""The expert of the skill: it knows where the door is."""

from __future__ import annotations

import numpy as np

from pi05_ros.platforms.platform import Platform

POINTER = "left_arm_joint_1"  # Entry that the skill moves: the shoulder turns about the vertical.
_GAIN = 3.0  # Speed per distance [1/s].
_MAX_SPEED = 0.8  # [rad/s]


def pointing_chunk(
    platform: Platform, commanded: np.ndarray, bearing: float, horizon: int
) -> np.ndarray:
    """Return the actions that turn the shoulder to the door, (horizon, D) in platform units.

    All other entries stay where they are commanded.

    Args:
        platform: The robot.
        commanded: Last command, (D,) float64.
        bearing: Direction to the door [rad], left positive.
        horizon: Rows.
    """
    actions = np.repeat(commanded[None], horizon, axis=0)
    joint, period = platform.names.index(POINTER), platform.period
    angle = float(commanded[joint])
    for row in actions:
        speed = float(np.clip(_GAIN * (bearing - angle), -_MAX_SPEED, _MAX_SPEED))
        angle += speed * period
        row[joint] = angle
    return actions
