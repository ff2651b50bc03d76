"""The gripper's and the base's motion as shapes: commanded and measured."""

from __future__ import annotations

import numpy as np

from pi05_ros.inspection.colours import BASE, COMMANDED, MEASURED, by_age, rgba
from pi05_ros.inspection.facts import StateFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.planar import place
from pi05_ros.inspection.shapes import Shape, ShapeKind, on_floor, strip
from pi05_ros.platforms.platform import Platform

_THICK, _TRAIL = 0.016, 0.007  # Widths [m].
_BALL = 0.035  # [m]
_OLDEST = 0.15  # Alpha of a trail's end.


class MotionShapes:
    """Draws motion of one robot in the odom frame.

    Args:
        platform: The robot.
        kinematics: Of the same robot.
    """

    def __init__(self, platform: Platform, kinematics: LinkKinematics) -> None:
        self._platform, self._kinematics = platform, kinematics

    def tools(self, state: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """Tool centre points (K, 3) in odom, of a state (D,) of a base at `pose` (3,)."""
        tools = self._kinematics.poses(state[None], self._kinematics.tools)
        return place(pose, tools[:, :, :3, 3])[0]

    def executed(self, state: StateFacts, pose: np.ndarray) -> list[Shape]:
        """A ball at each tool centre point of the command that is being sent, if it is a chunk's.

        Args:
            state: The robot's newest state.
            pose: (3,) of the base at that time.
        """
        if not state.chunk_sequence or not np.isfinite(state.chunk_row):
            return []
        points = self.tools(commanded(state), pose)
        frame, colour = self._platform.odom_frame, rgba(COMMANDED[0])
        return [
            Shape("executed", k, ShapeKind.BALLS, frame, state.stamp_ns, point, colour, _BALL)
            for k, point in enumerate(points)
        ]

    def trail(
        self, namespace: str, stamp_ns: int, ages: np.ndarray, points: np.ndarray, longest: float
    ) -> list[Shape]:
        """Where something has been, coloured by age.

        Args:
            namespace: `commanded`, `measured` (points of each gripper) or `base_path`.
            stamp_ns: Of the newest observation in it [ns].
            ages: (N,) [s]
            points: (N, K, 3) in odom.
            longest: Age at which it has faded [s].
        """
        young, old = {"commanded": COMMANDED, "measured": MEASURED, "base_path": BASE}[namespace]
        width = _THICK if namespace == "base_path" else _TRAIL
        if namespace == "base_path" and len(points):
            points = on_floor(points)
        colours = by_age(young, old, ages, longest, _OLDEST)
        frame = self._platform.odom_frame
        shapes: list[Shape] = []
        for k in range(points.shape[1]):
            shapes += strip(namespace, k, frame, stamp_ns, points[:, k], colours, width)
        return shapes


def commanded(state: StateFacts) -> np.ndarray:
    """The command (D,), with the measurement where nothing was sent yet."""
    return np.where(np.isfinite(state.commanded), state.commanded, state.measured)
