"""The gripper's and the base's motion as shapes: predicted, commanded, measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.inspection.colours import (
    BASE,
    COMMANDED,
    COMMITTED,
    GRIPPERS,
    MEASURED,
    fading,
    rgba,
)
from pi05_ros.inspection.facts import ChunkFacts, StateFacts
from pi05_ros.inspection.kinematics import Kinematics
from pi05_ros.inspection.planar import drive, place
from pi05_ros.inspection.shapes import Shape, ShapeKind
from pi05_ros.platforms import Platform

_JAW = 0.09  # How wide an open gripper is drawn [m].
_CLOSED_JAW = 0.012  # And a closed one.
_JAW_ROWS = 5  # Rows between two jaws.
_PASSED = 0.25  # Alpha of rows that are already past.
_LINE, _THICK, _THIN, _TRAIL = 0.012, 0.016, 0.006, 0.007  # Widths [m].
_BALL = 0.035  # [m]
_FLOOR = 0.02  # Height at which paths of the base are drawn, above the floor [m].


class MotionShapes:
    """Draws motion of one robot in the odom frame.

    Args:
        platform: The robot.
        kinematics: Of the same robot.
    """

    def __init__(self, platform: Platform, kinematics: Kinematics) -> None:
        self._platform, self._kinematics = platform, kinematics
        grippers = platform.groups_of("parallel_gripper")
        self._openings = [platform.slices[group.name].start for group in grippers]
        bases = platform.groups_of("base_velocity")
        self._base = platform.slices[bases[0].name] if bases else None

    def tools(self, state: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """Tool centre points (K, 3) in odom, of a state (D,) of a base at `pose` (3,)."""
        tools = self._kinematics.poses(state[None], self._kinematics.tools)
        return place(pose, tools[:, :, :3, 3])[0]

    def base_poses(self, chunk: ChunkFacts, start: np.ndarray) -> np.ndarray:
        """Where the chunk's velocities lead the base, (horizon, 3), from `start` (3,) at row 0."""
        if self._base is None:
            return np.tile(start, (len(chunk.actions), 1))
        return drive(start, chunk.actions[:, self._base], self._platform.period)

    def chunk(self, chunk: ChunkFacts, start: np.ndarray, row: float) -> list[Shape]:
        """The predicted chunk: a fan of jaws along a line for each gripper, and the base's path.

        Args:
            chunk: What was predicted.
            start: (3,) pose of the base at its row 0.
            row: The row that is due now; those before it are drawn faintly.
        """
        links = self._kinematics.tools
        poses = self._kinematics.poses(chunk.actions, links)
        bases = self.base_poses(chunk, start)
        rows = np.arange(len(chunk.actions))
        alpha = np.where(rows < row, _PASSED, 1.0 - 0.6 * rows / max(len(rows), 2))
        frame, stamp = self._platform.odom_frame, chunk.stamp_ns
        shapes: list[Shape] = []
        for k, opening in enumerate(self._openings):
            tool = place(bases, poses[:, k, :3, 3])
            colours = np.tile(rgba(GRIPPERS[k % len(GRIPPERS)]), (len(rows), 1))
            colours[:, 3] = alpha
            shapes += _strip("chunk", k, frame, stamp, tool, colours, _LINE)
            jaws = slice(None, None, _JAW_ROWS)
            width = _CLOSED_JAW + (_JAW - _CLOSED_JAW) * chunk.actions[jaws, opening]
            # The fingers close along the tool's y axis.
            half = poses[jaws, k, :3, 1] * width[:, None] / 2
            middle = poses[jaws, k, :3, 3]
            ends = place(bases[jaws], np.stack([middle - half, middle + half], axis=1))
            pairs = np.repeat(colours[jaws], 2, axis=0)
            lines = ends.reshape(-1, 3)
            shapes.append(
                Shape("chunk_jaws", k, ShapeKind.LINES, frame, stamp, lines, pairs, _THIN)
            )
            if chunk.committed > 0:
                prefix = tool[: chunk.committed]
                white = rgba(COMMITTED)
                shapes += _strip("chunk_committed", k, frame, stamp, prefix, white, _THICK)
        if self._base is not None and np.ptp(bases, axis=0).max() > 1e-3:
            floor = _on_floor(bases)
            colours = np.tile(rgba(GRIPPERS[0]), (len(rows), 1))
            colours[:, 3] = alpha
            shapes += _strip("base_predicted", 0, frame, stamp, floor, colours, _THICK)
        return shapes

    def executed(self, state: StateFacts, pose: np.ndarray) -> list[Shape]:
        """A ball at each tool centre point of the command that is being sent, if it is a chunk's.

        Args:
            state: The robot's newest state.
            pose: (3,) of the base at that time.
        """
        if not state.chunk_sequence or not np.isfinite(state.chunk_row):
            return []
        points = self.tools(commanded(state), pose)
        frame, colour = self._platform.odom_frame, rgba(COMMANDED)
        return [
            Shape("executed", k, ShapeKind.BALLS, frame, state.stamp_ns, point, colour, _BALL)
            for k, point in enumerate(points)
        ]

    def trail(
        self, namespace: str, stamp_ns: int, ages: np.ndarray, points: np.ndarray, longest: float
    ) -> list[Shape]:
        """Where something has been, fading with age.

        Args:
            namespace: `commanded`, `measured` (points of each gripper) or `base_path`.
            stamp_ns: Of the newest observation in it [ns].
            ages: (N,) [s]
            points: (N, K, 3) in odom.
            longest: Age at which it has faded [s].
        """
        colour = {"commanded": COMMANDED, "measured": MEASURED, "base_path": BASE}[namespace]
        width = _THICK if namespace == "base_path" else _TRAIL
        if namespace == "base_path" and len(points):
            points = points * (1, 1, 0) + (0, 0, _FLOOR)
        colours, frame = fading(colour, ages, longest), self._platform.odom_frame
        shapes: list[Shape] = []
        for k in range(points.shape[1]):
            shapes += _strip(namespace, k, frame, stamp_ns, points[:, k], colours, width)
        return shapes


def commanded(state: StateFacts) -> np.ndarray:
    """The command (D,), with the measurement where nothing was sent yet."""
    return np.where(np.isfinite(state.commanded), state.commanded, state.measured)


def _on_floor(poses: np.ndarray) -> np.ndarray:
    return np.column_stack([poses[:, :2], np.full(len(poses), _FLOOR)])


def _strip(
    namespace: str,
    id: int,
    frame: str,
    stamp_ns: int,
    points: np.ndarray,
    colours: np.ndarray,
    width: float,
) -> Sequence[Shape]:
    """A line through points; none through fewer than two, which RViz would complain about."""
    if len(points) < 2:
        return []
    return [Shape(namespace, id, ShapeKind.STRIP, frame, stamp_ns, points, colours, width)]
