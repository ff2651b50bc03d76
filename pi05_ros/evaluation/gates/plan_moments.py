"""Subtasks of a brain at recorded moments, and where it sees what the recorded ones name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from pi05_ros.brain.interface import Box, Brain, SubtaskPrediction
from pi05_ros.data.episodes.episode import PLAN, Episode
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.plan_samples import PlanSample, PlanSamples
from pi05_ros.evaluation.gates.dish import (
    FRONT,
    NamedThing,
    is_near,
    middle,
    named_thing,
    pixels_away,
)
from pi05_ros.evaluation.gates.episodes import home_of
from pi05_ros.evaluation.gates.limits import WITHIN
from pi05_ros.evaluation.gates.moments import evenly, observation_of
from pi05_ros.evaluation.gates.results import Values
from pi05_ros.platforms.platform import Platform

GATES_OF_POINTS = ("dish_near", "dish_near_pick", "dish_far", "dish_px", "dish_wrist")
GATES_OF_TEXT = ("subtask", "done_said", "done_not_early")
_DONE_SHARE = 4  # At most one of so many moments is one at which the task is done.
_PICK = "pick up "  # Of a thing that is not held yet.


class FindsPoints(Protocol):
    """Finds what a text names in pictures; see `grounder.Grounder`."""

    def points(
        self, images: Mapping[str, np.ndarray], text: str
    ) -> Mapping[str, tuple[float, float]]:
        """Return x, y as fractions of the picture, by camera."""


class PlanMoments:
    """Measures subtasks, `done` and the places of things for one robot.

    Args:
        platform: The robot.
        episodes: Of it.
        cameras: Of the planner, in the order of its inputs.
        brain: Of the checkpoint; None: it says no subtasks.
        grounder: Its heat maps; None: the boxes that the brain says are compared.
        frames: Pictures of the brain's size.
        count: Most moments.
        values: Written.

    Attributes:
        located: Boxes for which a point was given, so far.
    """

    def __init__(
        self,
        platform: Platform,
        episodes: Sequence[Episode],
        cameras: Sequence[str],
        brain: Brain | None,
        grounder: FindsPoints | None,
        frames: FrameCache,
        count: int,
        values: Values,
    ) -> None:
        self._platform, self._episodes = platform, episodes
        self._speaker, self._grounder, self._values = brain, grounder, values
        self._size = frames.sizes.height, frames.sizes.width
        self._samples = PlanSamples(episodes, cameras, frames)
        self._chosen = self._choose(count) if brain is not None or grounder is not None else []
        self.located = 0

    def __len__(self) -> int:
        return len(self._chosen)

    def run(self, on_moment: Callable[[], None]) -> None:
        """Run the moments."""
        for index in self._chosen:
            self._plan(self._samples[index])
            on_moment()

    def _choose(self, count: int) -> list[int]:
        """Moments; those at which the task is done are few, and chosen on their own."""
        kinds, done = self._samples.kinds, self._samples.done
        others = [k for k, ended in enumerate(done) if not ended and kinds[k] == PLAN]
        ends: list[int] = []
        if self._speaker is not None:
            ends = [k for k, ended in enumerate(done) if ended]
            ends = evenly(ends, max(1, count // _DONE_SHARE))
        return sorted([*ends, *evenly(others, count - len(ends))])

    def _plan(self, sample: PlanSample) -> None:
        """Predict the subtask of a plan's moment, and look for what the recorded one names."""
        home, prediction = home_of(self._episodes[sample.episode]), None
        if self._speaker is not None:
            prediction = self._speaker.predict_subtask(
                observation_of(
                    self._platform, sample.images, sample.state, sample.picture_times_ns
                ),
                sample.task,
            )
            said = prediction.done and not prediction.problem
            if sample.done:
                self._values.add("done_said", home, float(said))
                return
            self._values.add("done_not_early", home, float(not said))
            right = not prediction.problem and _plain(prediction.text) == _plain(sample.text)
            self._values.add("subtask", home, float(right))
        thing = None if sample.done else named_thing(sample.text, sample.boxes)
        if thing is not None:
            self._dish(home, sample, thing, prediction)

    def _dish(
        self, home: str, sample: PlanSample, thing: NamedThing, said: SubtaskPrediction | None
    ) -> None:
        cameras = [camera for camera in thing.boxes if camera in sample.images]
        if self._grounder is not None:
            images = {camera: sample.images[camera] for camera in cameras}
            points = self._grounder.points(images, sample.text)
        else:
            boxes: Sequence[Box] = said.boxes if said is not None else ()
            points = {box.camera: middle(box) for box in boxes if box.label == thing.label}
        self.located += len(points.keys() & set(cameras))
        for camera in cameras:
            box = thing.boxes[camera]
            away = pixels_away(box, points.get(camera), self._size)
            within = float(away <= WITHIN)
            if camera != FRONT:
                self._values.add("dish_wrist", home, within)
                continue
            self._values.add("dish_px", home, away)
            near = is_near(box, self._size)
            self._values.add("dish_near" if near else "dish_far", home, within)
            if near and sample.text.startswith(_PICK):
                self._values.add("dish_near_pick", home, within)


def _plain(text: str) -> str:
    """Return a text with single spaces and none around it."""
    return " ".join(text.split())
