"""One episode of the expert in a mock home, recorded as a bag of the suite, without ROS."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.chunking.scheduler import ChunkRequest
from pi05_ros.chunking.settings import AUTO
from pi05_ros.control.bridge import Tick
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.episodes.episode import PictureBox
from pi05_ros.evaluation.bridged_robot import BridgedRobot, Robot
from pi05_ros.evaluation.closed_loop import START_NS, ClosedLoop, LoopHooks, LoopTiming
from pi05_ros.evaluation.collection.disturbance import DisturbedRobot
from pi05_ros.evaluation.collection.episode_bag import EpisodeBag
from pi05_ros.evaluation.collection.settings import CollectError, CollectSettings, random_for
from pi05_ros.evaluation.collection.visibility import Visibility
from pi05_ros.evaluation.rollout import RolloutConfig, brain_scheduler
from pi05_ros.evaluation.world_robot import WorldRobot
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.language import parse_subtask
from pi05_ros.sim.homes.difficulty import Difficulty
from pi05_ros.sim.tasks.registry import scorer
from pi05_ros.sim.world import World

_TIMESTEP = 0.005  # Of the physics [s], as in the graph's simulation.
_SCORE_TICKS = 5  # Ticks between two updates of the score, as there.
_LINGER = 1.0  # An episode goes on for so long after the task is done [s].
_IDLE = 3.0  # The expert has given up when it names no subtask for so long [s].
_NAMESPACE = "/pi05"
_CUT = "cut"  # First word of the reason why an episode of max_seconds ended.


@dataclass(frozen=True)
class EpisodeSummary:
    """Result of an episode."""

    name: str
    home: int
    task: str
    outcome: str  # EpisodeFacts.outcome.
    points: float
    max_points: float
    seconds: float  # Simulated.
    ended: str  # Why it ended before the task was done; empty: it did not.


@dataclass(frozen=True)
class Equipment:
    """What the episodes of one process share, since it takes long to make.

    Episodes do not depend on what was done with it before.
    """

    platform: Platform
    kinematics: ArmKinematics
    description: str  # The robot's URDF.

    @classmethod
    def of(cls, platform: Platform) -> Equipment:
        """Make the equipment of a platform.

        Raises:
            ConfigError: The expert cannot move this robot.
        """
        return cls(platform, ArmKinematics(platform), description_xml(platform))


def record_episode(
    equipment: Equipment,
    settings: CollectSettings,
    home: int,
    seed: int,
    folder: Path,
    software: str,
) -> EpisodeSummary:
    """Run the expert in a home, and write the bag `folder`.

    Args:
        equipment: Of the platform.
        settings: What is done, and for how long.
        home: Seed of the home.
        seed: Of the random numbers.
        folder: The bag; it must not exist. It is removed if the episode cannot be finished.
        software: EpisodeFacts.software_version.

    Raises:
        Pi05Error: The expert cannot do the task, no picture can be rendered, or the disk failed.
    """
    world = World(
        equipment.platform,
        home,
        settings.room(),
        timestep=_TIMESTEP,
        difficulty=Difficulty.parse(settings.difficulty),
        description=equipment.description,
    )
    renderer = CameraRenderer(world)
    try:
        return _Recording(equipment, settings, seed, world, renderer, folder, software).run()
    finally:
        renderer.close()


class _Recording:
    """An episode while it is recorded."""

    def __init__(
        self,
        equipment: Equipment,
        settings: CollectSettings,
        seed: int,
        world: World,
        renderer: CameraRenderer,
        folder: Path,
        software: str,
    ) -> None:
        platform = equipment.platform
        self._platform, self._settings, self._world = platform, settings, world
        self._renderer, self._visibility = renderer, Visibility(platform, renderer)
        self._task = settings.task_in(world.room, seed, world.within_reach)
        self._scorer = scorer(self._task, world.room)
        self._brain = ExpertBrain(platform, kinematics=equipment.kinematics)
        self._facts = _facts(platform, settings, world.home, seed, self._task, software)
        self._score = self._scorer.score()
        self._ticks = 0
        self._pictured_ns = 0  # Time of the last pictures.
        self._boxes: dict[int, tuple[PictureBox, ...]] = {}  # By stamp of the plan.
        self._answers = 0  # Number of the planner's answers that were recorded.
        self._text = ""  # The subtask that stands.
        self._number = 0  # Its id.
        self._done_at: float | None = None
        self._idle_since = 0.0
        conditions = RolloutConfig()
        timing = LoopTiming(
            frame=_camera_period(platform),
            tick_phase=0.0,  # Stamps and ticks lie on one grid of simulated time.
            plan=conditions.planner_interval,
            plan_delay=conditions.delay,
        )
        computing = conditions.delay - timing.frame_latency - 2 * timing.transport
        robot: Robot = WorldRobot(platform, world)
        if settings.noise:
            random = random_for(world.home, seed, 0)
            robot = DisturbedRobot(robot, platform, settings.noise, random)
        self._loop = ClosedLoop(
            BridgedRobot(platform, robot),
            brain_scheduler(self._brain, AUTO, round(conditions.interval / platform.period)),
            self._predict_chunk,
            lambda: computing,
            planner=self._predict_subtask,
            task=self._task,
            timing=timing,
            hooks=LoopHooks(self._on_tick, self._take_pictures),
        )
        self._bag = EpisodeBag(folder, self._facts, platform, settings.quality)

    def run(self) -> EpisodeSummary:
        """Run the episode and close the bag."""
        try:
            self._brain.begin_task(self._task)
            ended = self._run()
            score = self._score
            whole = score.points >= score.max_points
            outcome = "success" if whole else "failure"
            if not whole and ended.startswith(_CUT):
                outcome = ""  # Nobody knows what would have become of it.
            facts = dataclasses.replace(self._facts, outcome=outcome, ended="" if whole else ended)
            self._bag.close(facts)
        except BaseException:
            self._bag.discard()
            raise
        return EpisodeSummary(
            name=facts.id,
            home=self._world.home,
            task=self._task,
            outcome=outcome,
            points=score.points,
            max_points=score.max_points,
            seconds=self._loop.seconds,
            ended=facts.ended,
        )

    def _run(self) -> str:
        """Run until the end; return why the task was not done, empty if the expert says it is."""
        loop, period = self._loop, self._platform.period
        self._take_pictures()  # Cameras send before the first observation, which is a set later.
        while loop.seconds < self._settings.max_seconds - 1e-9:
            loop.run(period)
            if self._done_at is not None and loop.seconds - self._done_at > _LINGER:
                missed = [
                    criterion
                    for criterion, points, most in zip(
                        self._score.criteria,
                        self._score.criterion_points,
                        self._score.criterion_max,
                        strict=True,
                    )
                    if points < most
                ]
                return f"done was said without: {', '.join(missed)}" if missed else ""
            bridge = loop.robot.bridge
            if loop.seconds > _IDLE and not bridge.mode.is_armed:
                return f"the robot stopped: {bridge.reason}"
            if self._text or self._done_at is not None:
                self._idle_since = loop.seconds
            elif loop.seconds - self._idle_since > _IDLE:
                return "the expert gave up"
        return f"{_CUT} after {self._settings.max_seconds:g} s"

    # Inputs and outputs of the loop.

    def _predict_chunk(self, observation: Observation, request: ChunkRequest) -> np.ndarray:
        return self._brain.predict_chunk(observation, request.subtask.text).actions

    def _predict_subtask(self, observation: Observation) -> SubtaskPrediction:
        prediction = self._brain.predict_subtask(observation, self._task)
        if prediction.text and not prediction.done:
            self._boxes[observation.stamp_ns] = self._boxes_of(prediction.text)
        return prediction

    def _boxes_of(self, text: str) -> tuple[PictureBox, ...]:
        """Return boxes around what the planner's cameras see of the subtask's item now."""
        item = parse_subtask(text, self._world.room).item
        if item is None:
            return ()
        snapshot = self._world.snapshot()
        boxes = []
        for camera in self._platform.planner_cameras:
            view = self._visibility.item(item.name, camera, snapshot)
            if view is not None and view.is_clear:
                boxes.append(PictureBox(camera, item.label, *view.box))
        return tuple(boxes)

    def _take_pictures(self) -> Mapping[str, np.ndarray]:
        """Record the pictures of now; the expert needs none."""
        now_ns = self._loop.now_ns
        if now_ns != self._pictured_ns:  # The planner observes at the same times.
            self._pictured_ns = now_ns
            snapshot = self._world.snapshot()
            for camera in self._platform.camera_names:
                picture = self._renderer.render(camera, snapshot)
                self._bag.add_picture(camera, picture, now_ns)
        return {}

    def _on_tick(self, tick: Tick, now_ns: int) -> None:
        for stamp_ns, prediction in self._loop.predictions[self._answers :]:
            self._answers += 1
            self._record_answer(stamp_ns, prediction, now_ns)
        state = self._loop.robot.state(tick, now_ns)
        if state is not None:
            self._bag.add_state(state, tick.reason, now_ns)
        self._ticks += 1
        if self._ticks % _SCORE_TICKS == 0:
            seconds = (now_ns - START_NS) * 1e-9 + self._platform.period
            world = self._world
            self._score = self._scorer.update(world.scene_state(), world.held(), seconds)

    def _record_answer(self, stamp_ns: int, prediction: SubtaskPrediction, now_ns: int) -> None:
        if self._done_at is not None:
            if not prediction.done:  # A dish has left the sink again: the task goes on.
                self._done_at = None
            else:
                return
        boxes = self._boxes.pop(stamp_ns, ())
        changed = prediction.text != self._text or not self._number
        trigger = "period" if self._number else "task"
        self._number += changed
        self._text = prediction.text
        if prediction.done:
            outcome, says = "done", "the task is done"
            self._done_at = (now_ns - START_NS) * 1e-9
        elif not prediction.text:
            outcome, says = "refused", "nothing can be done"
        else:
            outcome = "changed" if changed else "kept"
            says = "another subtask" if changed else "the same again"
        because = "the task began" if trigger == "task" else "the period was over"
        self._bag.add_answer(
            stamp_ns,
            now_ns,
            self._number,
            prediction.text,
            boxes,
            trigger=trigger,
            outcome=outcome,
            reason=f"asked because {because}: the expert says {says}",
        )


def _camera_period(platform: Platform) -> float:
    """Return the time between two pictures [s]: that of the slowest camera, in whole rows.

    Raises:
        CollectError: The camera is faster than the rows.
    """
    rate = min(camera.rate_hz for camera in platform.cameras)
    rows = round(1.0 / (rate * platform.period))
    if rows < 1:
        raise CollectError(
            f"{platform.name}: wanted cameras of at most {1.0 / platform.period:g} Hz, the rate "
            f"of its rows, found {rate:g} Hz"
        )
    return rows * platform.period


def _facts(
    platform: Platform,
    settings: CollectSettings,
    home: int,
    seed: int,
    task: str,
    software: str,
) -> EpisodeFacts:
    notes = []
    if settings.noise:
        notes.append(f"drives disturbed with noise {settings.noise:g}, seed {seed}")
    if settings.difficulty != "ideal":
        notes.append(f"difficulty {settings.difficulty}")
    return EpisodeFacts(
        id=settings.episode_id(home, seed),
        task=task,
        home=str(home),
        notes="; ".join(notes),
        platform=platform.name,
        names=platform.names,
        units=tuple(dimension.unit for dimension in platform.dimensions),
        rate_hz=1.0 / platform.period,
        cameras={
            camera.name: f"{camera.topic.removesuffix('/compressed')}/compressed"
            for camera in platform.cameras
        },
        rotations={camera.name: camera.rotate for camera in platform.cameras if camera.rotate},
        namespace=_NAMESPACE,
        brain="expert",
        software_version=software,
        simulated=True,
        started_ns=START_NS,
    )
