"""π0.5 at nano size with random weights, as the suite starts without a checkpoint.

It has learned nothing: a chunk is noise transformed by a network, row by row. It shows that the
parts fit together: guidance and conditioning through a real network, and the bridge's limits.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.brain.observation import Observation
from pi05_ros.chunking.scheduler import ChunkRequest
from pi05_ros.chunking.settings import CHUNK_MODES, ChunkSettings
from pi05_ros.inference.model_brain import ModelBrain
from pi05_ros.platforms.platform import Platform

from .record import Run, run_policy


def run(platform: Platform, mode: str, delay: float, seed: int, seconds: float) -> Run:
    """Run the model once; arguments as `synthetic.run`. Its own run time does not count."""
    brain = ModelBrain(platform, "", ModelOptions(device="cpu", execution="eager", seed=seed))
    brain.warm_up(CHUNK_MODES[mode].continuation)
    height, width = brain.info.image_size or (224, 224)

    def predict(observation: Observation, request: ChunkRequest) -> np.ndarray:
        random = np.random.default_rng([seed, request.stamp_ns])
        images = {
            name: random.integers(0, 256, (height, width, 3), dtype=np.uint8)
            for name in platform.policy_cameras
        }
        seen = dataclasses.replace(observation, images=images)
        return brain.predict_chunk(seen, request.subtask.text, request.continuation).actions

    settings = ChunkSettings(mode=mode)
    try:
        return run_policy(platform, predict, settings, brain.info.horizon, delay, seconds)
    finally:
        brain.close()
