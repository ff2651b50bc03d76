"""π0.5 as the robot's brain: an observation in, a subtask or a chunk of actions out.

Between robot and model stand, in this order: statistics of the checkpoint (units to [-1, 1]), the
prompt (state in words), the engine, and the statistics again (back to units). Which values are
absolute or relative is the checkpoint's business; what leaves here is always absolute.
"""

from __future__ import annotations

import logging

import numpy as np
import torch

from pi05_ros.errors import Pi05Error
from pi05_ros.inference.brain import Box, BrainInfo, SubtaskPrediction
from pi05_ros.inference.engine import Pi05Engine, Times
from pi05_ros.inference.observation import Observation
from pi05_ros.model import locations, prompts
from pi05_ros.model.checkpoint import Checkpoint, CheckpointError, open_checkpoint
from pi05_ros.model.normalization import NormStats
from pi05_ros.platforms import Platform

_log = logging.getLogger(__name__)


class ObservationError(Pi05Error):
    """An observation is not one that the model may act on."""


class ModelBrain:
    """The model behind the Brain protocol.

    Args:
        platform: The robot.
        checkpoint: A folder, or `random:<preset>?seed=<number>`; empty: `random:nano`.
        device: Where the model runs ("cpu", "cuda").
        dtype: Of its weights.
        threads: Of torch on the CPU; see Pi05Engine.
        seed: Of noise and drawn tokens.
        temperature: Of text; 0 takes the likeliest token.

    Raises:
        CheckpointError: The checkpoint cannot be read, or was not trained for this platform.
    """

    def __init__(
        self,
        platform: Platform,
        checkpoint: str = "",
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        threads: int | None = 1,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> None:
        opened = open_checkpoint(checkpoint, dtype, device)
        self._platform = platform
        self._stats = stats_for(opened, platform)
        self._engine = Pi05Engine(opened, threads=threads, seed=seed, temperature=temperature)
        self._missing: set[str] = set()  # Cameras whose absence has been said.
        self.subtask_times: Times | None = None  # Of the last prediction.
        self.chunk_times: Times | None = None
        config = opened.model.config
        self.info = BrainInfo(
            name="model",
            checkpoint=opened.source,
            description=opened.description,
            subtask_source="model",
            image_size=self._engine.image_size,
            needs_scene=False,
            horizon=config.horizon,
            period=platform.period,
        )
        if opened.is_random:
            _log.warning("%s", opened.description)

    def warm_up(self) -> None:
        """Runs both heads in every shape that will come."""
        self._engine.warm_up(
            len(self._platform.planner_cameras), len(self._platform.policy_cameras)
        )

    def begin_task(self, task: str) -> None:
        """Nothing to forget: each prediction depends on its own observation only."""

    def predict_subtask(self, observation: Observation, task: str) -> SubtaskPrediction:
        """High level: reads all the planner's cameras, writes boxes and a subtask.

        Raises:
            ObservationError: The observation is of another robot, not finite, or without pictures.
            EngineError: See Pi05Engine.
        """
        cameras = self._platform.planner_cameras
        images = self._images(observation, cameras)
        prompt = prompts.high_level(task, self._normalized_state(observation))
        result = self._engine.write_text(images, prompt)
        self.subtask_times = result.times
        answer = locations.parse(result.text, cameras)
        return SubtaskPrediction(
            text=answer.subtask,
            boxes=tuple(Box(**vars(box)) for box in answer.locations if box.camera in images),
            score=result.decoded.score,
            done=answer.done,
        )

    def predict_chunk(self, observation: Observation, subtask: str) -> np.ndarray:
        """Low level: reads the policy's cameras and the subtask, draws actions.

        Returns:
            (horizon, D) float64, absolute targets in platform units, finite and within the
            platform's limits: a chunk never asks for a place that the robot cannot take.

        Raises:
            ObservationError: The observation is of another robot, not finite, or without pictures.
            EngineError: See Pi05Engine.
        """
        images = self._images(observation, self._platform.policy_cameras)
        prompt = prompts.low_level(subtask, self._normalized_state(observation))
        result = self._engine.draw_actions(images, prompt)
        self.chunk_times = result.times
        actions = result.actions[:, : self._platform.size]
        actions = self._stats.unnormalize_actions(actions, observation.state)
        return np.clip(actions, self._platform.lower, self._platform.upper)

    def close(self) -> None:
        """Frees the weights."""
        del self._engine

    def _normalized_state(self, observation: Observation) -> np.ndarray:
        """The measured state in the model's units, (D,) float64."""
        if observation.names != self._platform.names:
            raise ObservationError(
                f"wanted the layout of {self._platform.name} ({', '.join(self._platform.names)}), "
                f"found ({', '.join(observation.names)})"
            )
        broken = [
            name
            for name, value in zip(observation.names, observation.state, strict=True)
            if not np.isfinite(value)
        ]
        if broken:
            raise ObservationError(
                f"the measured state of {', '.join(broken)} is not finite; check its joint state"
            )
        return self._stats.normalize_state(observation.state)

    def _images(self, observation: Observation, cameras: tuple[str, ...]) -> dict[str, np.ndarray]:
        """The pictures of those of `cameras` that gave one, in their order."""
        images = {name: observation.images[name] for name in cameras if name in observation.images}
        if not images:
            raise ObservationError(f"no picture of {', '.join(cameras)}; check camera_ingestion")
        missing = set(cameras) - set(images)
        if missing - self._missing:
            _log.warning("no picture of %s: the model does without", ", ".join(sorted(missing)))
        self._missing = (self._missing - set(images)) | missing
        return images


def stats_for(checkpoint: Checkpoint, platform: Platform) -> NormStats:
    """The checkpoint's statistics of a platform, or for random weights the platform's limits.

    Raises:
        CheckpointError: It has none, or they are of a robot with another layout.
    """
    names = platform.names
    units = tuple(str(dimension.unit) for dimension in platform.dimensions)
    if checkpoint.is_random:
        return NormStats.from_limits(names, units, platform.lower, platform.upper)
    where = f"{checkpoint.source}/norm_stats.json"
    if platform.name not in checkpoint.norm_stats:
        known = ", ".join(sorted(checkpoint.norm_stats)) or "none"
        raise CheckpointError(
            where, f"wanted statistics of platform '{platform.name}', found those of: {known}"
        )
    stats = checkpoint.norm_stats[platform.name]
    if difference := stats.difference(names, units):
        raise CheckpointError(
            where, f"{platform.name}: {difference}; these statistics are of another robot"
        )
    return stats
