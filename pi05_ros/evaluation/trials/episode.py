"""One trial without ROS: bridge, chunk scheduler and planner rules of a robot, in a mock home."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from pi05_ros.brain.interface import Brain
from pi05_ros.brain.observation import Observation
from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.inference_watch import InferenceWatch
from pi05_ros.chunking.scheduler import ChunkRequest
from pi05_ros.control.bridge import Tick
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.evaluation.bridged_robot import BridgedRobot
from pi05_ros.evaluation.closed_loop import START_NS, ClosedLoop, LoopHooks, LoopTiming
from pi05_ros.evaluation.holds import HoldLog
from pi05_ros.evaluation.rollout import brain_scheduler
from pi05_ros.evaluation.trials.modes import HighLevel
from pi05_ros.evaluation.trials.planner import LoopPlanner
from pi05_ros.evaluation.trials.result import Criterion, Span, TrialResult, hold_spans, span
from pi05_ros.evaluation.trials.settings import SETTLE_S, EvaluationSettings, Trial
from pi05_ros.evaluation.trials.tasks import criterion_kind
from pi05_ros.evaluation.world_pictures import DriverPictures, camera_period
from pi05_ros.evaluation.world_robot import WorldRobot
from pi05_ros.planning.tasks import Outcome
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.homes.difficulty import Difficulty
from pi05_ros.sim.tasks.registry import scorer
from pi05_ros.sim.world import World

_TIMESTEP = 0.005  # Of the physics [s], as in the graph's simulation.
_LIMIT_SLACK_S = 5.0  # The planner's own time limit is so much longer than the trial's [s].
_SCORE_TICKS = 5  # Ticks between two updates of the score, as in the graph's simulation.
_INSTANCE = 1  # Of the policy's heartbeats.
_INFERENCE_LIMIT_S = 3.0  # As the policy node's; an inference of the loop always returns.
_ENDS = {
    Outcome.DONE: "task done",
    Outcome.TIMEOUT: "planner: time limit reached",
    Outcome.FAILED: "planner: task failed",
}


class Episode:
    """A trial while it runs.

    Args:
        settings: Of the evaluation.
        trial: The trial.
        platform: The robot.
        low: Its low level.
        high: What names the subtasks; None: the task is the subtask.

    Attributes:
        world: The home.
        loop: The closed loop around it.
        score: The last score.
    """

    def __init__(
        self,
        settings: EvaluationSettings,
        trial: Trial,
        platform: Platform,
        low: Brain,
        high: HighLevel | None,
    ) -> None:
        self._settings, self._trial, self._platform = settings, trial, platform
        self._low = low
        self.world = World(
            platform,
            trial.home,
            trial.task.room,
            timestep=_TIMESTEP,
            difficulty=Difficulty.parse(settings.difficulty),
        )
        self._renderer = CameraRenderer(self.world)
        self._rubric = scorer(trial.text, self.world.room)
        self.score = self._rubric.score()
        self._planner = LoopPlanner(platform, high, settings.delay)
        self._watch = InferenceWatch(_INFERENCE_LIMIT_S)
        self._failures: dict[str, int] = {}
        self._holds, self._spans = HoldLog(), list[Span]()
        self._is_open = False  # Whether the last span lasts.
        self._ticks = 0
        self._was_armed = False
        self._over_since: float | None = None
        timing = LoopTiming(frame=camera_period(platform), tick_phase=0.0)
        # A chunk is executed at the tick after its arrival, which it must not miss.
        computing = max(0.0, settings.delay - timing.frame_latency - 2 * timing.transport)
        interval = round(settings.interval / platform.period)
        try:
            scheduler = brain_scheduler(low, settings.chunk_mode, interval)
        except ValueError as error:  # As for the policy node.
            raise ConfigError(f"chunks of {trial.weights.checkpoint}", str(error)) from error
        self.loop = ClosedLoop(
            BridgedRobot(platform, WorldRobot(platform, self.world)),
            scheduler,
            self._predict_chunk,
            lambda: computing,
            task=trial.text,
            timing=timing,
            hooks=LoopHooks(
                on_tick=self._on_tick,
                images=self._images,
                on_state=self._on_state,
                on_observation=self._planner.on_observation,
                on_release=self._planner.on_release,
            ),
        )

    def run(self, on_period: Callable[[Episode], None] = lambda episode: None) -> TrialResult:
        """Run it to its end.

        Args:
            on_period: Called after each period of the robot.
        """
        loop, task = self.loop, self._trial.task
        begun, begun_work = time.perf_counter(), time.process_time()
        text = self._trial.text
        self._low.begin_task(text)
        self._holds.begin()
        self._planner.begin(loop, text, task.seconds + _LIMIT_SLACK_S)
        ended = ""
        try:
            while not ended:
                loop.run(self._platform.period)
                on_period(self)
                ended = self._end()
        finally:
            self._renderer.close()
        wall, work = time.perf_counter() - begun, time.process_time() - begun_work
        return self._result(ended, wall, work)

    @property
    def driver_pictures(self) -> DriverPictures:
        """The present pictures of the drivers."""
        return DriverPictures(self._platform, self._renderer, self.world.snapshot())

    def _end(self) -> str:
        """Return why the trial is over; empty: it goes on."""
        now = self.loop.seconds
        bridge = self.loop.robot.bridge
        self._was_armed |= bridge.mode.is_armed
        if self._was_armed and not bridge.mode.is_armed:
            return "fault"
        is_full = self.score.points >= self.score.max_points
        outcome = self._planner.outcome
        if self._over_since is None and (is_full or outcome is not None):
            self._over_since = now
        if self._over_since is not None and now - self._over_since >= SETTLE_S - 1e-9:
            if is_full:
                return "full score"
            if outcome is not None:
                message = f": {self._planner.message}" if self._planner.message else ""
                return _ENDS[outcome] + message
            self._over_since = None  # A point was lost again.
        return "time" if now >= self._trial.task.seconds - 1e-9 else ""

    def _result(self, ended: str, wall: float, work: float) -> TrialResult:
        loop, trial, bridge = self.loop, self._trial, self.loop.robot.bridge
        self._note_subtask()
        self._close_span()
        self._holds.end(loop.seconds)
        holds, late = hold_spans(self._holds.holds, loop.seconds)
        score, room = self.score, self.world.room
        criteria = tuple(
            Criterion(text, criterion_kind(text, room), points, most)
            for text, points, most in zip(
                score.criteria, score.criterion_points, score.criterion_max, strict=True
            )
        )
        return TrialResult(
            name=self._settings.name_of(trial),
            task=trial.task.name,
            text=trial.text,
            home=trial.home,
            mode=trial.mode,
            checkpoint=trial.weights.checkpoint,
            seed=trial.seed,
            points=float(score.points),
            max_points=float(score.max_points),
            seconds=round(loop.seconds, 3),
            ended=ended,
            fault=f"{bridge.mode.name.lower()}: {bridge.reason}" if ended == "fault" else "",
            criteria=criteria,
            subtasks=tuple(self._spans),
            holds=holds,
            holds_after_start=late,
            chunks=len(loop.releases),
            answers=dict(sorted(self._planner.planning.counts.items())),
            failures=dict(sorted({**self._planner.failures, **self._failures}.items())),
            brain=self._low.info.description,
            wall_seconds=round(wall, 3),
            processor_seconds=round(work, 3),
        )

    # Hooks of the loop.

    def _images(self) -> Mapping[str, np.ndarray]:
        return self.driver_pictures.at(self._low.info.image_size or (1, 1))

    def _predict_chunk(self, observation: Observation, request: ChunkRequest) -> np.ndarray | None:
        text, running = request.subtask.text, request.continuation
        try:
            actions = self._low.predict_chunk(observation, text, running).actions
        except Pi05Error as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            self._watch.failed(reason)
            self._failures[reason] = self._failures.get(reason, 0) + 1
            return None
        self._watch.succeeded()
        return actions

    def _on_state(self, state: StateSample) -> None:
        self._planner.on_state(state)
        now_ns = self.loop.now_ns
        problem = self._watch.problem(0, now_ns)
        self.loop.robot.bridge.peers.on_heartbeat("policy", _INSTANCE, problem, now_ns)

    def _on_tick(self, tick: Tick, now_ns: int) -> None:
        seconds = (now_ns - START_NS) * 1e-9
        self._note_subtask()
        self._holds.subtask(bool(self.loop.subtask.text), seconds)
        self._holds.robot(int(tick.mode), tick.reason, seconds)
        self._ticks += 1
        if self._ticks % _SCORE_TICKS == 0:
            world = self.world
            after = seconds + self._platform.period
            self.score = self._rubric.update(world.scene_state(), world.held(), after)

    def _note_subtask(self) -> None:
        """Begin a span where the subtask has changed."""
        standing = self._planner.planning.keeper.subtask
        text = self.loop.subtask.text
        last = self._spans[-1] if self._spans and self._is_open else None
        if (last.text if last else "") == text:
            return
        self._close_span()
        if text:
            source = standing.source if standing is not None else ""
            self._spans.append(span(text, source, self.loop.seconds, self.loop.seconds))
            self._is_open = True

    def _close_span(self) -> None:
        if self._is_open:
            last = self._spans[-1]
            self._spans[-1] = span(last.text, last.source, last.start_s, self.loop.seconds)
            self._is_open = False
