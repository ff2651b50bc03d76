"""The dishes of a mock home, by an expert whose plans vary as those of a flow do.

The scripted expert plans, a chunk is drawn around its plan from a Gaussian process as a flow draws
it, and the bridge moves the simulated robot. So all four modes do the same work in a closed loop,
with physics. Messages and their timing are left out.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.chunking.join import join
from pi05_ros.chunking.scheduler import ChunkRequest, ChunkScheduler
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.evaluation.bridged_robot import BridgedRobot
from pi05_ros.evaluation.closed_loop import ClosedLoop, LoopHooks, LoopTiming
from pi05_ros.evaluation.world_robot import WorldRobot
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.expert.brain import ExpertBrain
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.tasks.registry import DISHES, scorer
from pi05_ros.sim.world import World

from .gaussian_flow import GaussianFlow, smooth_covariance
from .record import Run, TickRecorder
from .units import Units

# Standard deviation of a plan from the expert's [units of 0.4 rad]: dishes are still grasped.
DEVIATION = 0.04
_STEP = 0.1  # Between two updates of the score [s].


class NoisyExpert:
    """Samples chunks around the expert's plans.

    Args:
        platform: The robot's platform.
        delay: Time that a chunk takes to compute [s]; the expert plans ahead by it.
        seed: Of the noise.
    """

    def __init__(self, platform: Platform, delay: float, seed: int) -> None:
        self.expert = ExpertBrain(platform, ScriptedExpertConfig(latency=delay + 0.04))
        self._units = Units(platform)
        # Grippers and the base follow the plan exactly.
        self._is_noisy = np.array([d.unit == "rad" for d in platform.dimensions])
        horizon = self.expert.info.horizon
        self._flow = GaussianFlow(smooth_covariance(horizon, DEVIATION, length=20.0, first=0.3))
        self._random = torch.Generator().manual_seed(seed)

    def predict_subtask(self, observation: Observation) -> SubtaskPrediction:
        """Return the expert's subtask; see `closed_loop.Planner`."""
        return self.expert.predict_subtask(observation, DISHES.text)

    def predict_chunk(self, observation: Observation, request: ChunkRequest) -> np.ndarray:
        """Sample (H, D) float64 targets; see `closed_loop.Policy`."""
        planned = self.expert.predict_chunk(observation, request.subtask.text).actions
        means = torch.from_numpy(self._units.to_model(planned))[None]
        noise = torch.randn(means.shape[1:], generator=self._random)
        running = request.continuation
        in_units = running and dataclasses.replace(
            running, actions=self._units.to_model(running.actions)
        )
        sample = self._units.to_robot(self._flow.sample(means, noise, in_units).double().numpy())
        actions = np.where(self._is_noisy, sample, planned)
        if running is not None:
            actions[: running.committed] = running.actions[: running.committed]
        # The expert continues from its own commands, which are now these.
        sent = actions if running is None else join(actions, running, ChunkSettings.fade_rows)
        self.expert.replace_last_chunk(request.stamp_ns, sent)
        return actions


def run(platform: Platform, mode: str, delay: float, home: int, seconds: float) -> Run:
    """Do the dishes of a home, for `seconds` at most (simulated)."""
    world = World(platform, home)
    policy = NoisyExpert(platform, delay, seed=home)
    recorder = TickRecorder(platform)
    horizon = policy.expert.info.horizon
    loop = ClosedLoop(
        BridgedRobot(platform, WorldRobot(platform, world)),
        ChunkScheduler(ChunkSettings(mode=mode), platform.period, horizon),
        policy.predict_chunk,
        lambda: delay,
        planner=policy.predict_subtask,
        task=DISHES.text,
        timing=LoopTiming(plan_delay=0.0),
        hooks=LoopHooks(on_tick=recorder.add),
    )
    policy.expert.begin_task(DISHES.text)
    rubric, points, done = scorer(DISHES.text, world.room), 0.0, False
    while loop.seconds < seconds and not done:
        loop.run(_STEP)
        points = rubric.update(world.scene_state(), world.held(), loop.seconds).points
        done = bool(loop.predictions) and loop.predictions[-1][1].done
    return Run(recorder.ticks, loop.rejected, points, loop.seconds)
