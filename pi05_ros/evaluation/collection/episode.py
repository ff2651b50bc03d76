"""One episode of the expert in a mock home, recorded as a bag of the suite, without ROS."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pi05_ros.brain.interface import Brain, SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.chunking.scheduler import ChunkRequest
from pi05_ros.chunking.settings import AUTO
from pi05_ros.control.bridge import Tick
from pi05_ros.data.episodes.episode import CONTROL_DISTURBANCE, CONTROL_POLICY, PictureBox
from pi05_ros.evaluation.bridged_robot import BridgedRobot, Robot
from pi05_ros.evaluation.closed_loop import START_NS, ClosedLoop, LoopHooks, LoopTiming
from pi05_ros.evaluation.collection.answers import EXTERNAL, HUMAN, Answers
from pi05_ros.evaluation.collection.disturbance import DisturbedRobot
from pi05_ros.evaluation.collection.episode_bag import EpisodeBag
from pi05_ros.evaluation.collection.facts import facts_of
from pi05_ros.evaluation.collection.low_level import LowLevel
from pi05_ros.evaluation.collection.other_tasks import OtherTasks
from pi05_ros.evaluation.collection.restart import restart
from pi05_ros.evaluation.collection.settings import CollectError, CollectSettings, random_for
from pi05_ros.evaluation.collection.visibility import Visibility
from pi05_ros.evaluation.opened_models import opened_model
from pi05_ros.evaluation.rollout import RolloutConfig, brain_scheduler
from pi05_ros.evaluation.world_pictures import DriverPictures, camera_period
from pi05_ros.evaluation.world_robot import WorldRobot
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.language import parse_subtask, sentences
from pi05_ros.sim.expert.tasks import things_to_put
from pi05_ros.sim.homes.difficulty import Difficulty
from pi05_ros.sim.tasks.registry import scorer, tasks_about_one_thing
from pi05_ros.sim.world import World

if TYPE_CHECKING:
    from pi05_ros.inference.model_brain import ModelBrain

_TIMESTEP = 0.005  # Of the physics [s], as in the graph's simulation.
_SCORE_TICKS = 5  # Ticks between two updates of the score, as there.
_LINGER = 1.0  # An episode goes on for so long after the task is done [s].
_IDLE = 3.0  # The expert has given up when it names no subtask for so long [s].
LATCHED = ("pick up ", "open ")  # First words of criteria that tell what was done, not what is so.
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
    name, settings = settings.episode_id(home, seed), settings.for_home(home, seed)
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
        return _Recording(equipment, settings, name, seed, world, renderer, folder, software).run()
    finally:
        renderer.close()


class _Recording:
    """An episode while it is recorded."""

    def __init__(
        self,
        equipment: Equipment,
        settings: CollectSettings,
        name: str,
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
        self._brain.begin_task(self._task)
        if settings.restarts:
            things = things_to_put(self._task, world.room)
            restart(world, equipment.kinematics, things, random_for(world.home, seed, 4))
        self._model = _model(settings, world.home, seed)
        self._low = LowLevel(
            self._brain,
            platform,
            sentences(world.room),
            settings.wrong_chunks,
            self._model if settings.visited else None,
            random_for(world.home, seed, 5),
        )
        self._tasks = OtherTasks(
            self._task,
            tasks_about_one_thing(world.room),
            settings.other_tasks,
            random_for(world.home, seed, 6),
        )
        self._task_of: dict[int, str] = {}  # Task by stamp of the plan.
        self._facts = facts_of(platform, settings, name, world.home, seed, self._task, software)
        self._score = self._scorer.score()
        self._ticks = 0
        self._pictured_ns = 0  # Time of the last pictures.
        self._next_recorded_ns = 0  # Time from which the next ones are recorded.
        self._pictures: DriverPictures  # The last ones.
        self._boxes: dict[int, tuple[PictureBox, ...]] = {}  # By stamp of the plan.
        self._heard = 0  # Number of the planner's answers that were recorded.
        self._idle_since = 0.0
        _check_cameras(platform)
        conditions = RolloutConfig()
        timing = LoopTiming(
            frame=camera_period(platform),
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
            brain_scheduler(self._acting, AUTO, round(conditions.interval / platform.period)),
            self._predict_chunk,
            lambda: computing,
            planner=self._predict_subtask,
            task=self._task,
            timing=timing,
            hooks=LoopHooks(self._on_tick, self._take_pictures),
        )
        self._bag = EpisodeBag(folder, self._facts, platform, settings.quality)
        self._answers = Answers(self._bag, HUMAN if settings.verbal else EXTERNAL)

    def run(self) -> EpisodeSummary:
        """Run the episode and close the bag."""
        try:
            ended = self._run()
            score = self._score
            whole = not self._missed()
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
        self._next_recorded_ns = 0  # Plans are asked for at the times of observations.
        while loop.seconds < self._settings.max_seconds - 1e-9:
            loop.run(period)
            if (
                self._answers.done_at is not None
                and loop.seconds - self._answers.done_at > _LINGER
            ):
                missed = self._missed()
                return f"done was said without: {', '.join(missed)}" if missed else ""
            bridge = loop.robot.bridge
            if loop.seconds > _IDLE and not bridge.mode.is_armed:
                return f"the robot stopped: {bridge.reason}"
            if self._answers.text or self._answers.done_at is not None:
                self._idle_since = loop.seconds
            elif loop.seconds - self._idle_since > _IDLE:
                return "the expert gave up"
        return f"{_CUT} after {self._settings.max_seconds:g} s"

    def _missed(self) -> list[str]:
        """Return the criteria without their points.

        After a restart nobody knows who picked up what is in its place already.
        """
        score = self._score
        return [
            criterion
            for criterion, points, most in zip(
                score.criteria, score.criterion_points, score.criterion_max, strict=True
            )
            if points < most and not (self._settings.restarts and criterion.startswith(LATCHED))
        ]

    @property
    def _acting(self) -> Brain:
        """The brain whose rows are recorded as the robot's own."""
        return self._model if self._settings.verbal and self._model else self._brain

    # Inputs and outputs of the loop.

    def _predict_chunk(self, observation: Observation, request: ChunkRequest) -> np.ndarray:
        if self._settings.verbal:
            text, running = request.subtask.text, request.continuation
            return self._acting.predict_chunk(observation, text, running).actions
        return self._low.predict(observation, request)

    def _predict_subtask(self, observation: Observation) -> SubtaskPrediction:
        task = self._tasks.task_at(observation.stamp_ns)
        prediction = self._brain.predict_subtask(observation, task)
        if task != self._task and (prediction.done or not prediction.text):
            # Nothing is left to do of another task, whose end is not that of the episode.
            self._tasks.end()
            task = self._task
            prediction = self._brain.predict_subtask(observation, task)
        self._task_of[observation.stamp_ns] = task
        if prediction.text and not prediction.done:
            self._boxes[observation.stamp_ns] = self._boxes_of(prediction.text)
        return prediction

    def _boxes_of(self, text: str) -> tuple[PictureBox, ...]:
        """Return boxes around what the planner's cameras see now of what the subtask names.

        They are those of its thing, then of where it is put.
        """
        command, snapshot = parse_subtask(text, self._world.room), self._world.snapshot()
        things, places = [], []
        for camera in self._platform.planner_cameras:
            if (thing := command.thing) is not None:
                view = self._visibility.item(thing.name, camera, snapshot)
                if view is not None and view.is_clear:
                    noun = thing.phrase.removeprefix("the ")
                    things.append(PictureBox(camera, noun, *view.box))
            if command.container is not None:
                label = command.container.phrase.removeprefix("the ")
                place = self._visibility.scene(camera, snapshot)[1].get(label)
                if place is not None and place.is_clear:
                    places.append(PictureBox(camera, label, *place.box))
        return (*things, *places)

    def _take_pictures(self) -> Mapping[str, np.ndarray]:
        """Record the pictures of now; the expert needs none."""
        now_ns = self._loop.now_ns
        if now_ns != self._pictured_ns:  # The planner observes at the same times.
            self._pictured_ns = now_ns
            snapshot = self._world.snapshot()
            self._pictures = DriverPictures(self._platform, self._renderer, snapshot)
            if now_ns >= self._next_recorded_ns:
                rate = self._settings.picture_rate
                self._next_recorded_ns = now_ns + (round(1e9 / rate) if rate else 0)
                for camera in self._platform.camera_names:
                    self._bag.add_picture(camera, self._pictures.rendered(camera), now_ns)
        if self._model is None:
            return {}
        return self._pictures.at(self._model.info.image_size or (1, 1))

    def _on_tick(self, tick: Tick, now_ns: int) -> None:
        for stamp_ns, prediction in self._loop.predictions[self._heard :]:
            self._heard += 1
            self._answers.record(
                stamp_ns,
                now_ns,
                self._task_of.pop(stamp_ns, self._task),
                prediction,
                self._boxes.pop(stamp_ns, ()),
            )
        state = self._loop.robot.state(tick, now_ns)
        if state is not None:
            is_own = self._low.is_expert(state.chunk_stamp_ns)
            driver = CONTROL_POLICY if is_own else CONTROL_DISTURBANCE
            self._bag.add_state(state, tick.reason, now_ns, driver)
        self._ticks += 1
        if self._ticks % _SCORE_TICKS == 0:
            seconds = (now_ns - START_NS) * 1e-9 + self._platform.period
            world = self._world
            self._score = self._scorer.update(world.scene_state(), world.held(), seconds)


def _model(settings: CollectSettings, home: int, seed: int) -> ModelBrain | None:
    """Return the checkpoint that drives, with the same random numbers for the same episode."""
    checkpoint = settings.visited or settings.verbal
    if not checkpoint:
        return None
    model = opened_model(settings.platform, checkpoint)
    model.reseed(int(random_for(home, seed, 7).integers(2**31)))
    return model


def _check_cameras(platform: Platform) -> None:
    """Check that pictures can be taken in whole rows.

    Raises:
        CollectError: All cameras are faster than the rows.
    """
    rate = min(camera.rate_hz for camera in platform.cameras)
    if round(1.0 / (rate * platform.period)) < 1:
        raise CollectError(
            f"{platform.name}: wanted cameras of at most {1.0 / platform.period:g} Hz, the rate "
            f"of its rows, found {rate:g} Hz"
        )
