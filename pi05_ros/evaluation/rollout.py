"""A brain in a mock home without ROS: one process, no clock to wait for, no pictures drawn.

`python -m pi05_ros.evaluation.rollout --platform mobile_18dof --homes 0-9` prints a table. It
stands in for the graph: observations are old when their answer arrives, answers get lost, commands
are limited. What it leaves out are messages, controllers and their timing.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

import numpy as np

from pi05_ros.brain.interface import Brain
from pi05_ros.brain.observation import Observation
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.world_robot import measured_state, send_command
from pi05_ros.platforms.platform import Platform, load_platform, platform_names
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.scoring import scorer
from pi05_ros.sim.world import World

TASK = "put the dishes in the sink"


@dataclass(frozen=True)
class RolloutConfig:
    """The conditions of a rollout. All times are simulated."""

    task: str = TASK
    seconds: float = 180.0  # At most [s].
    delay: float = 0.1  # From an observation to the first row that is sent because of it [s].
    interval: float = 0.4  # Between two observations of the low level [s].
    planner_interval: float = 1.0  # Between two observations of the high level [s].
    dropped: float = 0.0  # Share of chunks that never arrive, 0 to 1.
    seed: int = 0  # Of what is dropped.

    def __post_init__(self) -> None:
        if min(self.seconds, self.interval, self.planner_interval) <= 0 or self.delay < 0:
            raise ValueError("seconds and intervals must be above 0, delay not below 0")
        if not 0 <= self.dropped < 1:
            raise ValueError(f"dropped {self.dropped} is not a share below 1")


@dataclass
class RolloutResult:
    """What came of a rollout."""

    home: int
    points: float = 0.0
    max_points: float = 0.0
    seconds: float = 0.0  # Simulated, until done or out of time.
    done: bool = False  # Whether the brain said so.
    subtasks: list[tuple[float, str]] = field(default_factory=list)  # (start [s], text)
    missed: tuple[str, ...] = ()  # Criteria without their point.
    chunk_ms: list[float] = field(default_factory=list)  # Time of each predict_chunk call.
    bumps: int = 0  # Commands during which the robot touched furniture.
    limited: int = 0  # Commands that had to be cut to the platform's limits.
    wall_seconds: float = 0.0


class StreamStandIn:
    """What the control bridge does with chunks, in short: rows by their stamp, within limits."""

    def __init__(self, platform: Platform, start: np.ndarray) -> None:
        self._platform = platform
        self.command: np.ndarray = start.copy()
        self.commanded: np.ndarray = np.full(platform.size, np.nan)
        self.limited = 0
        self._chunk: np.ndarray | None = None
        self._stamp = 0.0

    def accept(self, chunk: np.ndarray, stamp: float) -> None:
        """A chunk arrives; row k is meant for `stamp` + k periods [s]."""
        if chunk.ndim != 2 or chunk.shape[1] != self._platform.size:
            raise Pi05Error(f"wanted a chunk of (rows, {self._platform.size}), got {chunk.shape}")
        if not np.isfinite(chunk).all():
            raise Pi05Error("a chunk is not finite")
        self._chunk, self._stamp = chunk, stamp

    def tick(self, now: float) -> np.ndarray:
        """The command (D,) to send at `now` [s]. After its last row a chunk brakes the base."""
        platform = self._platform
        target = np.where(platform.is_velocity, 0.0, self.command)
        if self._chunk is not None:
            row = round((now - self._stamp) / platform.period)
            if 0 <= row < len(self._chunk):
                target = self._chunk[row]
        step = platform.period * np.where(
            platform.is_velocity, platform.max_acceleration, platform.max_velocity
        )
        allowed = np.clip(target, self.command - step, self.command + step)
        allowed = np.clip(allowed, platform.lower, platform.upper)
        self.limited += bool(np.abs(allowed - target).max() > 1e-6)
        self.command = self.commanded = allowed
        return allowed


class Rollout:
    """One brain in one home."""

    def __init__(
        self, platform: Platform, home: int, brain: Brain, config: RolloutConfig = RolloutConfig()
    ) -> None:
        self.world = World(platform, home)
        self._platform = platform
        self._brain = brain
        self._config = config
        self._random = np.random.default_rng(config.seed)
        self._scorer = scorer(config.task, self.world.kitchen)
        self._stream = StreamStandIn(platform, platform.home.copy())
        self._touch = _Touch(self.world)
        self.result = RolloutResult(home)

    def run(self) -> RolloutResult:
        """Runs until a second after the brain says that the task is done, or until time is up."""
        config, period = self._config, self._platform.period
        started = time.perf_counter()
        self._brain.begin_task(config.task)
        text, arriving_text, arriving_chunk = "", [], []
        next_plan = next_chunk = 0.0
        done_at = None
        for tick in range(round(config.seconds / period)):
            now = tick * period
            if now >= next_plan:
                next_plan = now + config.planner_interval
                arriving_text.append((now + config.delay, self._plan(now)))
            while arriving_text and arriving_text[0][0] <= now + 1e-9:
                text, done = arriving_text.pop(0)[1]
                if not self.result.subtasks or self.result.subtasks[-1][1] != text:
                    self.result.subtasks.append((now, text))
                    next_chunk = now  # The low level answers to a new subtask at once.
                if done and done_at is None:
                    done_at = now
                elif not done:
                    done_at = None
            if now >= next_chunk:
                next_chunk = now + config.interval
                chunk = self._predict(now, text)
                if self._random.random() >= config.dropped:
                    arriving_chunk.append((now + config.delay, now, chunk))
            while arriving_chunk and arriving_chunk[0][0] <= now + 1e-9:
                _, stamp, chunk = arriving_chunk.pop(0)
                self._stream.accept(chunk, stamp)
            send_command(self._platform, self.world, self._stream.tick(now))
            self.world.step(period)
            self.result.bumps += self._touch.happens()
            score = self._scorer.update(self.world.scene_state(), self.world.held(), now + period)
            if done_at is not None and now - done_at > 1.0:
                break
        result = self.result
        result.points, result.max_points = score.points, score.max_points
        result.missed = tuple(
            c
            for c, p, m in zip(
                score.criteria, score.criterion_points, score.criterion_max, strict=True
            )
            if p < m
        )
        result.done = done_at is not None
        result.seconds = done_at if done_at is not None else now
        result.limited = self._stream.limited
        result.wall_seconds = time.perf_counter() - started
        return result

    def _plan(self, now: float) -> tuple[str, bool]:
        prediction = self._brain.predict_subtask(self._observe(now), self._config.task)
        return prediction.text, prediction.done

    def _predict(self, now: float, text: str) -> np.ndarray:
        observation = self._observe(now)
        started = time.perf_counter()
        chunk = self._brain.predict_chunk(observation, text).actions
        self.result.chunk_ms.append((time.perf_counter() - started) * 1e3)
        return chunk

    def _observe(self, now: float) -> Observation:
        return Observation(
            stamp_ns=round(now * 1e9),
            names=self._platform.names,
            state=measured_state(self._platform, self.world),
            commanded=self._stream.commanded.copy(),
            scene=self.world.scene_state(),
        )


class _Touch:
    """Whether the robot touches furniture or walls (the floor is what it stands on)."""

    def __init__(self, world: World) -> None:
        model = world.model
        self._data = world.data
        root = model.body_rootid
        robot = model.body(world.platform.base_frame).id
        room = model.body("room").id
        self._robot = root[model.geom_bodyid] == root[robot]
        self._room = root[model.geom_bodyid] == root[room]

    def happens(self) -> bool:
        pairs = self._data.contact.geom
        if not len(pairs):
            return False
        a, b = pairs[:, 0], pairs[:, 1]
        robot, room = self._robot, self._room
        return bool(((robot[a] & room[b]) | (robot[b] & room[a])).any())


def parse_homes(text: str) -> list[int]:
    """`0-3,7` → [0, 1, 2, 3, 7].

    Raises:
        ValueError: It is not such a list.
    """
    homes: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        homes += range(int(first), int(last or first) + 1)
    return homes


def main(arguments: list[str] | None = None) -> None:
    """Runs the expert in homes and prints a table."""
    defaults = RolloutConfig()
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--platform", choices=platform_names(), default="mobile_18dof")
    parser.add_argument("--homes", type=parse_homes, default=[0], help="for example 0-9 or 1,5,8")
    parser.add_argument("--task", default=defaults.task)
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
        )
        if options.subtasks:
            for at, text in result.subtasks:
                print(f"      {at:6.1f} s  {text or '(nothing)'}")
    points = np.mean([r.points for r in results])
    seconds = np.mean([r.seconds for r in results])
    print(f"mean points {points:.2f}, mean seconds {seconds:.1f}, over {len(results)} homes")


if __name__ == "__main__":
    main()
