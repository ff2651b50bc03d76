"""Where the commands of a chunk bring the hand that works."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.inspection.planar import drive, place
from pi05_ros.platforms.platform import Platform
from pi05_ros.training.validation.actions import Hands

_CM = 100.0  # In a metre.


@dataclass(frozen=True)
class HandError:
    """Distances of the hand that works at one row, between two chunks [cm]."""

    whole: float  # With the motion of the base since the observation.
    in_base: float  # In the base frame: arm and torso alone.
    moves: float  # Between the first row and this one, in the recorded chunk, base included.


class HandComparison:
    """Compares chunks of a robot by forward kinematics of their commands.

    The hand that works is the one whose tool centre point goes the longer way in the base frame
    in the recorded chunk.

    Args:
        platform: A robot with grippers.

    Raises:
        ConfigError: There is no forward kinematics of it.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform, self._hands = platform, Hands(platform)

    def __call__(self, predicted: np.ndarray, recorded: np.ndarray, row: int) -> HandError:
        """Compare two chunks (H, D) of platform units at a row.

        The base is moved by the commanded velocities of the rows before, from the same pose.
        """
        path = self._hands.positions(recorded[: row + 1])  # (row + 1, hands, 3), base frame.
        ways = np.linalg.norm(np.diff(path, axis=0), axis=-1).sum(axis=0)
        hand = int(ways.argmax())
        own = self._hands.positions(predicted[row : row + 1])[0, hand]
        truth = path[row, hand]
        moved = self._moved(truth, recorded, row)
        return HandError(
            _CM * _distance(self._moved(own, predicted, row), moved),
            _CM * _distance(own, truth),
            _CM * _distance(moved, path[0, hand]),
        )

    def _moved(self, point: np.ndarray, chunk: np.ndarray, row: int) -> np.ndarray:
        """Point (3,) of the base frame at a row, in the base frame of the observation [m]."""
        twists = self._platform.base_twist(chunk[: row + 1])
        poses = drive(np.zeros(3), twists, self._platform.period)
        return place(poses[row], point[None])[0]


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(one - other))
