"""Vertical paths of a hand, as joint positions over height."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.expert.grasps import HandPose
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import on_floor
from pi05_ros.sim.homes.geometry import FloorPose, wrap_angle

_SPACING = 0.06  # Distance of the solved heights [m]; joints are interpolated in between.
_SAME_PLACE, _SAME_ANGLE = 0.003, 0.01  # Largest changes for which a path is reused [m], [rad].


@dataclass(frozen=True)
class VerticalPath:
    """One arm's joints along a vertical path, for a base that stands still."""

    side: str
    place: HandPose  # Its lower end.
    base: FloorPose
    torso: np.ndarray  # Torso joints that it was solved for.
    heights: np.ndarray  # (m,) rising, of the tool centre point in odom [m].
    joints: np.ndarray  # (m, n)
    reaches: bool  # Whether inverse kinematics converged at all heights.

    def at(self, height: float) -> np.ndarray:
        """Return joints (n,) at a height [m], clamped to the ends of the path."""
        return np.array([np.interp(height, self.heights, column) for column in self.joints.T])

    @property
    def bottom(self) -> float:
        """Height of the lower end [m]."""
        return float(self.heights[0])

    @property
    def top(self) -> float:
        """Height of the upper end [m]."""
        return float(self.heights[-1])

    def serves(self, side: str, place: HandPose, top: float, base: FloorPose, torso) -> bool:
        """Check whether this path can be reused for a request."""
        return (
            side == self.side
            and np.abs(place.position - self.place.position).max() < _SAME_PLACE
            and abs(wrap_angle(place.yaw - self.place.yaw)) < _SAME_ANGLE
            and abs(top - self.top) < _SAME_PLACE
            and math.hypot(base.x - self.base.x, base.y - self.base.y) < _SAME_PLACE
            and abs(wrap_angle(base.yaw - self.base.yaw)) < _SAME_ANGLE
            and np.abs(torso - self.torso).max(initial=0.0) < _SAME_PLACE
        )


class VerticalPaths:
    """Solves vertical paths, and keeps the last one of each arm and use for reuse."""

    def __init__(self, kinematics: ArmKinematics) -> None:
        self._kinematics = kinematics
        self._last: dict[tuple[str, str], VerticalPath] = {}

    def get(
        self,
        use: str,
        side: str,
        place: HandPose,
        top: float,
        base: FloorPose,
        seed: np.ndarray,
        downwards: bool = True,
    ) -> VerticalPath:
        """Return the path from `place` straight up to the height `top` [m].

        Args:
            use: Key of its purpose; the last path is kept for each use.
            side: Side of the arm.
            place: The lower end.
            top: Height of the upper end in odom [m]; at least that of `place`.
            base: Pose of the robot.
            seed: (D,) vector near the end that is solved first; its torso is kept.
            downwards: Whether the upper end is solved first, else the lower one.
        """
        layout = self._kinematics.layout
        torso = seed[layout.torso]
        known = self._last.get((use, side))
        top = max(top, place.position[2] + 1e-3)
        if known is not None and known.serves(side, place, top, base, torso):
            return known
        count = max(2, math.ceil((top - place.position[2]) / _SPACING) + 1)
        heights = np.linspace(place.position[2], top, count)
        T_base_odom = on_floor(base).inverse()
        joints = np.empty((count, len(layout.arm(side).joints)))
        order = range(count - 1, -1, -1) if downwards else range(count)
        reaches = True
        for i in order:
            point = np.array([place.position[0], place.position[1], heights[i]])
            target = T_base_odom @ HandPose(point, place.yaw).transform
            solution = self._kinematics.solve(side, target, seed)
            seed = solution.vector
            reaches = reaches and solution.reaches()
            joints[i] = seed[layout.arm(side).joints]
        path = VerticalPath(side, place, base, torso, heights, joints, reaches)
        self._last[(use, side)] = path
        return path
