"""The dishes of a mock home, by an expert with the will of a flow.

The scripted expert says what it would do, a chunk is drawn around that from a Gaussian process as
a flow draws it, and the real bridge moves the simulated robot. So all four modes do the same work
in a closed loop, with physics. Messages and their timing are left out.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch

from pi05_ros.brain.observation import Observation, SceneState
from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.join import join
from pi05_ros.chunking.scheduler import ChunkRequest, ChunkScheduler, SubtaskRef
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.evaluation.chunk_loop import ChunkLoop
from pi05_ros.evaluation.rollout import TASK
from pi05_ros.evaluation.world_robot import measured_state, send_command
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.scoring import scorer
from pi05_ros.sim.world import World

from .gaussian_flow import GaussianFlow, smooth_covariance
from .robot import BridgedRobot
from .units import Units

# Standard deviation of a plan from the expert's [units of 0.4 rad]: dishes are still grasped.
WAVER = 0.04
PLAN_PERIOD = 1.0  # Between two decisions of the high level [s].


class HomeBody:
    """The simulated robot; remembers what the home looked like at each tick."""

    def __init__(self, platform: Platform, world: World) -> None:
        self._platform, self._world = platform, world
        self.scenes: dict[int, SceneState] = {}

    def state(self) -> np.ndarray:
        return measured_state(self._platform, self._world)

    def move(self, command: np.ndarray | None, now_ns: int) -> None:
        self.scenes[now_ns] = self._world.scene_state()
        if command is not None:
            send_command(self._platform, self._world, command)
        self._world.step(self._platform.period)


class WaveringExpert:
    """The expert, drawn from."""

    def __init__(self, platform: Platform, body: HomeBody, delay: float, seed: int) -> None:
        # It thinks ahead by what its chunks will be late.
        self.expert = ExpertBrain(platform, ScriptedExpertConfig(latency=delay + 0.04))
        self._body, self._units = body, Units(platform)
        # Grippers close and open when the expert says so; the base goes where it says.
        self._wavers = np.array([d.unit == "rad" for d in platform.dimensions])
        horizon = self.expert.info.horizon
        self._flow = GaussianFlow(smooth_covariance(horizon, WAVER, length=20.0, first=0.3))
        self._random = torch.Generator().manual_seed(seed)

    def observation(self, state: StateSample) -> Observation:
        """What the expert sees at a tick."""
        return Observation(
            stamp_ns=state.stamp_ns,
            names=state.names,
            state=state.measured,
            commanded=state.commanded,
            scene=self._body.scenes[state.stamp_ns],
        )

    def think(self, state: StateSample, request: ChunkRequest) -> np.ndarray:
        """(H, D) float64 targets; see `evaluation.chunk_loop.Think`."""
        planned = self.expert.predict_chunk(self.observation(state), request.subtask.text).actions
        means = torch.from_numpy(self._units.to_model(planned))[None]
        noise = torch.randn(means.shape[1:], generator=self._random)
        running = request.continuation
        told = running and dataclasses.replace(
            running, actions=self._units.to_model(running.actions)
        )
        drawn = self._units.to_robot(self._flow.draw(means, noise, told).double().numpy())
        actions = np.where(self._wavers, drawn, planned)
        if running is not None:
            actions[: running.committed] = running.actions[: running.committed]
        # The expert goes on from its commands; they are these now.
        sent = actions if running is None else join(actions, running, ChunkSettings.fade_rows)
        self.expert.replace_last_chunk(request.stamp_ns, sent)
        return actions


@dataclass(frozen=True)
class HomeRun:
    """One run: its ticks, and what it was good for."""

    robot: BridgedRobot
    points: float
    seconds: float  # Simulated, until the expert was done or time was up.


def run(platform: Platform, mode: str, delay: float, home: int, seconds: float) -> HomeRun:
    """Does the dishes of a home, for `seconds` at most (simulated)."""
    world = World(platform, home)
    body = HomeBody(platform, world)
    mind = WaveringExpert(platform, body, delay, seed=home)
    robot = BridgedRobot(platform, body)
    scheduler = ChunkScheduler(ChunkSettings(mode=mode), platform.period, mind.expert.info.horizon)
    loop = ChunkLoop(scheduler, robot, mind.think, lambda: delay)
    loop.subtask = SubtaskRef(TASK, 1, "")
    mind.expert.begin_task(TASK)
    judge, passed, done = scorer(TASK, world.kitchen), 0.0, False
    loop.run(0.2)
    while passed < seconds and not done:
        decision = mind.expert.predict_subtask(mind.observation(loop.newest_state), TASK)
        done = decision.done
        if decision.text != loop.subtask.text:
            loop.subtask = SubtaskRef(TASK, loop.subtask.id + 1, decision.text)
        for _ in range(round(PLAN_PERIOD / 0.1)):
            loop.run(0.1)
            passed += 0.1
            score = judge.update(world.scene_state(), world.held(), passed)
    return HomeRun(robot, float(score.points), passed)
