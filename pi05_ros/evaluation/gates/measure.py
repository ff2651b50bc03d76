"""Runs a checkpoint at recorded moments, as the nodes run it, and collects the gates' values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pi05_ros.brain.interface import Box, Brain, SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.cameras.model_input import InputSizes
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import PLAN, Episode, EpisodeSample
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.plan_samples import PlanSample, PlanSamples
from pi05_ros.data.episodes.samples import Samples
from pi05_ros.evaluation.gates.dish import (
    FRONT,
    NamedThing,
    is_near,
    middle,
    named_thing,
    pixels_away,
)
from pi05_ros.evaluation.gates.episodes import GateError, home_of
from pi05_ros.evaluation.gates.hands import HandComparison
from pi05_ros.evaluation.gates.limits import HAND_TIME_S, WITHIN
from pi05_ros.evaluation.gates.results import Values
from pi05_ros.model.text.fast_coefficients import FastError
from pi05_ros.platforms.platform import Platform, load_platform

_OPEN = 0.5  # Grippers at this fraction or above count as open.
_DONE_SHARE = 4  # At most one of so many plan moments is one at which the task is done.
_DISH = ("dish_near", "dish_near_pick", "dish_far", "dish_px", "dish_wrist")
_PICK = "pick up "  # Of a thing that is not held yet.
_HAND = ("hand_cm", "hand_cm_p90", "hand_base_cm", "hand_moves_cm")
_NO_POINTS = "the checkpoint has no heat maps, and says no box of what it is to take"
_NO_TEXT = "the checkpoint says no subtasks"


class FindsPoints(Protocol):
    """Finds what a text names in pictures; see `grounder.Grounder`."""

    def points(
        self, images: Mapping[str, np.ndarray], text: str
    ) -> dict[str, tuple[float, float]]:
        """Return x, y as fractions of the picture, by camera."""


@dataclass(frozen=True)
class Measurement:
    """What was measured."""

    values: Values
    chunks: int  # Moments at which a chunk was predicted.
    plans: int  # Moments at which a subtask was predicted, or what it names was looked for.
    failed_chunks: int  # Chunks that could not be read from their FAST tokens.


def measure(
    episodes: Sequence[Episode],
    open_brain: Callable[[Platform], Brain],
    grounder: FindsPoints | None,
    samples: int,
    cache: CacheFolder,
    on_moment: Callable[[int, int], None] = lambda done, total: None,
) -> Measurement:
    """Measure the gates at moments spread evenly over the episodes.

    Args:
        episodes: Of one robot or several.
        open_brain: Opens the checkpoint for a robot.
        grounder: The checkpoint's heat maps; None: its own boxes are compared.
        samples: Moments of chunks in all, and as many of plans.
        cache: Folder in which the moments of episodes are kept.
        on_moment: Called after each moment, with their number and that of all.

    Raises:
        GateError: The chunks are too short, or the brain uses no pictures.
        Pi05Error: A sample cannot be read, or the checkpoint refuses it.
    """
    names = list(dict.fromkeys(episode.facts.platform for episode in episodes))
    share = max(1, samples // len(names))
    values, counts = Values(), np.zeros(4, dtype=int)
    for place, name in enumerate(names):
        own = [episode for episode in episodes if episode.facts.platform == name]

        def report(done: int, total: int, place: int = place) -> None:
            on_moment(place * total + done, len(names) * total)

        robot = _Robot(load_platform(name), own, open_brain, grounder, values, cache)
        counts += robot.run(share, report)
    chunks, plans, failed, located = counts.tolist()
    if not located:
        for gate in _DISH:
            if values.of(gate):
                values.not_measured(gate, _NO_POINTS)
    return Measurement(values, chunks, plans, failed)


class _Robot:
    """The moments of one robot."""

    def __init__(
        self,
        platform: Platform,
        episodes: Sequence[Episode],
        open_brain: Callable[[Platform], Brain],
        grounder: FindsPoints | None,
        values: Values,
        cache: CacheFolder,
    ) -> None:
        self._platform, self._episodes = platform, episodes
        self._brain, self._grounder, self._values = open_brain(platform), grounder, values
        info = self._brain.info
        if info.image_size is None:
            raise GateError(f"{info.name} uses no pictures: wanted a checkpoint")
        self._size = info.image_size
        self._row = round(HAND_TIME_S / platform.period)
        if info.horizon <= self._row:
            raise GateError(
                f"{info.checkpoint}: wanted chunks of more than {self._row} rows "
                f"({HAND_TIME_S:g} s), found {info.horizon}"
            )
        self._speaks = info.planner_cameras != ()
        self._located = 0  # Boxes for which a point was given.
        self._hands = HandComparison(platform)
        frames = FrameCache(cache, InputSizes(*self._size))
        self._rows = Samples(
            episodes, info.cameras_of_policy(platform), frames, horizon=info.horizon
        )
        planner = info.cameras_of_planner(platform) or platform.planner_cameras
        self._plans = PlanSamples(episodes, planner, frames)

    def run(self, count: int, report: Callable[[int, int], None]) -> tuple[int, int, int, int]:
        """Run the moments.

        Returns:
            Numbers of chunks, of plans, of failed chunks, and of points that were given.
        """
        rows = evenly(range(len(self._rows)), count)
        plans = self._chosen_plans(count) if self._speaks or self._grounder is not None else []
        total, failed = len(rows) + len(plans), 0
        for done, index in enumerate(rows):
            failed += self._chunk(self._rows[index])
            report(done + 1, total)
        for done, index in enumerate(plans):
            self._plan(self._plans[index])
            report(len(rows) + done + 1, total)
        if not self._speaks:
            for gate in ("subtask", "done_said", "done_not_early"):
                self._values.not_measured(gate, _NO_TEXT)
        return len(rows), len(plans), failed, self._located

    def _chosen_plans(self, count: int) -> list[int]:
        """Moments of plans; those at which the task is done are few, and chosen on their own."""
        kinds, done = self._plans.kinds, self._plans.done
        ends = [k for k, ended in enumerate(done) if ended]
        others = [k for k, ended in enumerate(done) if not ended and kinds[k] == PLAN]
        ends = evenly(ends, max(1, count // _DONE_SHARE))
        return sorted([*ends, *evenly(others, count - len(ends))])

    def _chunk(self, sample: EpisodeSample) -> bool:
        """Predict the chunk of a row; returns whether it could not be read."""
        home, valid, row = self._home(sample.episode), sample.action_valid, self._row
        jaws = self._platform.is_gripper
        recorded = sample.actions
        try:
            predicted = self._brain.predict_chunk(
                self._observation(sample.images, sample.state, sample.picture_times_ns),
                sample.subtask,
            ).actions
        except FastError:  # A model that writes FAST tokens may write none that are a chunk.
            self._values.add("gripper", home, *[0.0] * int(valid.sum() * jaws.sum()))
            if valid[row]:
                for gate in _HAND[:3]:
                    self._values.add(gate, home, math.inf)
            return True
        agree = (predicted[valid][:, jaws] >= _OPEN) == (recorded[valid][:, jaws] >= _OPEN)
        self._values.add("gripper", home, *agree.ravel().astype(float).tolist())
        if valid[row]:
            error = self._hands(predicted, recorded, row)
            found = (error.whole, error.whole, error.in_base, error.moves)
            for gate, value in zip(_HAND, found, strict=True):
                self._values.add(gate, home, value)
        return False

    def _plan(self, sample: PlanSample) -> None:
        """Predict the subtask of a plan's moment, and look for what the recorded one names."""
        home, prediction = self._home(sample.episode), None
        if self._speaks:
            observation = self._observation(sample.images, sample.state, sample.picture_times_ns)
            prediction = self._brain.predict_subtask(observation, sample.task)
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
        self._located += len(points.keys() & set(cameras))
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

    def _home(self, episode: int) -> str:
        return home_of(self._episodes[episode])

    def _observation(
        self,
        images: Mapping[str, np.ndarray],
        state: np.ndarray,
        times_ns: Mapping[str, int],
    ) -> Observation:
        """Make the observation of a sample. What was commanded before is not part of one."""
        nothing = np.full(self._platform.size, np.nan)
        stamp_ns = min(times_ns.values())
        return Observation(stamp_ns, self._platform.names, state, nothing, images)


def evenly(indices: Sequence[int], count: int) -> list[int]:
    """Return at most `count` of the indices, spread evenly over them."""
    count = min(max(0, count), len(indices))
    if count == 0:
        return []
    places = (np.arange(count) + 0.5) * len(indices) / count
    return [indices[int(place)] for place in places]


def _plain(text: str) -> str:
    """Return a text with single spaces and none around it."""
    return " ".join(text.split())
