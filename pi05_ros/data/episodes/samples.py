"""Training samples of the low level, at random access: pictures, state, subtask, chunk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal

import numpy as np

from pi05_ros.cameras.health import WatchSettings
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.episodes.episode import Episode, EpisodeSample
from pi05_ros.data.episodes.frame_cache import FrameCache
from pi05_ros.data.episodes.live import pictures_of_rows
from pi05_ros.data.episodes.moment_cache import cached_moments
from pi05_ros.data.episodes.picture_source import PictureSource
from pi05_ros.data.episodes.rows import (
    action_stops,
    label_of_row,
    trainable_rows,
    velocity_entries,
)
from pi05_ros.errors import Pi05Error

HORIZON = 50
# The robot holds when its pictures are older than this [s].
MAX_PICTURE_AGE = WatchSettings().stale_after_s
# "live": the rows whose state a brain gets, with the pictures that come with it;
# "freshest": every row, with the newest pictures that are not later.
Ages = Literal["live", "freshest"]


# Computes an array with an entry for each row of an episode.
OfRows = Callable[[Episode], np.ndarray]


class SampleError(Pi05Error):
    """Samples cannot be made from the episodes."""


class Samples:
    """The trainable rows of episodes, in the order of the episodes. It can be pickled.

    Rows are left out where the robot followed neither chunk nor operator, where a subtask, an
    action or a fresh picture of a camera is missing, and between two observations of the live
    path; see docs/design/episodes.md. Reading is thread-safe.

    Args:
        episodes: Episodes of one robot.
        cameras: Cameras of a sample, in this order.
        cache: Cache of decoded pictures; call its `build(episodes, cameras)` first. A picture that
            it lacks is decoded at each access, which is slow. None: no cache.
        horizon: Rows of a chunk.
        max_picture_age: Maximum age of a picture at its row [s].
        ages: Which pictures go with a row.
        row_filter: Rows that may be samples, (T,) bool, such as `EpisodeFilter.rows`; None: all.
        stops: End (exclusive) of the actions of each row's chunk, (T,) int64, such as
            `EpisodeFilter.action_stops`.

    Raises:
        SampleError: The episodes are of several robots, or no row is trainable.
    """

    def __init__(
        self,
        episodes: Sequence[Episode],
        cameras: Collection[str],
        cache: FrameCache | None = None,
        *,
        horizon: int = HORIZON,
        max_picture_age: float = MAX_PICTURE_AGE,
        ages: Ages = "live",
        row_filter: OfRows | None = None,
        stops: OfRows = action_stops,
    ) -> None:
        self.episodes, self.cameras = tuple(episodes), tuple(cameras)
        self.horizon = horizon
        self._readers = [
            _Reader(e, self.cameras, cache, max_picture_age, ages, row_filter, stops)
            for e in self.episodes
        ]
        self._check_layout()
        self._ends = np.cumsum([len(reader.rows) for reader in self._readers], dtype=np.int64)
        if not len(self):
            raise SampleError(
                f"no row of {len(self.episodes)} episodes trains: "
                + (self._readers[0].why_empty() if self._readers else "there are no episodes")
            )

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> EpisodeSample:
        """Return a sample.

        Raises:
            IndexError: The index is out of range.
            Pi05Error: A picture cannot be read.
        """
        which, row = self._place(index)
        return self._readers[which].sample(which, row, self.horizon)

    def vectors(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the state (D,), actions (H, D) and their validity (H,) of a sample.

        No picture is read.

        Raises:
            IndexError: The index is out of range.
        """
        which, row = self._place(index)
        return self._readers[which].vectors(row, self.horizon)

    def where(self, index: int) -> str:
        """Return the episode and the row of a sample, for messages.

        Raises:
            IndexError: The index is out of range.
        """
        which, row = self._place(index)
        return f"{self.episodes[which].source}, row {row}"

    def _place(self, index: int) -> tuple[int, int]:
        """Return the episode's index and the row of a sample."""
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        which = int(np.searchsorted(self._ends, index, side="right"))
        begin = int(self._ends[which - 1]) if which else 0
        return which, int(self._readers[which].rows[index - begin])

    def _check_layout(self) -> None:
        for episode in self.episodes[1:]:
            first, other = self.episodes[0].facts, episode.facts
            if _entries(first) != _entries(other):
                raise SampleError(
                    f"{episode.source} is of another robot ({_described(other)}) than "
                    f"{self.episodes[0].source} ({_described(first)}): samples are of one"
                )


