"""π0.5 at nano size with weights drawn at random, as the suite starts without a checkpoint.

It has learned nothing: a chunk is noise that a network has bent, row by row. What it shows is that
the parts fit together: real guidance through a real network, real conditioning, real limits.
"""

from __future__ import annotations

import numpy as np

from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.brain.observation import Observation
from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.scheduler import ChunkRequest, ChunkScheduler
from pi05_ros.chunking.settings import CHUNK_MODES, ChunkSettings
from pi05_ros.evaluation.chunk_loop import ChunkLoop
from pi05_ros.inference.model_brain import ModelBrain
from pi05_ros.platforms.platform import Platform

from .robot import BridgedRobot, PerfectBody


def run(platform: Platform, mode: str, delay: float, seed: int, seconds: float) -> BridgedRobot:
    """One run; as `synthetic.run`. The delay is what it is said to be, however long it takes."""
    brain = ModelBrain(platform, "", ModelOptions(device="cpu", execution="eager", seed=seed))
    brain.warm_up(CHUNK_MODES[mode].continuation)
    height, width = brain.info.image_size or (224, 224)

    def think(state: StateSample, request: ChunkRequest) -> np.ndarray:
        random = np.random.default_rng([seed, request.stamp_ns])
        images = {
            name: random.integers(0, 256, (height, width, 3), dtype=np.uint8)
            for name in platform.policy_cameras
        }
        observation = Observation(
            stamp_ns=request.stamp_ns,
            names=state.names,
            state=state.measured,
            commanded=state.commanded,
            images=images,
        )
        text = request.subtask.text
        return brain.predict_chunk(observation, text, request.continuation).actions

    robot = BridgedRobot(platform, PerfectBody(platform))
    scheduler = ChunkScheduler(ChunkSettings(mode=mode), platform.period, brain.info.horizon)
    ChunkLoop(scheduler, robot, think, lambda: delay).run(seconds)
    brain.close()
    return robot
