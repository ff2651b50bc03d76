"""State of the 3D view: recent inputs of the inspector, and the shapes drawn from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.data.episodes.episode import CONTROL_TELEOP
from pi05_ros.foundation.settings import setting
from pi05_ros.inspection.chunk_paths import ChunkPaths
from pi05_ros.inspection.chunk_shapes import ChunkShapes
from pi05_ros.inspection.driver import DriverWatch, driver_shapes
from pi05_ros.inspection.facts import ChunkFacts, StateFacts, SubtaskFacts, TeleopFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.lens import Lens, lens_of
from pi05_ros.inspection.motion_shapes import MotionShapes, commanded
from pi05_ros.inspection.planar import PoseHistory
from pi05_ros.inspection.shapes import Shape
from pi05_ros.inspection.subtask_shapes import SubtaskHistory, box_shapes, subtask_shapes
from pi05_ros.inspection.trail import Trail
from pi05_ros.platforms.platform import Platform

_DRIVER_BELOW_M = 0.5  # Of the middle of the subtask's text, which has at most seven lines [m].
_FRESH_S = 0.5  # Age above which a robot state is no longer shown as present [s].
_BEYOND = 1.2  # Length of the box pyramids of a hand camera, relative to its fingertip distance.


@dataclass(frozen=True)
class ViewSettings:
    """Durations and sizes of what is drawn."""

    trail_s: float = setting(
        6.0, "Duration of the grippers' trails [s].", minimum=0.5, maximum=60.0, formerly="trail"
    )
    base_trail_s: float = setting(
        30.0, "Duration of the base's path [s].", minimum=1.0, maximum=600.0, formerly="base_trail"
    )
    chunk_trail_s: float = setting(
        2.0,
        "Time for which a chunk is still shown after it was replaced or has ended [s].",
        minimum=0.1,
        maximum=10.0,
        formerly="chunk_trail",
    )
    spacing_s: float = 0.1  # Time between two points of a trail [s].
    text_height_m: float = setting(
        2.0,
        "Height of the subtask's text above the floor [m].",
        minimum=0.0,
        formerly="text_height",
    )
    box_depth_m: float = setting(
        1.2,
        "Depth to which the boxes of a camera that is not on a hand are drawn [m].",
        minimum=0.1,
        formerly="box_depth",
    )
    box_age_s: float = 8.0  # Time for which boxes are shown [s]; tf keeps 10 s.

    def __post_init__(self) -> None:
        names = (
            "trail_s",
            "base_trail_s",
            "chunk_trail_s",
            "spacing_s",
            "box_depth_m",
            "box_age_s",
        )
        if min(getattr(self, name) for name in names) <= 0:
            raise ValueError(f"{', '.join(names)} must be above 0")


class View:
    """Keeps the recent inputs of one robot and draws them in 3D.

    Args:
        platform: The robot.
        settings: Durations and sizes.
        kinematics: Kinematics of the robot; None: chunks and gripper motion are not drawn.
    """

    def __init__(
        self, platform: Platform, settings: ViewSettings, kinematics: LinkKinematics | None
    ) -> None:
        self._platform, self._settings = platform, settings
        self._motion = MotionShapes(platform, kinematics) if kinematics else None
        self._chunks = ChunkShapes(platform, kinematics) if kinematics else None
        # Boxes of a hand camera are drawn up to the fingertips, and slightly beyond.
        reaches = (
            {c.name: kinematics.reach(c.frame) for c in platform.cameras} if kinematics else {}
        )
        self._depths = {
            c.name: _BEYOND * (reaches.get(c.name) or 0.0) or settings.box_depth_m
            for c in platform.cameras
        }
        self._lenses = {camera.name: lens_of(camera) for camera in platform.cameras}
        self.clear()

    def clear(self) -> None:
        """Discard all inputs but the lenses, after a time jump or a time without subscribers."""
        settings = self._settings
        self._subtasks = SubtaskHistory()
        self._poses = PoseHistory()
        if not self._platform.base_axes:  # Without a base there is no odometry either.
            self._poses.add(0, (0.0, 0.0, 0.0))
        self._state: StateFacts | None = None
        self._driver = DriverWatch()
        self._paths = ChunkPaths(settings.chunk_trail_s)
        self._base_trail = Trail(settings.spacing_s, settings.base_trail_s)
        self._trails = {
            name: Trail(settings.spacing_s, settings.trail_s) for name in ("commanded", "measured")
        }

    def add_lens(self, camera: str, lens: Lens) -> None:
        """Store the lens from a camera driver's CameraInfo."""
        self._lenses[camera] = lens

    def add_subtask(self, subtask: SubtaskFacts, now_ns: int) -> None:
        """Add the planner's subtask."""
        self._subtasks.add(subtask, now_ns)

    def add_pose(self, stamp_ns: int, pose: tuple[float, float, float]) -> None:
        """Add the base's pose x, y [m], yaw [rad] in odom."""
        self._poses.add(stamp_ns, pose)
        self._base_trail.add(stamp_ns, np.array([[pose[0], pose[1], 0.0]]))

    def add_state(self, state: StateFacts) -> None:
        """Add the control bridge's robot state."""
        self._state = state
        self._driver.add_state(state)
        pose = self._poses.at(state.stamp_ns)
        if self._motion is None or pose is None:
            return
        for name, trail in self._trails.items():
            if trail.due(state.stamp_ns):
                vector = commanded(state) if name == "commanded" else state.measured
                driven = name == "commanded" and state.control_source == CONTROL_TELEOP
                trail.add(state.stamp_ns, self._motion.tools(vector, pose), driven)

    def add_teleop(self, teleop: TeleopFacts, now_ns: int) -> None:
        """Add what the node teleop says."""
        self._driver.add_teleop(teleop, now_ns)

    def add_chunk(self, chunk: ChunkFacts, now_ns: int) -> None:
        """Add the policy's chunk."""
        pose = self._poses.at(chunk.start_ns)
        if self._chunks is not None and pose is not None:
            self._paths.add(self._chunks.path(chunk, pose), now_ns)

    def problem(self) -> str:
        """Reason why the drawing is incomplete, as one clause; empty: it is complete.

        A missing subtask is no problem: a robot without a task has none.
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
        """Return all shapes at a time [ns]."""
        settings, platform = self._settings, self._platform
        shapes = subtask_shapes(self._subtasks, platform, now_ns, settings.text_height_m)
        below = settings.text_height_m - _DRIVER_BELOW_M
        shapes += driver_shapes(*self._driver.fresh(now_ns), platform, below)
        subtask = self._subtasks.present
        if subtask is not None:
            shapes += box_shapes(
                subtask, platform, self._lenses, self._depths, now_ns, settings.box_age_s
            )
        if self._chunks is not None:
            shapes += self._predicted(self._chunks, now_ns)
        if self._motion is not None:
            shapes += self._moving(self._motion, now_ns)
        return shapes

    def _predicted(self, chunks: ChunkShapes, now_ns: int) -> list[Shape]:
        longest = self._settings.chunk_trail_s
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
                ages, points, driven = trail.since(now_ns)
                stamp = self._state.stamp_ns
                shapes += motion.trail(name, stamp, ages, points, settings.trail_s, driven)
        ages, points, _ = self._base_trail.since(now_ns)
        if len(ages):
            newest = now_ns - round(ages[-1] * 1e9)
            shapes += motion.trail("base_path", newest, ages, points, settings.base_trail_s)
        return shapes

    def _row(self, chunk: ChunkFacts, now_ns: int) -> float:
        """Row that the command follows, as the bridge reports it; else the row due by time."""
        state = self._fresh_state(now_ns)
        followed = state is not None and state.chunk_sequence == chunk.sequence
        if state is not None and followed and math.isfinite(state.chunk_row):
            return state.chunk_row
        return (now_ns - chunk.start_ns) * 1e-9 / self._platform.period

    def _fresh_state(self, now_ns: int) -> StateFacts | None:
        """Return the newest robot state; None if it is older than `_FRESH_S`."""
        state = self._state
        return state if state and (now_ns - state.stamp_ns) * 1e-9 < _FRESH_S else None