def _entries(facts: EpisodeFacts) -> tuple[tuple[str, ...], ...]:
    """Names and units of state and action."""
    return facts.names, facts.units, facts.action_names, facts.units_of_actions


def _described(facts: EpisodeFacts) -> str:
    actions = f", {len(facts.action_names)} of the action" if facts.action_names else ""
    return f"{facts.platform}, {len(facts.names)} entries{actions}"


class _Reader:
    """The samples of one episode."""

    def __init__(
        self,
        episode: Episode,
        cameras: Sequence[str],
        cache: FrameCache | None,
        max_picture_age: float,
        ages: Ages,
        row_filter: OfRows | None,
        stops: OfRows,
    ) -> None:
        self.episode, self._cameras = episode, cameras
        self._missing = [camera for camera in cameras if camera not in episode.cameras]
        self._pictures = PictureSource(episode, cache)
        self._arrays: tuple[np.ndarray, np.ndarray] | None = None
        self._times_ns, self._sources = episode.times_ns, episode.control_sources
        self._stops = stops(episode)
        self._label_of_row = label_of_row(episode)
        self._velocities = velocity_entries(episode)
        usable = trainable_rows(episode)
        self._acting = int(usable.sum())
        if row_filter is not None:
            usable &= row_filter(episode)
        self._chosen = int(usable.sum())
        self._frames: dict[str, np.ndarray] = {}
        if self._missing:
            usable[:] = False
        elif ages == "live" and cameras:
            moments = cached_moments(episode, cameras, cache=cache.folder if cache else None)
            self._frames = pictures_of_rows(episode, moments, cameras)
        else:
            self._frames = {camera: episode.frame_of_row(camera) for camera in cameras}
        self._frame_times = {camera: episode.frame_times_ns(camera) for camera in self._frames}
        for camera in self._frames:
            usable &= self._fresh(camera, max_picture_age)
        self.rows = np.flatnonzero(usable)

    def sample(self, which: int, row: int, horizon: int) -> EpisodeSample:
        episode = self.episode
        state, following, valid = self.vectors(row, horizon)
        label = episode.labels[self._label_of_row[row]]
        frames = {camera: int(self._frames[camera][row]) for camera in self._cameras}
        return EpisodeSample(
            images={c: self._pictures.read(c, index) for c, index in frames.items()},
            state=state,
            actions=following,
            action_valid=valid,
            subtask=label.text,
            task=label.task or episode.facts.task,
            source=label.source,
            boxes=label.boxes,
            time_ns=int(self._times_ns[row]),
            picture_times_ns={c: int(self._frame_times[c][index]) for c, index in frames.items()},
            control_source=int(self._sources[row]),
            episode=which,
            row=row,
        )

    def vectors(self, row: int, horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """State (D,), actions (H, D) and their validity (H,) of a row."""
        states, actions = self._vectors()
        ahead = row + np.arange(horizon)
        stop = int(self._stops[row])
        valid = ahead < stop
        following = actions[np.minimum(ahead, stop - 1)]
        # A robot that stops holds its place, and its base stands.
        following[np.ix_(~valid, self._velocities)] = 0.0
        return states[row].copy(), following, valid

    def _vectors(self) -> tuple[np.ndarray, np.ndarray]:
        """States and actions, (T, D) each, kept since an episode may compute them at each call."""
        if self._arrays is None:
            self._arrays = self.episode.states, self.episode.actions
        return self._arrays

    def why_empty(self) -> str:
        """Reason why there are no samples, as a clause."""
        name = self.episode.source
        if self._missing:
            return f"{name} has no pictures of {', '.join(self._missing)}"
        if not self._acting:
            return f"{name} has no row in which the robot followed a chunk under a subtask"
        if not self._chosen:
            return f"{name} has no row that the filter lets train"
        return (
            f"{name} has fresh pictures of all of {', '.join(self._cameras)} in none of its rows"
        )

    def _fresh(self, camera: str, max_age: float) -> np.ndarray:
        """Rows with a usable picture of a camera that is recent enough, (T,) bool."""
        rows = np.zeros(len(self.episode), bool)
        frames, times = self._frames[camera], self._frame_times[camera]
        has = np.flatnonzero(frames >= 0)
        age = self._times_ns[has] - times[frames[has]]
        rows[has] = age <= round(max_age * 1e9)
        decoded = self._pictures.usable(camera)
        if decoded is not None:
            rows[has] &= decoded[frames[has]]
        return rows

    def __getstate__(self) -> dict[str, object]:
        """Leave out the vectors, which the copy reads again."""
        return {**self.__dict__, "_arrays": None}
