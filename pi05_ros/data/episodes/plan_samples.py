"""Training samples of the high level, at random access: pictures, state, task, answer."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.interface import Box
from pi05_ros.brain.label_text import label_problem
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.cameras.model_input import InputSizes
from pi05_ros.data.episodes.episode import Episode, PictureBox, Plan
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.moment_cache import cached_moments
from pi05_ros.data.episodes.picture_source import PictureSource
from pi05_ros.data.episodes.plans import plans_of
from pi05_ros.data.episodes.samples import MAX_PICTURE_AGE


@dataclass(frozen=True, eq=False)
class PlanSample:
    """Training sample of the high level: an observation, and the answer to it."""

    images: Mapping[
        str, np.ndarray
    ]  # Camera -> (height, width, 3) uint8 rgb, as on the live path;
    # without a camera that had no picture for a second or more.
    state: np.ndarray  # (D,) float64, platform units: the one nearest to the pictures.
    task: str
    text: str  # The subtask; "": the task is done.
    done: bool  # False is a label as well: the task was not finished.
    boxes: tuple[Box, ...]  # Fractions of the model's pictures; of their cameras only.
    source: str  # Subtask.SOURCE_*.
    kind: str  # PLAN or SPOKEN.
    model_text: str  # The model's answer in place of a spoken one; "": not known.
    time_ns: int  # Stamp of the plan [ns].
    picture_times_ns: Mapping[str, int]  # Camera -> acquisition time of its picture [ns].
    episode: int  # Index of the episode.
    row: int  # Row of the state.


class PlanSamples:
    """The plans of episodes that have an observation, in the order of the episodes.

    Reading is thread-safe, and it can be pickled. Rows need not be trainable: a task's first plan
    is made while the robot holds.

    Args:
        episodes: Episodes of one robot.
        cameras: Cameras of the planner, in the order of its inputs.
        cache: Cache of decoded pictures, as in Samples; None: no cache.
        max_picture_age: Greatest age of the pictures at the plan's stamp [s].

    Attributes:
        left_out: Reason -> plans that are no samples.
    """

    def __init__(
        self,
        episodes: Sequence[Episode],
        cameras: Sequence[str],
        cache: FrameCache | None = None,
        *,
        max_picture_age: float = MAX_PICTURE_AGE,
    ) -> None:
        self.episodes, self.cameras = tuple(episodes), tuple(cameras)
        self.left_out: Counter[str] = Counter()
        max_age_ns = round(max_picture_age * 1e9)
        self._states: dict[int, np.ndarray] = {}  # By episode, kept since it may compute them.
        self._pictures = [PictureSource(episode, cache) for episode in self.episodes]
        self._found = [
            (which, *place)
            for which in range(len(self.episodes))
            for place in self._places(which, cache, max_age_ns)
        ]

    def __len__(self) -> int:
        return len(self._found)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kind of each sample, PLAN or SPOKEN."""
        return tuple(plan.kind for _, plan, _, _ in self._found)

    @property
    def done(self) -> tuple[bool, ...]:
        """Whether each sample says that the task is finished."""
        return tuple(plan.done for _, plan, _, _ in self._found)

    def where(self, index: int) -> str:
        """Return the episode and the row of a sample, for messages."""
        which, _, row, _ = self._found[index]
        return f"{self.episodes[which].source}, plan at row {row}"

    def __getitem__(self, index: int) -> PlanSample:
        """Return a sample.

        Raises:
            IndexError: The index is out of range.
            Pi05Error: A picture cannot be read.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        which, plan, row, frames = self._found[index]
        episode, pictures = self.episodes[which], self._pictures[which]
        return PlanSample(
            images={camera: pictures.read(camera, frame) for camera, frame in frames.items()},
            state=self._states_of(which)[row].copy(),
            task=plan.task or episode.facts.task,
            text=plan.text,
            done=plan.done,
            boxes=_model_boxes(episode, plan.boxes, frames, pictures.sizes),
            source=plan.source,
            kind=plan.kind,
            model_text=plan.model_text,
            time_ns=plan.stamp_ns,
            picture_times_ns={
                camera: int(episode.frame_times_ns(camera)[frame])
                for camera, frame in frames.items()
            },
            episode=which,
            row=row,
        )

    def _places(
        self, which: int, cache: FrameCache | None, max_age_ns: int
    ) -> list[tuple[Plan, int, dict[str, int]]]:
        """Plans of an episode, each with the row of its state and its pictures."""
        episode, found = self.episodes[which], []
        moments = cached_moments(
            episode, self.cameras, self.cameras, cache.folder if cache else None
        )
        finite = np.isfinite(self._states_of(which)).all(axis=1)
        plans = plans_of(episode)
        stamps_ns = np.array([plan.stamp_ns for plan in plans], np.int64)
        places = (np.searchsorted(moments.times_ns, stamps_ns, side="right") - 1).tolist()
        finished = {(at, plan.task) for at, plan in zip(places, plans, strict=True) if plan.done}
        for at, plan in zip(places, plans, strict=True):
            if at < 0 or plan.stamp_ns - int(moments.times_ns[at]) > max_age_ns:
                self.left_out["no pictures of its time"] += 1
                continue
            if not plan.done and (at, plan.task) in finished:
                self.left_out["the task was done at its pictures"] += 1
                continue
            row = int(moments.rows[at])
            frames = {
                camera: int(moments.frames[camera][at])
                for camera in self.cameras
                if camera in moments.frames and moments.frames[camera][at] >= 0
            }
            if why := self._problem(episode, plan, which, frames):
                self.left_out[why] += 1
            elif not finite[row]:
                self.left_out["state not finite"] += 1
            else:
                found.append((plan, row, frames))
        return found

    def _states_of(self, which: int) -> np.ndarray:
        """States of an episode, (T, D)."""
        if which not in self._states:
            self._states[which] = self.episodes[which].states
        return self._states[which]

    def __getstate__(self) -> dict[str, object]:
        """Leave out the states, which the copy reads again."""
        return {**self.__dict__, "_states": {}}

    def _problem(self, episode: Episode, plan: Plan, which: int, frames: dict[str, int]) -> str:
        """Reason why a plan is no sample, as a noun phrase; empty if it is one."""
        if not (plan.task or episode.facts.task):
            return "no task"
        labels = [box.label for box in plan.boxes if box.label]
        if not plan.done and any(label_problem(text) for text in (plan.text, *labels)):
            return "text that cannot be parsed back"
        for camera, frame in frames.items():
            usable = self._pictures[which].usable(camera)
            if usable is not None and not usable[frame]:
                return "damaged picture"
        return ""


def _model_boxes(
    episode: Episode,
    boxes: Sequence[PictureBox],
    frames: Mapping[str, int],
    sizes: InputSizes,
) -> tuple[Box, ...]:
    """Convert boxes from the upright picture to the model's, as the planner did the other way."""
    fits: dict[str, Letterbox] = {}
    found = []
    for box in boxes:
        if box.camera not in frames:
            continue
        if box.camera not in fits:
            height, width = episode.picture(box.camera, frames[box.camera]).shape[:2]
            fits[box.camera] = Letterbox.fit(width, height, sizes.width, sizes.height)
        x_min, y_min = fits[box.camera].to_canvas(box.x_min, box.y_min)
        x_max, y_max = fits[box.camera].to_canvas(box.x_max, box.y_max)
        score = math.nan if box.score is None else box.score
        found.append(Box(box.camera, box.label, x_min, y_min, x_max, y_max, score))
    return tuple(found)
