"""A brain does a task in a mock home: closed loop with physics, without ROS.

`python -m pi05_ros.evaluation.rollout --platform mobile_18dof --homes 0-9` prints a table.
Scheduler, bridge and limits are those of a robot (`closed_loop`), observations are old when their
answers arrive, and chunks may get lost. ros2_controllers and their timing are left out.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

import numpy as np

from pi05_ros.brain.interface import Brain, SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.chunking.scheduler import ChunkRelease, ChunkRequest, ChunkScheduler
from pi05_ros.chunking.settings import AUTO, ChunkSettings, settle_mode
from pi05_ros.control.bridge import Tick
from pi05_ros.evaluation.bridged_robot import BridgedRobot
from pi05_ros.evaluation.closed_loop import (
    START_NS,
    ClosedLoop,
    Images,
    LoopHooks,
    LoopTiming,
)
from pi05_ros.evaluation.world_robot import WorldRobot
from pi05_ros.platforms.platform import Platform, load_platform, platform_names
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.homes.difficulty import Difficulty
from pi05_ros.sim.tasks.registry import DISHES, room_of, scorer, text_in
from pi05_ros.sim.tasks.score import Score
from pi05_ros.sim.world import World

_TICKS_PER_FRAME = 2  # Cameras of 30 Hz on the grid of simulated time: every other tick.
_LINGER = 1.0  # A rollout goes on for so long after the brain has reported the task done [s].


@dataclass(frozen=True)
class RolloutConfig:
    """Conditions of a rollout. All times are simulated."""

    task: str = DISHES.text  # Text or name of a task.
    room: str = ""  # Kind of the room; empty: the one that the task is done in.
    difficulty: str = "ideal"  # Of the home; see `sim.homes.difficulty`.
    seconds: float = 180.0  # At most [s].
    delay: float = 0.1  # From an observation to the first row that is sent because of it [s].
    interval: float = 0.4  # Between the observations of two chunks, at least [s].
    planner_interval: float = 1.0  # Between two observations of the high level [s].
    dropped: float = 0.0  # Share of chunks that never arrive, 0 to 1.
    seed: int = 0  # Of the choice of chunks that are dropped.
    mode: str = AUTO  # One of CHUNK_MODES, or AUTO: what suits the brain.

    def __post_init__(self) -> None:
        Difficulty.parse(self.difficulty)
        if min(self.seconds, self.interval, self.planner_interval) <= 0 or self.delay < 0:
            raise ValueError("seconds and intervals must be above 0, delay not below 0")
        if not 0 <= self.dropped < 1:
            raise ValueError(f"dropped {self.dropped} is not a share below 1")


@dataclass
class RolloutResult:
    """Score and course of a rollout."""

    home: int
    points: float = 0.0
    max_points: float = 0.0
    seconds: float = 0.0  # Simulated, until done or out of time.
    done: bool = False  # Whether the brain reported the task done.
    subtasks: list[tuple[float, str]] = field(default_factory=list)  # (start [s], text)
    missed: tuple[str, ...] = ()  # Criteria without their point.
    chunk_ms: list[float] = field(default_factory=list)  # Wall time of each predict_chunk call.
    bumps: int = 0  # Periods at whose end the robot touched furniture.
    limited: int = 0  # Periods whose target was out of the reach of the platform's limits.
    rejected: int = 0  # Chunks that the bridge rejected.
    fault: str = ""  # Why the bridge latched a fault; empty: it did not.
    wall_seconds: float = 0.0


class Rollout:
    """One brain in one home.

    Args:
        platform: The robot's platform.
        home: Seed of the home.
        brain: Both levels.
        config: Conditions.
        images: Gives the pictures of `world` at the brain's size; None: the brain needs none.

    Attributes:
        world: The home; it stays as the rollout leaves it.
        loop: The closed loop around it.
        result: Filled in while the rollout runs.
    """

    def __init__(
        self,
        platform: Platform,
        home: int,
        brain: Brain,
        config: RolloutConfig = RolloutConfig(),
        images: Images | None = None,
    ) -> None:
        difficulty = Difficulty.parse(config.difficulty)
        room = config.room or room_of(config.task)
        self.world = World(platform, home, room, difficulty=difficulty)
        self.result = RolloutResult(home)
        self._platform = platform
        self._brain = brain
        self._config = config
        self._random = np.random.default_rng(config.seed)
        self._task = text_in(config.task, self.world.room)
        self._scorer = scorer(self._task, self.world.room)
        self._score: Score = self._scorer.score()
        self._touch = _FurnitureContact(self.world)
        self._done_at: float | None = None
        # In a mock home's graph stamps and ticks lie on one grid of simulated time; so here.
        timing = LoopTiming(
            frame=_TICKS_PER_FRAME * platform.period,
            tick_phase=0.0,
            plan=config.planner_interval,
            plan_delay=config.delay,
        )
        # A chunk is executed at the tick after its arrival, which it must not miss.
        computing = max(0.0, config.delay - timing.frame_latency - 2 * timing.transport)
        self.loop = ClosedLoop(
            BridgedRobot(platform, WorldRobot(platform, self.world)),
            brain_scheduler(brain, config.mode, round(config.interval / platform.period)),
            self._predict_chunk,
            lambda: computing,
            planner=self._predict_subtask,
            task=self._task,
            timing=timing,
            hooks=LoopHooks(self._on_tick, images, self._is_lost),
        )

    def run(self) -> RolloutResult:
        """Run until a second after the brain has reported the task done, or until time is up."""
        result, loop = self.result, self.loop
        started = time.perf_counter()
        self._brain.begin_task(self._task)
        while loop.seconds < self._config.seconds - 1e-9:
            loop.run(self._platform.period)
            self._note_subtask()
            if self._done_at is not None and loop.seconds - self._done_at > _LINGER:
                break
        score, bridge = self._score, loop.robot.bridge
        result.points, result.max_points = score.points, score.max_points
        result.missed = tuple(
            criterion
            for criterion, points, most in zip(
                score.criteria, score.criterion_points, score.criterion_max, strict=True
            )
            if points < most
        )
        result.done = self._done_at is not None
        result.seconds = loop.seconds if self._done_at is None else self._done_at
        result.limited = bridge.motion.ticks_limited
        result.rejected = len(loop.rejected)
        result.fault = "" if bridge.mode.is_armed else bridge.reason
        result.wall_seconds = time.perf_counter() - started
        return result

    def _note_subtask(self) -> None:
        """Note a change of the subtask, and since when the brain reports the task done."""
        loop, subtasks = self.loop, self.result.subtasks
        if not loop.predictions:
            return
        if not subtasks or subtasks[-1][1] != loop.subtask.text:
            subtasks.append((loop.seconds, loop.subtask.text))
        if not loop.predictions[-1][1].done:
            self._done_at = None
        elif self._done_at is None:
            self._done_at = loop.seconds

    def _predict_subtask(self, observation: Observation) -> SubtaskPrediction:
        return self._brain.predict_subtask(observation, self._task)

    def _predict_chunk(self, observation: Observation, request: ChunkRequest) -> np.ndarray:
        started = time.perf_counter()
        chunk = self._brain.predict_chunk(observation, request.subtask.text, request.continuation)
        self.result.chunk_ms.append((time.perf_counter() - started) * 1e3)
        return chunk.actions

    def _is_lost(self, release: ChunkRelease) -> bool:
        return bool(self._random.random() < self._config.dropped)

    def _on_tick(self, tick: Tick, now_ns: int) -> None:
        world = self.world
        self.result.bumps += self._touch.is_present()
        seconds = (now_ns - START_NS) * 1e-9 + self._platform.period
        self._score = self._scorer.update(world.scene_state(), world.held(), seconds)


class _FurnitureContact:
    """Contacts between the robot and furniture or walls; the floor, which carries it, is none."""

    def __init__(self, world: World) -> None:
        model = world.model
        self._data = world.data
        root = model.body_rootid
        robot = model.body(world.platform.base_frame).id
        room = model.body("room").id
        self._robot = root[model.geom_bodyid] == root[robot]
        self._room = root[model.geom_bodyid] == root[room]

    def is_present(self) -> bool:
        """Check whether they touch now."""
        pairs = self._data.contact.geom
        if not len(pairs):
            return False
        a, b = pairs[:, 0], pairs[:, 1]
        robot, room = self._robot, self._room
        return bool(((robot[a] & room[b]) | (robot[b] & room[a])).any())


def brain_scheduler(brain: Brain, mode: str, execution_horizon: int) -> ChunkScheduler:
    """Return a scheduler for a brain's chunks, as the policy node makes it.

    Args:
        brain: Its info decides.
        mode: One of CHUNK_MODES, or AUTO.
        execution_horizon: See ChunkSettings.

    Raises:
        ConfigError: The brain does not support the mode.
    """
    info = brain.info
    settings = ChunkSettings(settle_mode(mode, info.continuations), execution_horizon)
    max_committed = info.max_prefix if settings.mode == "trained_rtc" else None
    return ChunkScheduler(settings, info.period, info.horizon, max_committed)


def parse_homes(text: str) -> list[int]:
    """Parse a list of homes: `0-3,7` → [0, 1, 2, 3, 7].

    Raises:
        ValueError: The text is not such a list.
    """
    homes: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        homes += range(int(first), int(last or first) + 1)
    return homes


def main(arguments: list[str] | None = None) -> None:
    """Run the expert in homes and print a table."""
    defaults = RolloutConfig()
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--platform", choices=platform_names(), default="mobile_18dof")
    parser.add_argument("--homes", type=parse_homes, default=[0], help="for example 0-9 or 1,5,8")
    parser.add_argument("--task", default=defaults.task)
    parser.add_argument("--room", default=defaults.room, help="kind; default: the task's")
    parser.add_argument("--difficulty", default=defaults.difficulty, help="ideal, normal, hard")
    parser.add_argument("--seconds", type=float, default=defaults.seconds)
    parser.add_argument("--delay", type=float, default=defaults.delay, help="[s]")
    parser.add_argument("--interval", type=float, default=defaults.interval, help="[s]")
    parser.add_argument("--dropped", type=float, default=defaults.dropped, help="share, 0 to 1")
    parser.add_argument("--subtasks", action="store_true", help="print when each subtask began")
    options = parser.parse_args(arguments)
    platform = load_platform(options.platform)
    brain = ExpertBrain(platform)
    config = RolloutConfig(
        task=options.task,
        room=options.room,
        difficulty=options.difficulty,
        seconds=options.seconds,
        delay=options.delay,
        interval=options.interval,
        dropped=options.dropped,
    )
    results = []
    print("home  points  seconds  bumps  limited  chunk ms mean/max  wall s  missed")
    for home in options.homes:
        result = Rollout(platform, home, brain, config).run()
        results.append(result)
        print(
            f"{home:4d}  {result.points:.0f} / {result.max_points:.0f}  {result.seconds:6.1f}  "
            f"{result.bumps:6d}  {result.limited:7d}  {np.mean(result.chunk_ms):8.1f} / "
            f"{max(result.chunk_ms):6.1f}  {result.wall_seconds:6.1f}  {'; '.join(result.missed)}"
            f"{'' if result.done else '  (never said done)'}"
            f"{'  ' + result.fault if result.fault else ''}"
        )
        if options.subtasks:
            for at, text in result.subtasks:
                print(f"      {at:6.1f} s  {text or '(nothing)'}")
    points = np.mean([r.points for r in results])
    seconds = np.mean([r.seconds for r in results])
    print(f"mean points {points:.2f}, mean seconds {seconds:.1f}, over {len(results)} homes")


if __name__ == "__main__":
    main()
