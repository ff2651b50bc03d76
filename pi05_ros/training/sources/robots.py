"""Robot episodes (MM, ME, CE): pictures and a subtask in, actions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pi05_ros.data.episodes.episode import EpisodeSample
from pi05_ros.data.episodes.samples import Samples
from pi05_ros.model.normalization import NormStats
from pi05_ros.training.objective.batch import TrainingSample
from pi05_ros.training.recipes.recipe import Kind, SourceRecipe
from pi05_ros.training.sources.encoding import Encoder, RobotVectors
from pi05_ros.training.sources.episode_contents import episode_contents


@dataclass(frozen=True)
class RobotGroup:
    """Episodes of one robot that have pictures of the same cameras."""

    platform: str
    stats: NormStats
    samples: Samples  # Of the cameras that these episodes have.
    # Name of the model's picture by camera, where the robot's cameras are called otherwise.
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RobotRow:
    """A row in the robot's units, as validation compares it with what the model gives."""

    platform: str
    rate_hz: float  # Of the rows.
    text: str  # What the prompt says.
    vectors: RobotVectors


class RobotSource:
    """Rows of robot episodes.

    Args:
        name: In the recipe.
        recipe: Kind, and which actions are targets.
        groups: At least one.
        cameras: In the order of the model's pictures; those that a group lacks are masked.
        encoder: Of the model.
        has_flow: Whether the run trains an expert.
    """

    def __init__(
        self,
        name: str,
        recipe: SourceRecipe,
        groups: Sequence[RobotGroup],
        cameras: Sequence[str],
        encoder: Encoder,
        has_flow: bool,
    ) -> None:
        self.name, self.kind = name, recipe.kind
        self._uses_subtasks = recipe.subtasks
        self._targets = {
            *(["fast"] if recipe.fast else []),
            *(["flow"] if recipe.flow and has_flow else []),
        }
        self._groups, self.cameras, self._encoder = tuple(groups), tuple(cameras), encoder
        self._ends = np.cumsum([len(group.samples) for group in groups], dtype=np.int64)

    kind: Kind

    @property
    def statistics(self) -> Mapping[str, NormStats]:
        """See Source."""
        return {group.platform: group.stats for group in self._groups}

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def sample(self, index: int, draw: np.random.Generator, augment: bool) -> TrainingSample:
        """See Source."""
        found, row = self._read(index)
        names = self._place(index)[0].pictures
        return self._encoder.low_level(
            {names.get(camera, camera): picture for camera, picture in found.images.items()},
            self.cameras,
            row.text,
            row.vectors,
            self._targets,  # type: ignore[arg-type]
            draw if augment else None,
        )

    def row(self, index: int) -> RobotRow:
        """Return the row of a sample in the robot's units.

        Raises:
            Pi05Error: The sample cannot be read.
        """
        return self._read(index)[1]

    def with_text(self, sample: TrainingSample, row: RobotRow, text: str) -> TrainingSample:
        """Return a sample of a row with another text.

        Raises:
            EncodingError: It is too long.
        """
        return self._encoder.with_text(sample, text, row.vectors)

    def contents(self) -> list[str]:
        """See Source."""
        return [
            line
            for group in self._groups
            for line in episode_contents(group.platform, group.samples.episodes)
        ]

    def where(self, index: int) -> str:
        """See Source."""
        group, inside = self._place(index)
        return group.samples.where(inside)

    def _read(self, index: int) -> tuple[EpisodeSample, RobotRow]:
        group, inside = self._place(index)
        found = group.samples[inside]
        text = found.subtask if self._uses_subtasks else found.task or found.subtask
        vectors = RobotVectors(group.stats, found.state, found.actions, found.action_valid)
        rate = group.samples.episodes[found.episode].rate_hz
        return found, RobotRow(group.platform, rate, text, vectors)

    def _place(self, index: int) -> tuple[RobotGroup, int]:
        which = int(np.searchsorted(self._ends, index, side="right"))
        return self._groups[which], index - (int(self._ends[which - 1]) if which else 0)
