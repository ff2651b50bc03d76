"""Shapes of predicted chunks: the present one as a fan, earlier ones as fading lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.inspection.chunk_paths import ChunkPath
from pi05_ros.inspection.colours import COMMITTED, GRIPPERS, REPLACED, by_age, rgba
from pi05_ros.inspection.facts import ChunkFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.planar import drive, place
from pi05_ros.inspection.shapes import Shape, ShapeKind, on_floor, strip
from pi05_ros.platforms.platform import Platform

_JAW = 0.09  # Drawn width of an open gripper [m].
_CLOSED_JAW = 0.012  # Drawn width of a closed gripper [m].
_JAW_ROWS = 5  # Rows between two jaws.
_PASSED = 0.25  # Alpha of rows that are already past.
_EARLIER_ROWS = 2  # Rows between two points of a replaced chunk.
_EARLIER_ALPHA = 0.8  # Alpha of the line of a chunk at the time of its replacement.
_LINE, _THICK, _THIN, _BEAD = 0.012, 0.016, 0.006, 0.02  # Widths and diameter [m].


class ChunkShapes:
    """Draws chunks of one robot in the odom frame.

    Args:
        platform: The robot.
        kinematics: Kinematics of the same robot.
    """

    def __init__(self, platform: Platform, kinematics: LinkKinematics) -> None:
        self._platform, self._kinematics = platform, kinematics
        grippers = platform.groups_of("parallel_gripper")
        self._openings = [platform.slices[group.name].start for group in grippers]
        bases = platform.groups_of("base_velocity")
        self._has_base = bool(bases)
        lower, upper = platform.lower[self._openings], platform.upper[self._openings]
        self._closed, self._stroke = lower, upper - lower  # Of a fraction, 0 and 1.

    def path(self, chunk: ChunkFacts, start: np.ndarray) -> ChunkPath:
        """Compute the path of a chunk in odom.

        Args:
            chunk: The predicted chunk.
            start: (3,) pose of the base at its row 0: x, y [m], yaw [rad].
        """
        actions, period = chunk.actions, self._platform.period
        bases = np.tile(np.asarray(start, dtype=np.float64), (len(actions), 1))
        if self._has_base:
            bases = drive(start, self._platform.base_twist(actions), period)
        poses = self._kinematics.poses(actions, self._kinematics.tools)
        tools = place(bases, poses[..., :3, 3])
        few = slice(None, None, _JAW_ROWS)
        openings = (actions[few][:, self._openings] - self._closed) / self._stroke
        width = _CLOSED_JAW + (_JAW - _CLOSED_JAW) * openings
        # The fingers close along the tool's y axis.
        half = poses[few, :, :3, 1] * width[..., None] / 2
        middle = poses[few, :, :3, 3]
        jaws = place(bases[few], np.stack([middle - half, middle + half], axis=2))
        return ChunkPath(
            facts=chunk,
            end_ns=chunk.start_ns + round(len(actions) * period * 1e9),
            tools=tools.swapaxes(0, 1),
            jaws=jaws.swapaxes(0, 1),
            bases=bases,
        )

    def present(self, path: ChunkPath, row: float) -> list[Shape]:
        """Draw the present chunk: tool line, jaws and committed rows by gripper, and base path.

        Args:
            path: Path of the chunk.
            row: The row that is due now; earlier rows are drawn faintly.
        """
        chunk, frame = path.facts, self._platform.world_frame
        rows, stamp = np.arange(len(chunk.actions)), chunk.stamp_ns
        alpha = np.where(rows < row, _PASSED, 1.0 - 0.6 * rows / max(len(rows), 2))
        shapes: list[Shape] = []
        for k, (tool, jaws) in enumerate(zip(path.tools, path.jaws, strict=True)):
            colours = np.tile(rgba(GRIPPERS[k % len(GRIPPERS)]), (len(rows), 1))
            colours[:, 3] = alpha
            shapes += strip("chunk", k, frame, stamp, tool, colours, _LINE)
            pairs = np.repeat(colours[::_JAW_ROWS], 2, axis=0)
            ends = jaws.reshape(-1, 3)
            shapes.append(
                Shape("chunk_jaws", k, ShapeKind.LINES, frame, stamp, ends, pairs, _THIN)
            )
            if chunk.committed:
                # Balls, because one row, or the rows of a resting gripper, make no line.
                beads, white = tool[: chunk.committed], rgba(COMMITTED)
                shapes.append(
                    Shape("chunk_committed", k, ShapeKind.BALLS, frame, stamp, beads, white, _BEAD)
                )
        if self._has_base and np.ptp(path.bases, axis=0).max() > 1e-3:
            colours = np.tile(rgba(GRIPPERS[0]), (len(rows), 1))
            colours[:, 3] = alpha
            floor = on_floor(path.bases)
            shapes += strip("base_predicted", 0, frame, stamp, floor, colours, _THICK)
        return shapes

    def earlier(self, paths: Sequence[tuple[float, ChunkPath]], longest: float) -> list[Shape]:
        """Draw earlier chunks as a thin line for each gripper.

        Args:
            paths: (age [s], path), the latest first.
            longest: Age at which a line has faded out [s].
        """
        frame = self._platform.world_frame
        shapes: list[Shape] = []
        for rank, (age, path) in enumerate(paths):
            for k, tool in enumerate(path.tools):
                young = GRIPPERS[k % len(GRIPPERS)]
                (colour,) = by_age(young, REPLACED, np.array([age]), longest)
                colour[3] *= _EARLIER_ALPHA
                few = np.unique([*range(0, len(tool), _EARLIER_ROWS), len(tool) - 1])
                number, stamp = rank * len(path.tools) + k, path.facts.stamp_ns
                shapes += strip("chunk_earlier", number, frame, stamp, tool[few], colour, _THIN)
        return shapes
