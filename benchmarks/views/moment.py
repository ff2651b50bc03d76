"""A robot at work in a mock home, and the inspector's view of it. No ROS."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from pi05_ros.brain.interface import Box as ModelBox
from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.chunking.scheduler import ChunkRequest, ChunkScheduler
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.control.bridge import Tick
from pi05_ros.data.episodes.episode import PictureBox
from pi05_ros.evaluation.bridged_robot import BridgedRobot
from pi05_ros.evaluation.closed_loop import START_NS, ClosedLoop, LoopHooks, LoopTiming
from pi05_ros.evaluation.world_robot import WorldRobot
from pi05_ros.inspection.facts import ChunkFacts, StateFacts, SubtaskFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.planar import PoseHistory, place
from pi05_ros.inspection.view import View, ViewSettings
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.tasks.registry import DISHES
from pi05_ros.sim.world import Snapshot, World

_DELAY = 0.08  # Computation of a subtask or a chunk [s].
_SIDE = 224  # Of the pictures that the expert's boxes refer to [pixel].


class Moment:
    """A closed loop of the scripted expert in a mock home.

    Args:
        platform: The robot's platform.
        home: Seed of the home.

    Attributes:
        view: Shapes that the inspector would draw.
        subtask: The newest subtask.
        world: The mock home.
        kinematics: Of the robot.
        now_ns: Present time: the end of the last period.
    """

    def __init__(self, platform: Platform, home: int) -> None:
        self.world = World(platform, home)
        self.kinematics = LinkKinematics(platform, description_xml(platform, False))
        self.view = View(platform, ViewSettings(), self.kinematics)
        self.subtask: SubtaskFacts | None = None
        self.now_ns = START_NS
        self._platform = platform
        self._brain = ExpertBrain(platform)
        self._brain.begin_task(DISHES.text)
        self._poses = PoseHistory()
        self._states: deque[tuple[int, np.ndarray]] = deque(maxlen=500)
        self._subtasks_added = self._chunks_added = 0
        self._robot = WorldRobot(platform, self.world)
        # A mode with committed rows, so that there are some to draw.
        settings = ChunkSettings(mode="trained_rtc")
        self._loop = ClosedLoop(
            BridgedRobot(platform, self._robot),
            ChunkScheduler(settings, platform.period, self._brain.info.horizon),
            self._predict_chunk,
            lambda: _DELAY,
            planner=self._predict_subtask,
            task=DISHES.text,
            timing=LoopTiming(frame=2 * platform.period, tick_phase=0.0, plan_delay=_DELAY),
            hooks=LoopHooks(on_tick=self._on_tick),
        )

    def run(self, seconds: float) -> None:
        """Advance by so much [s]."""
        self._loop.run(seconds)

    def snapshot(self) -> Snapshot:
        """Return the world now, to be rendered."""
        return self.world.snapshot()

    def frame(self, name: str, stamp_ns: int) -> np.ndarray:
        """Return T_odom_frame (4, 4) of a link at a time, as tf would."""
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
        """Return the tool centre points (K, 3) in odom, now, by the kinematics."""
        links = self.kinematics.poses(self._states[-1][1], self.kinematics.tools)
        pose = self._poses.at(self.now_ns)
        assert pose is not None
        return place(pose, links[:, :, :3, 3])[0]

    def _predict_subtask(self, observation: Observation) -> SubtaskPrediction:
        return self._brain.predict_subtask(observation, DISHES.text)

    def _predict_chunk(self, observation: Observation, request: ChunkRequest) -> np.ndarray:
        """Sample the expert's chunk, with the committed rows that a model would keep."""
        actions = np.array(self._brain.predict_chunk(observation, request.subtask.text).actions)
        if (running := request.continuation) is not None:
            actions[: running.committed] = running.actions[: running.committed]
        return actions

    def _on_tick(self, tick: Tick, now_ns: int) -> None:
        """Hand the view what the graph published since the last tick."""
        self._add_subtasks()
        self._add_chunks()
        self.now_ns = now_ns + round(self._platform.period * 1e9)  # The robot has moved by then.
        state, pose = self._robot.measure(), self.world.base_pose()
        self._poses.add(self.now_ns, pose)
        self._states.append((self.now_ns, state))
        self.view.add_pose(self.now_ns, pose)
        sequence, row = 0, math.nan
        if tick.target is not None:
            sequence, row = tick.target.chunk.sequence, tick.target.row
        commanded = self._loop.robot.bridge.motion.commanded
        self.view.add_state(
            StateFacts(self.now_ns, state, commanded, int(tick.mode), tick.reason, sequence, row)
        )

    def _add_subtasks(self) -> None:
        loop = self._loop
        for stamp_ns, prediction in loop.predictions[self._subtasks_added :]:
            self.subtask = SubtaskFacts(
                stamp_ns=stamp_ns,
                id=loop.subtask.id,
                task=DISHES.text,
                text=prediction.text,
                source=self._brain.info.subtask_source,
                score=prediction.score,
                latency=_DELAY,
                boxes=tuple(self._picture_box(box) for box in prediction.boxes),
            )
            self.view.add_subtask(self.subtask, loop.now_ns)
        self._subtasks_added = len(loop.predictions)

    def _add_chunks(self) -> None:
        loop = self._loop
        for request, release in loop.releases[self._chunks_added :]:
            facts = ChunkFacts(
                stamp_ns=request.stamp_ns,
                start_ns=release.start_ns,
                sequence=release.sequence,
                subtask_id=request.subtask.id,
                actions=release.actions,
                committed=release.committed,
                latency=_DELAY,
            )
            self.view.add_chunk(facts, loop.now_ns)
        self._chunks_added = len(loop.releases)

    def _picture_box(self, box: ModelBox) -> PictureBox:
        """Convert a box of the model's padded square to one of the camera's picture."""
        camera = self._platform.camera(box.camera)
        fit = Letterbox.fit(camera.width, camera.height, _SIDE, _SIDE)
        low, high = fit.to_picture(box.x_min, box.y_min), fit.to_picture(box.x_max, box.y_max)
        return PictureBox(box.camera, box.label, *low, *high)
