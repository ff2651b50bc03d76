"""A bimodal policy whose chunks are sampled anew each time."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from pi05_ros.brain.observation import Observation
from pi05_ros.chunking.scheduler import ChunkRequest
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.platforms.platform import Platform

from .gaussian_flow import GaussianFlow, smooth_covariance
from .record import Run, run_policy
from .units import Units

HORIZON = 50
WAVE = 4.0  # Period of the motion that both modes share [s].
SWING, APART = 0.6, 0.15  # Amplitude of that motion, and distance of each mode from it [units].
DEVIATION = 0.12  # Standard deviation of a chunk from its mode [units].
RETURN = 16.0  # Rows within which a chunk leads from the robot's state to its mode.


class TwoPlans:
    """A mixture of two Gaussians over chunks, 2 · APART from each other.

    A chunk that starts afresh is of either mode.

    Args:
        platform: The robot's platform.
        seed: Of phases, sides and noise; the k-th chunk has the same noise in every mode.
    """

    def __init__(self, platform: Platform, seed: int) -> None:
        self._units = Units(platform)
        self._period = platform.period
        self._seed = seed
        random = np.random.default_rng(seed)
        self._phase = random.uniform(0, 2 * np.pi, platform.size)
        self._side = APART * random.choice([-1.0, 1.0], platform.size)
        self._flow = GaussianFlow(smooth_covariance(HORIZON, DEVIATION, length=20.0, first=0.3))
        self._sampled = 0  # Chunks.

    def predict_chunk(self, observation: Observation, request: ChunkRequest) -> np.ndarray:
        """Sample (H, D) float64 targets; see `closed_loop.Policy`."""
        units = self._units
        times = request.stamp_ns * 1e-9 + np.arange(HORIZON) * self._period
        swing = SWING * np.sin(2 * np.pi * times[:, None] / WAVE + self._phase)
        now = units.to_model(observation.state)
        rows = np.arange(HORIZON)[:, None] / RETURN
        decay = (1.0 + rows) * np.exp(-rows)  # From 1 to 0, its slope 0 at both ends.
        modes = np.stack([swing + self._side, swing - self._side])
        means = modes + decay * (now - modes[:, :1])
        self._sampled += 1
        generator = torch.Generator().manual_seed(1_000_003 * self._seed + self._sampled)
        noise = torch.randn(HORIZON, len(now), generator=generator)
        running = request.continuation
        in_units = running and dataclasses.replace(
            running, actions=units.to_model(running.actions)
        )
        sample = self._flow.sample(torch.from_numpy(means), noise, in_units)
        actions = units.to_robot(sample.double().numpy())
        if running is not None:
            actions[: running.committed] = running.actions[: running.committed]
        return actions


def run(
    platform: Platform, mode: str, delay: float, seed: int, seconds: float, **settings: int
) -> Run:
    """Run the policy once, on a robot without physics.

    Args:
        platform: The robot's platform.
        mode: One of CHUNK_MODES.
        delay: Time that each chunk takes to compute [s].
        seed: Of the policy.
        seconds: Simulated.
        **settings: Further fields of ChunkSettings.
    """
    policy = TwoPlans(platform, seed)
    chosen = ChunkSettings(mode=mode, **settings)
    return run_policy(platform, policy.predict_chunk, chosen, HORIZON, delay, seconds)
