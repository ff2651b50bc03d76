"""The brain `none`: it predicts nothing, for robots that an operator drives."""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.brain.continuation import Continuation, ContinuationMode
from pi05_ros.brain.interface import (
    BrainInfo,
    ChunkPrediction,
    PastSubtask,
    SubtaskPrediction,
)
from pi05_ros.brain.observation import Observation
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import Platform


class NoBrain:
    """Lets the planner pass on an operator's subtasks; there is no policy.

    Args:
        platform: The robot.
    """

    def __init__(self, platform: Platform) -> None:
        self.info = BrainInfo(
            name="none",
            checkpoint="",
            description="none: an operator names the subtasks and drives",
            subtask_source="human",
            image_size=None,
            needs_scene=False,
            horizon=1,
            period=platform.period,
            planner_cameras=(),
            policy_cameras=(),
            predicts=False,
        )

    def warm_up(self, continuation: ContinuationMode | None = None) -> None:
        """Do nothing."""

    def begin_task(self, task: str) -> None:
        """Do nothing."""

    def predict_subtask(
        self, observation: Observation, task: str, history: Sequence[PastSubtask] = ()
    ) -> SubtaskPrediction:
        """Raise ConfigError: see BrainInfo.predicts."""
        raise ConfigError("brain 'none'", "it names no subtasks: an operator does")

    def predict_chunk(
        self, observation: Observation, subtask: str, continuation: Continuation | None = None
    ) -> ChunkPrediction:
        """Raise ConfigError: see BrainInfo.predicts."""
        raise ConfigError("brain 'none'", "it moves nothing: an operator drives")

    def close(self) -> None:
        """Do nothing."""
