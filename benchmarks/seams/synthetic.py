"""Chunks of a policy that has two ways to do it and a will of its own each time."""

from __future__ import annotations

import numpy as np
import torch

from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.scheduler import ChunkRequest, ChunkScheduler
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.evaluation.chunk_loop import ChunkLoop
from pi05_ros.platforms.platform import Platform

from .gaussian_flow import GaussianFlow, smooth_covariance
from .robot import BridgedRobot, PerfectBody
from .units import Units

HORIZON = 50
WAVE = 4.0  # Period of the motion that all plans share [s].
SWING, APART = 0.6, 0.15  # Of that motion, and between it and each of the two ways [units].
WAVER = 0.12  # Standard deviation of a plan from its way [units].
RETURN = 16.0  # Rows within which a plan leads from where the robot is to its way.


class TwoWays:
    """From any state, plans lead to one of two ways to go, and waver.

    The two ways lie 2 · APART from each other. A policy that starts afresh takes either.

    Args:
        platform: The robot.
        seed: Of phases, sides and noise; the k-th chunk has the same noise in every mode.
    """

    def __init__(self, platform: Platform, seed: int) -> None:
        self._units = Units(platform)
        self._period = platform.period
        self._seed = seed
        random = np.random.default_rng(seed)
        self._phase = random.uniform(0, 2 * np.pi, platform.size)
        self._side = APART * random.choice([-1.0, 1.0], platform.size)
        self._flow = GaussianFlow(smooth_covariance(HORIZON, WAVER, length=20.0, first=0.3))
        self._drawn = 0

    def think(self, state: StateSample, request: ChunkRequest) -> np.ndarray:
        """(H, D) float64 targets; see `evaluation.chunk_loop.Think`."""
        units = self._units
        times = request.stamp_ns * 1e-9 + np.arange(HORIZON) * self._period
        swing = SWING * np.sin(2 * np.pi * times[:, None] / WAVE + self._phase)
        now = units.to_model(state.measured)
        rows = np.arange(HORIZON)[:, None] / RETURN
        stays = (1.0 + rows) * np.exp(-rows)  # Leaves at rest, arrives at rest.
        ways = np.stack([swing + self._side, swing - self._side])
        means = ways + stays * (now - ways[:, :1])
        self._drawn += 1
        generator = torch.Generator().manual_seed(1_000_003 * self._seed + self._drawn)
        noise = torch.randn(HORIZON, len(now), generator=generator)
        running = request.continuation
        if running is None:
            drawn = self._flow.draw(torch.from_numpy(means), noise, None)
            return units.to_robot(drawn.double().numpy())
        told = type(running)(
            units.to_model(running.actions), running.committed, running.overlap, running.mode
        )
        drawn = self._flow.draw(torch.from_numpy(means), noise, told)
        actions = units.to_robot(drawn.double().numpy())
        actions[: running.committed] = running.actions[: running.committed]
        return actions


def run(
    platform: Platform, mode: str, delay: float, seed: int, seconds: float, **settings: int
) -> BridgedRobot:
    """One run; its record is in what it returns.

    Args:
        platform: The robot.
        mode: One of CHUNK_MODES.
        delay: Of every chunk [s].
        seed: Of the policy.
        seconds: Simulated.
        **settings: More of ChunkSettings.
    """
    robot = BridgedRobot(platform, PerfectBody(platform))
    chosen = ChunkSettings(mode=mode, **settings)
    scheduler = ChunkScheduler(chosen, platform.period, HORIZON)
    loop = ChunkLoop(scheduler, robot, TwoWays(platform, seed).think, lambda: delay)
    loop.run(seconds)
    return robot
