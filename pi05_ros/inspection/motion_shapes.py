"""Shapes of the commanded and measured motion of grippers and base."""

from __future__ import annotations

import numpy as np

from pi05_ros.data.episodes.episode import CONTROL_TELEOP
from pi05_ros.inspection.colours import (
    BASE,
    COMMANDED,
    DRIVEN,
    MEASURED,
    OPERATOR,
    by_age,
    rgba,
)
from pi05_ros.inspection.facts import StateFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.planar import place
from pi05_ros.inspection.shapes import Shape, ShapeKind, on_floor, strip
from pi05_ros.platforms.platform import Platform

_THICK, _TRAIL = 0.016, 0.007  # Widths [m].
_BALL = 0.035  # [m]
_OLDEST = 0.15  # Alpha at the old end of a trail.


class MotionShapes:
    """Draws motion of one robot in the odom frame.

    Args:
        platform: The robot.
        kinematics: Kinematics of the same robot.
    """

    def __init__(self, platform: Platform, kinematics: LinkKinematics) -> None:
        self._platform, self._kinematics = platform, kinematics

    def tools(self, state: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """Tool centre points (K, 3) in odom [m] for a state (D,) with the base at `pose` (3,)."""
        tools = self._kinematics.poses(state[None], self._kinematics.tools)
        return place(pose, tools[:, :, :3, 3])[0]

    def executed(self, state: StateFacts, pose: np.ndarray) -> list[Shape]:
        """Draw a ball at each tool centre point of the present command, while it follows a chunk.

        Its colour tells whether an operator drives.

        Args:
            state: The robot's newest state.
            pose: (3,) pose of the base at that time.
        """
        if not state.chunk_sequence or not np.isfinite(state.chunk_row):
            return []
        points = self.tools(commanded(state), pose)
        driven = state.control_source == CONTROL_TELEOP
        frame, colour = self._platform.world_frame, rgba(OPERATOR if driven else COMMANDED[0])
        return [
            Shape("executed", k, ShapeKind.BALLS, frame, state.stamp_ns, point, colour, _BALL)
            for k, point in enumerate(points)
        ]

    def trail(
        self,
        namespace: str,
        stamp_ns: int,
        ages: np.ndarray,
        points: np.ndarray,
        longest: float,
        driven: np.ndarray | None = None,
    ) -> list[Shape]:
        """Draw past positions, coloured by age, and by who drove.

        Args:
            namespace: `commanded`, `measured` (points of each gripper) or `base_path`.
            stamp_ns: Stamp of the newest observation in it [ns].
            ages: (N,) [s]
            points: (N, K, 3) in odom [m].
            longest: Age at which the trail has faded [s].
            driven: Whether an operator drove, (N,) bool; None: never.
        """
        young, old = {"commanded": COMMANDED, "measured": MEASURED, "base_path": BASE}[namespace]
        width = _THICK if namespace == "base_path" else _TRAIL
        if namespace == "base_path" and len(points):
            points = on_floor(points)
        colours = by_age(young, old, ages, longest, _OLDEST)
        if driven is not None and driven.any():
            colours[driven] = by_age(*DRIVEN, ages[driven], longest, _OLDEST)
        frame = self._platform.world_frame
        shapes: list[Shape] = []
        for k in range(points.shape[1]):
            shapes += strip(namespace, k, frame, stamp_ns, points[:, k], colours, width)
        return shapes


def commanded(state: StateFacts) -> np.ndarray:
    """Return the command (D,), with measured values where nothing was sent yet."""
    return np.where(np.isfinite(state.commanded), state.commanded, state.measured)
