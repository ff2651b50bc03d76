"""Plans of robot episodes (HL) and spoken instructions (VI): pictures and a task in, words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pi05_ros.data.episodes.episode import SPOKEN
from pi05_ros.data.episodes.plan_samples import PlanSamples
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.text.locations import DONE, Answer, Location
from pi05_ros.training.objective.batch import TrainingSample
from pi05_ros.training.recipes.recipe import Kind
from pi05_ros.training.sources.encoding import Encoder
from pi05_ros.training.sources.episode_contents import episode_contents


@dataclass(frozen=True)
class PlanGroup:
    """Episodes of one robot that have pictures of the same cameras."""

    platform: str
    stats: NormStats
    samples: PlanSamples
    # Name of the model's picture by camera, where the robot's cameras are called otherwise.
    pictures: Mapping[str, str] = field(default_factory=dict)


class PlanSource:
    """Answers of the high level.

    HL takes the plans, VI the spoken instructions: what a person who watched chose as the next
    subtask. `done` is said where a task ended with success, and nowhere else.

    Args:
        name: In the recipe.
        kind: HL or VI.
        groups: At least one.
        cameras: In the order of the model's pictures; those that a group lacks are masked.
        encoder: Of the model.
    """

    def __init__(
        self,
        name: str,
        kind: Kind,
        groups: Sequence[PlanGroup],
        cameras: Sequence[str],
        encoder: Encoder,
    ) -> None:
        self.name, self.kind = name, kind
        self._groups, self.cameras, self._encoder = tuple(groups), tuple(cameras), encoder
        self._places = [
            (which, index)
            for which, group in enumerate(self._groups)
            for index, spoken in enumerate(group.samples.kinds)
            if (spoken == SPOKEN) == (kind == "VI")
        ]

    @property
    def statistics(self) -> Mapping[str, NormStats]:
        """See Source."""
        return {group.platform: group.stats for group in self._groups}

    def __len__(self) -> int:
        return len(self._places)

    def sample(self, index: int, draw: np.random.Generator, augment: bool) -> TrainingSample:
        """See Source."""
        which, inside = self._places[index]
        group = self._groups[which]
        found, names = group.samples[inside], group.pictures
        boxes = tuple(
            Location(
                names.get(box.camera, box.camera),
                box.label,
                *_inside(box.x_min, box.y_min, box.x_max, box.y_max),
            )
            for box in found.boxes
            if names.get(box.camera, box.camera) in self.cameras
        )
        return self._encoder.high_level(
            {names.get(camera, camera): picture for camera, picture in found.images.items()},
            self.cameras,
            found.task,
            group.stats.normalize_state(found.state),
            Answer(DONE) if found.done else Answer(found.text, boxes),
            draw if augment else None,
        )

    def contents(self) -> list[str]:
        """See Source."""
        return [
            line
            for group in self._groups
            for line in episode_contents(group.platform, group.samples.episodes)
        ]

    def where(self, index: int) -> str:
        """See Source."""
        which, inside = self._places[index]
        return self._groups[which].samples.where(inside)


def _inside(*corners: float) -> tuple[float, ...]:
    """Clip corners to the picture: rounding may leave it by a pixel's part."""
    return tuple(min(1.0, max(0.0, corner)) for corner in corners)
