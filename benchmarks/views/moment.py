"""A robot at work in a mock home, with all that the inspector would hear of it. No ROS."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from pi05_ros.brain.observation import Observation
from pi05_ros.bringup.graph import robot_description
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.data.episodes.episode import MODE_RUNNING, PictureBox
from pi05_ros.evaluation.rollout import TASK, StreamStandIn
from pi05_ros.evaluation.world_robot import measured_state, send_command
from pi05_ros.inspection.facts import ChunkFacts, StateFacts, SubtaskFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.planar import PoseHistory, place
from pi05_ros.inspection.view import View, ViewSettings
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.world import Snapshot, World

_CHUNK_S, _PLAN_S, _DELAY_S = 0.4, 1.0, 0.1  # As the graph does.
_START_NS = 1_000_000_000  # Time begins at 1 s, as in a mock home.
_SIDE = 224  # Of the pictures that the expert's boxes refer to [pixel].


class Moment:
    """Runs the scripted expert in a mock home.

    Args:
        platform: The robot.
        home: Seed of the home.

    Attributes:
        view: What the inspector would draw.
        subtask: What the planner said last.
        world: The mock home.
        kinematics: Of the robot.
    """

    def __init__(self, platform: Platform, home: int) -> None:
        self.world = World(platform, home)
        self.kinematics = LinkKinematics(platform, robot_description(platform, False))
        self.view = View(platform, ViewSettings(), self.kinematics)
        self.subtask: SubtaskFacts | None = None
        self._platform = platform
        self._brain = ExpertBrain(platform)
        self._brain.begin_task(TASK)
        self._stream = StreamStandIn(platform, platform.home.copy())
        self._poses = PoseHistory()
        self._states: deque[tuple[int, np.ndarray]] = deque(maxlen=500)
        self._sequence = self._ticks = 0
        self._coming: deque[tuple[int, ChunkFacts]] = deque()
        self._running: ChunkFacts | None = None

    @property
    def now_ns(self) -> int:
        """Present time [ns]."""
        return _START_NS + round(self._ticks * self._platform.period * 1e9)

    def run(self, seconds: float) -> None:
        """Goes on for so long."""
        period = self._platform.period
        for _ in range(round(seconds / period)):
            if self._ticks % round(_PLAN_S / period) == 0:
                self._plan()
            if self._ticks % round(_CHUNK_S / period) == 0:
                self._predict()
            self._take()
            send_command(self._platform, self.world, self._stream.tick(self.now_ns * 1e-9))
            self.world.step(period)
            self._ticks += 1
            self._tell()

    def snapshot(self) -> Snapshot:
        """The world now, to be rendered."""
        return self.world.snapshot()

    def frame(self, name: str, stamp_ns: int) -> np.ndarray:
        """T_odom_frame (4, 4) of a link at a time, as tf would know it."""
        if name == self._platform.odom_frame:
            return np.eye(4)
        pose = self._poses.at(stamp_ns)
        assert pose is not None
        _, state = min(self._states, key=lambda item: abs(item[0] - stamp_ns))
        link = self.kinematics.poses(state, (name,))[0, 0]
        base = np.eye(4)
        base[:2, :2] = [[math.cos(pose[2]), -math.sin(pose[2])],
                        [math.sin(pose[2]), math.cos(pose[2])]]  # fmt: skip
        base[:2, 3] = pose[:2]
        return np.asarray(base @ link)

    def tools(self) -> np.ndarray:
        """Tool centre points (K, 3) in odom, now, by the kinematics."""
        links = self.kinematics.poses(self._states[-1][1], self.kinematics.tools)
        pose = self._poses.at(self.now_ns)
        assert pose is not None
        return place(pose, links[:, :, :3, 3])[0]

    def _observe(self) -> Observation:
        return Observation(
            stamp_ns=self.now_ns,
            names=self._platform.names,
            state=measured_state(self._platform, self.world),
            commanded=self._stream.commanded.copy(),
            scene=self.world.scene_state(),
        )

    def _plan(self) -> None:
        said = self._brain.predict_subtask(self._observe(), TASK)
        self.subtask = SubtaskFacts(
            stamp_ns=self.now_ns,
            id=1,
            task=TASK,
            text=said.text,
            source=self._brain.info.subtask_source,
            score=said.score,
            latency=_DELAY_S,
            boxes=tuple(self._box(box) for box in said.boxes),
        )
        self.view.add_subtask(self.subtask, self.now_ns)

    def _box(self, box) -> PictureBox:
        """A box of the model's padded square as one of the camera's picture."""
        camera = self._platform.camera(box.camera)
        fit = Letterbox.fit(camera.width, camera.height, _SIDE, _SIDE)
        low, high = fit.to_picture(box.x_min, box.y_min), fit.to_picture(box.x_max, box.y_max)
        return PictureBox(box.camera, box.label, *low, *high)

    def _predict(self) -> None:
        assert self.subtask is not None
        actions = self._brain.predict_chunk(self._observe(), self.subtask.text).actions
        actions = np.array(actions)
        ahead = self._executed_meanwhile()
        actions[: len(ahead)] = ahead
        self._sequence += 1
        chunk = ChunkFacts(
            self.now_ns, self.now_ns, self._sequence, 1, actions, len(ahead), _DELAY_S
        )
        self._coming.append((self.now_ns + round(_DELAY_S * 1e9), chunk))

    def _executed_meanwhile(self) -> np.ndarray:
        """Rows (n, D) of the running chunk until the next is there: that one's committed rows."""
        if self._running is None:
            return np.zeros((0, self._platform.size))
        period = self._platform.period
        row = round((self.now_ns - self._running.start_ns) * 1e-9 / period)
        return self._running.actions[row : row + round(_DELAY_S / period)]

    def _take(self) -> None:
        while self._coming and self._coming[0][0] <= self.now_ns:
            _, chunk = self._coming.popleft()
            self._stream.accept(chunk.actions, chunk.stamp_ns * 1e-9)
            self._running = chunk
            self.view.add_chunk(chunk, self.now_ns)

    def _tell(self) -> None:
        """What drivers and bridge would say after a tick."""
        state = measured_state(self._platform, self.world)
        pose = self.world.base_pose()
        self._poses.add(self.now_ns, pose)
        self._states.append((self.now_ns, state))
        self.view.add_pose(self.now_ns, pose)
        row, sequence = math.nan, 0
        if self._running is not None:
            sequence = self._running.sequence
            row = (self.now_ns - self._running.start_ns) * 1e-9 / self._platform.period - 1
        commanded = self._stream.commanded.copy()
        self.view.add_state(
            StateFacts(self.now_ns, state, commanded, MODE_RUNNING, "", sequence, row)
        )
