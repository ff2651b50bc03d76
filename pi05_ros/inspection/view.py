"""What the inspector knows of the last seconds, and draws: the one place where shapes meet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.inspection.chunk_paths import ChunkPaths
from pi05_ros.inspection.chunk_shapes import ChunkShapes
from pi05_ros.inspection.facts import ChunkFacts, StateFacts, SubtaskFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.lens import Lens, lens_of
from pi05_ros.inspection.motion_shapes import MotionShapes, commanded
from pi05_ros.inspection.planar import PoseHistory
from pi05_ros.inspection.shapes import Shape
from pi05_ros.inspection.subtask_shapes import SubtaskHistory, box_shapes, subtask_shapes
from pi05_ros.inspection.trail import Trail
from pi05_ros.platforms.platform import Platform

_FRESH_S = 0.5  # What the bridge sent longer ago it may not send any more [s].
_BEYOND = 1.2  # Boxes of a camera on a hand end so far beyond the fingertips, as a ratio.


@dataclass(frozen=True)
class ViewSettings:
    """What is drawn, in numbers."""

    trail: float = 6.0  # How long trails are [s].
    base_trail: float = 30.0  # The base's path [s].
    chunk_trail: float = 2.0  # How long a chunk is shown that was replaced or is over [s].
    spacing: float = 0.1  # Between two points of a trail [s].
    text_height: float = 2.0  # Of the subtask's text above the floor [m].
    box_depth: float = 1.2  # How far boxes reach from a camera that is not on a hand [m].
    box_age: float = 8.0  # How long boxes are shown [s]; tf remembers 10 s.

    def __post_init__(self) -> None:
        names = ("trail", "base_trail", "chunk_trail", "spacing", "box_depth", "box_age")
        if min(getattr(self, name) for name in names) <= 0:
            raise ValueError(f"{', '.join(names)} must be above 0")


class View:
    """Keeps what is needed to draw one robot in 3D.

    Args:
        platform: The robot.
        settings: What is drawn.
        kinematics: Of the robot; None: nothing that needs them is drawn.
    """

    def __init__(
        self, platform: Platform, settings: ViewSettings, kinematics: LinkKinematics | None
    ) -> None:
        self._platform, self._settings = platform, settings
        self._motion = MotionShapes(platform, kinematics) if kinematics else None
        self._chunks = ChunkShapes(platform, kinematics) if kinematics else None
        # A camera on a hand looks at what the fingers reach.
        reaches = (
            {c.name: kinematics.reach(c.frame) for c in platform.cameras} if kinematics else {}
        )
        self._depths = {
            c.name: _BEYOND * (reaches.get(c.name) or 0.0) or settings.box_depth
            for c in platform.cameras
        }
        self._lenses = {camera.name: lens_of(camera) for camera in platform.cameras}
        self.clear()

    def clear(self) -> None:
        """Forgets all but the lenses: time jumped, or nobody has looked meanwhile."""
        settings = self._settings
        self._subtasks = SubtaskHistory()
        self._poses = PoseHistory()
        self._state: StateFacts | None = None
        self._paths = ChunkPaths(settings.chunk_trail)
        self._base_trail = Trail(settings.spacing, settings.base_trail)
        self._trails = {
            name: Trail(settings.spacing, settings.trail) for name in ("commanded", "measured")
        }

    def add_lens(self, camera: str, lens: Lens) -> None:
        """Takes the lens that a camera's driver states."""
        self._lenses[camera] = lens

    def add_subtask(self, subtask: SubtaskFacts, now_ns: int) -> None:
        """Takes what the planner says."""
        self._subtasks.add(subtask, now_ns)

    def add_pose(self, stamp_ns: int, pose: tuple[float, float, float]) -> None:
        """Takes the base's pose x, y [m], yaw [rad] in odom."""
        self._poses.add(stamp_ns, pose)
        self._base_trail.add(stamp_ns, np.array([[pose[0], pose[1], 0.0]]))

    def add_state(self, state: StateFacts) -> None:
        """Takes what the control bridge measures and sends."""
        self._state = state
        pose = self._poses.at(state.stamp_ns)
        if self._motion is None or pose is None:
            return
        for name, trail in self._trails.items():
            if trail.due(state.stamp_ns):
                vector = commanded(state) if name == "commanded" else state.measured
                trail.add(state.stamp_ns, self._motion.tools(vector, pose))

    def add_chunk(self, chunk: ChunkFacts, now_ns: int) -> None:
        """Takes what the policy predicts."""
        pose = self._poses.at(chunk.start_ns)
        if self._chunks is not None and pose is not None:
            self._paths.add(self._chunks.path(chunk, pose), now_ns)

    def problem(self) -> str:
        """Why less is drawn than could be, as one clause; empty: all is.

        A robot that nobody gave a task has no subtask: that is no problem.
        """
        if self._motion is None:
            return "no motion of the grippers is drawn: there are no kinematics"
        missing = [
            name
            for name, found in (
                (self._platform.odom_topic, len(self._poses) > 0),
                ("robot_state", self._state is not None),
            )
            if not found
        ]
        return f"nothing was heard on {', '.join(missing)}" if missing else ""

    def shapes(self, now_ns: int) -> list[Shape]:
        """All that is to be seen at a time [ns]."""
        settings, platform = self._settings, self._platform
        shapes = subtask_shapes(self._subtasks, platform, now_ns, settings.text_height)
        subtask = self._subtasks.present
        if subtask is not None:
            shapes += box_shapes(
                subtask, platform, self._lenses, self._depths, now_ns, settings.box_age
            )
        if self._chunks is not None:
            shapes += self._predicted(self._chunks, now_ns)
        if self._motion is not None:
            shapes += self._moving(self._motion, now_ns)
        return shapes

    def _predicted(self, chunks: ChunkShapes, now_ns: int) -> list[Shape]:
        longest = self._settings.chunk_trail
        shapes = chunks.earlier(self._paths.earlier(now_ns), longest)
        path = self._paths.present(now_ns)
        if path is not None:
            shapes += chunks.present(path, self._row(path.facts, now_ns))
        return shapes

    def _moving(self, motion: MotionShapes, now_ns: int) -> list[Shape]:
        settings, shapes = self._settings, []
        state = self._fresh_state(now_ns)
        pose = None if state is None else self._poses.at(state.stamp_ns)
        if state is not None and pose is not None:
            shapes += motion.executed(state, pose)
        if self._state is not None:
            for name, trail in self._trails.items():
                ages, points = trail.since(now_ns)
                shapes += motion.trail(name, self._state.stamp_ns, ages, points, settings.trail)
        ages, points = self._base_trail.since(now_ns)
        if len(ages):
            newest = now_ns - round(ages[-1] * 1e9)
            shapes += motion.trail("base_path", newest, ages, points, settings.base_trail)
        return shapes

    def _row(self, chunk: ChunkFacts, now_ns: int) -> float:
        """The row that the command follows, as the bridge says; else the one that is due."""
        state = self._fresh_state(now_ns)
        followed = state is not None and state.chunk_sequence == chunk.sequence
        if state is not None and followed and math.isfinite(state.chunk_row):
            return state.chunk_row
        return (now_ns - chunk.start_ns) * 1e-9 / self._platform.period

    def _fresh_state(self, now_ns: int) -> StateFacts | None:
        """What the bridge does now; None: it has fallen silent."""
        state = self._state
        return state if state and (now_ns - state.stamp_ns) * 1e-9 < _FRESH_S else None
