"""A brain that says what the test told it to say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.brain.continuation import CONTINUATION_MODES, Continuation, ContinuationMode
from pi05_ros.brain.interface import (
    Box,
    BrainInfo,
    ChunkPrediction,
    PastSubtask,
    SubtaskPrediction,
)
from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.brain.observation import Observation
from pi05_ros.platforms.platform import Platform


class FakeBrain:
    """Answers from attributes; keeps the observations that it was shown."""

    def __init__(self, platform: Platform) -> None:
        self.info = BrainInfo(
            name="fake",
            checkpoint="",
            description="fake",
            subtask_source="model",
            image_size=(224, 224),
            needs_scene=False,
            horizon=50,
            period=platform.period,
            continuations=CONTINUATION_MODES,
            max_prefix=49,
        )
        self.platform = platform
        self.answer = SubtaskPrediction(
            "pick up the cup", (Box("front", "cup", 0.25, 0.25, 0.5, 0.5, 0.9),), 0.8
        )
        self.chunk = np.tile(platform.home, (50, 1))
        self.fail = False
        self.planned: list[tuple[Observation, str]] = []
        self.histories: list[tuple[PastSubtask, ...]] = []  # One for each of `planned`.
        self.acted: list[tuple[Observation, str]] = []
        self.continued: list[Continuation | None] = []  # One for each of `acted`.
        self.warmed: list[ContinuationMode | None] = []
        self.closed = False

    def warm_up(self, continuation: ContinuationMode | None = None) -> None:
        self.warmed.append(continuation)

    def begin_task(self, task: str) -> None:
        pass

    def predict_subtask(
        self, observation: Observation, task: str, history: Sequence[PastSubtask] = ()
    ) -> SubtaskPrediction:
        self.planned.append((observation, task))
        self.histories.append(tuple(history))
        if self.fail:
            raise RuntimeError("the fake brain was told to fail")
        return self.answer

    def predict_chunk(
        self, observation: Observation, subtask: str, continuation: Continuation | None = None
    ) -> ChunkPrediction:
        self.acted.append((observation, subtask))
        self.continued.append(continuation)
        if self.fail:
            raise RuntimeError("the fake brain was told to fail")
        if continuation is None:
            return ChunkPrediction(self.chunk)
        rows = np.arange(len(self.chunk))[:, None]
        return ChunkPrediction(
            np.where(rows < continuation.committed, continuation.actions, self.chunk)
        )

    def close(self) -> None:
        self.closed = True


class FakeSource:
    """Gives one fake brain to everybody, like BrainSource."""

    def __init__(self, brain: FakeBrain) -> None:
        self.brain = brain

    def acquire(
        self, name: str, checkpoint: str, platform: Platform, options: ModelOptions
    ) -> FakeBrain:
        return self.brain

    def release(self) -> None:
        self.brain.close()
