"""Chunks of a brain at recorded moments, beside what was commanded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pi05_ros.brain.interface import Brain
from pi05_ros.data.episodes.episode import Episode, EpisodeSample
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.samples import Samples
from pi05_ros.evaluation.gates.episodes import GateError, home_of
from pi05_ros.evaluation.gates.hands import HandComparison
from pi05_ros.evaluation.gates.limits import HAND_TIME_S
from pi05_ros.evaluation.gates.moments import evenly, observation_of
from pi05_ros.evaluation.gates.results import Values
from pi05_ros.model.text.fast_coefficients import FastError
from pi05_ros.platforms.platform import Platform
from pi05_ros.training.validation.actions import OPEN

_HAND = ("hand_cm", "hand_cm_p90", "hand_base_cm", "hand_moves_cm")
GATES_OF_CHUNKS = (*_HAND, "gripper")


class ChunkMoments:
    """Measures hand and grippers of one robot.

    Args:
        platform: The robot.
        episodes: Of it.
        brain: Of the checkpoint.
        frames: Pictures of the brain's size.
        count: Most moments.
        values: Written.

    Raises:
        GateError: The brain's chunks are too short.
        Pi05Error: No row of the episodes can be used.
    """

    def __init__(
        self,
        platform: Platform,
        episodes: Sequence[Episode],
        brain: Brain,
        frames: FrameCache,
        count: int,
        values: Values,
    ) -> None:
        self._platform, self._episodes = platform, episodes
        self._brain, self._values = brain, values
        info = brain.info
        self._row = round(HAND_TIME_S / platform.period)
        if info.horizon <= self._row:
            raise GateError(
                f"{info.checkpoint}: wanted chunks of more than {self._row} rows "
                f"({HAND_TIME_S:g} s), found {info.horizon}"
            )
        self._hands = HandComparison(platform)
        cameras = info.cameras_of_policy(platform)
        self._samples = Samples(episodes, cameras, frames, horizon=info.horizon)
        self._chosen = evenly(range(len(self._samples)), count)

    def __len__(self) -> int:
        return len(self._chosen)

    def run(self, on_moment: Callable[[], None]) -> int:
        """Predict the chunks; returns the number of those that could not be read."""
        failed = 0
        for index in self._chosen:
            failed += self._chunk(self._samples[index])
            on_moment()
        return failed

    def _chunk(self, sample: EpisodeSample) -> bool:
        """Predict the chunk of a row; returns whether it could not be read."""
        home, valid, row = home_of(self._episodes[sample.episode]), sample.action_valid, self._row
        jaws = self._platform.is_gripper
        recorded = sample.actions
        try:
            predicted = self._brain.predict_chunk(
                observation_of(
                    self._platform, sample.images, sample.state, sample.picture_times_ns
                ),
                sample.subtask,
            ).actions
        except FastError:  # A model that writes FAST tokens may write none that are a chunk.
            self._values.add("gripper", home, *[0.0] * int(valid.sum() * jaws.sum()))
            if valid[row]:
                for gate in _HAND[:3]:
                    self._values.add(gate, home, math.inf)
            return True
        agree = (predicted[valid][:, jaws] >= OPEN) == (recorded[valid][:, jaws] >= OPEN)
        self._values.add("gripper", home, *agree.ravel().astype(float).tolist())
        if valid[row]:
            error = self._hands(predicted, recorded, row)
            found = (error.whole, error.whole, error.in_base, error.moves)
            for gate, value in zip(_HAND, found, strict=True):
                self._values.add(gate, home, value)
        return False
