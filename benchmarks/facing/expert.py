"""The expert of the skill: it knows where the door is."""

from __future__ import annotations

import numpy as np

from pi05_ros.platforms.platform import Platform

TURN = "base_wz"  # Entry that the skill moves.
_GAIN = 2.0  # Turn rate per bearing [1/s].
_MAX_RATE = 0.8  # [rad/s]
_MAX_CHANGE = 1.6  # Of the turn rate [rad/s²], below the platform's limit.


def facing_chunk(
    platform: Platform, commanded: np.ndarray, bearing: float, horizon: int
) -> np.ndarray:
    """Return the actions that turn the door ahead, (horizon, D) float64 in platform units.

    All other entries stay where they are commanded.

    Args:
        platform: The robot.
        commanded: Last command, (D,).
        bearing: Direction to the door now [rad], left positive.
        horizon: Rows.
    """
    actions = np.repeat(commanded[None], horizon, axis=0)
    turn, period = platform.names.index(TURN), platform.period
    rate = float(commanded[turn])
    for row in actions:
        wanted = float(np.clip(_GAIN * bearing, -_MAX_RATE, _MAX_RATE))
        rate += float(np.clip(wanted - rate, -_MAX_CHANGE * period, _MAX_CHANGE * period))
        bearing -= rate * period
        row[turn] = rate
    return actions
