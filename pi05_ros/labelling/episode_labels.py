"""The labels of one episode while they are edited."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

import pi05_ros
from pi05_ros.brain.instructions import comparison_key
from pi05_ros.data.bags.adopted_file import read_adopted
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import MODE_RUNNING, SubtaskLabel
from pi05_ros.data.episodes.label_file import LabelFile, LabelFileError, LabelSpan
from pi05_ros.data.foreign.episode import AdoptedEpisode
from pi05_ros.data.open import is_bag, open_episodes
from pi05_ros.errors import ConfigError
from pi05_ros.labelling.spans import erase, set_span
from pi05_ros.platforms.platform import load_platform


class EpisodeLabels:
    """The labels of an episode: read, edited and saved. Times are seconds since its first row.

    An episode without labels beside it starts with the subtasks of its recording, so that what is
    not edited stays as it was. Not thread-safe.

    Args:
        path: A bag.
        author: Who labels, written into the file.
        cache: Folder in which the bag's index is kept; None: the bag is read each time.

    Raises:
        Pi05Error: There is no such bag, it is no episode, or labels of another one are beside it.
    """

    def __init__(self, path: Path, author: str = "", cache: CacheFolder | None = None) -> None:
        self.episode = _open(path, cache)
        self.folder = label_file.folder_of(path)
        self.author = author
        times = self.episode.times_ns
        self.begin_ns = int(times[0])
        # The last row, too, lies before the end.
        self.end_ns = int(times[-1]) + round(1e9 / self.episode.rate_hz)
        self.unfit: tuple[str, ...] = ()  # Why recorded subtasks cannot be kept, a sentence each.
        self.recorded = self._spans_of(self.episode.recorded_labels)
        self._phrases = _vocabulary(self.episode.facts.platform)
        self._history: list[LabelFile] = []
        self._take(self.episode.label_file, label_file.digest_of(self.folder))

    @property
    def spans(self) -> tuple[LabelSpan, ...]:
        """The labels, in the order of time."""
        return self._labels.spans

    @property
    def done_ns(self) -> int | None:
        """Time at which the task was finished [ns]; None: not marked."""
        return self._labels.done_ns

    @property
    def version(self) -> str:
        """Version of the file that was last read or written; "": there was none."""
        return self._digest

    @property
    def seconds(self) -> float:
        """Length of the episode [s]."""
        return (self.end_ns - self.begin_ns) * 1e-9

    def since_begin(self, time_ns: int) -> float:
        """A time as seconds since the first row, to the microsecond."""
        return round((time_ns - self.begin_ns) * 1e-9, 6)

    def time_ns(self, seconds: float) -> int:
        """The inverse of `since_begin`, within the episode.

        Raises:
            LabelFileError: The time is not within the episode.
        """
        if not -1e-3 <= seconds <= self.seconds + 1e-3:
            raise LabelFileError(
                f"{seconds:g} s is not within the episode: wanted 0 to {self.seconds:g} s"
            )
        return min(max(self.begin_ns, self.begin_ns + round(seconds * 1e9)), self.end_ns)

    def span(
        self, start: float, stop: float, text: str, task: str = "", source: str = "human"
    ) -> LabelSpan:
        """A span of the episode, from seconds.

        Raises:
            LabelFileError: Times, text or source are not valid.
        """
        if not start < stop:
            raise LabelFileError(f"{start:g} to {stop:g} s: wanted a start before its end")
        try:
            return LabelSpan(
                self.time_ns(start), self.time_ns(stop), text.strip(), task.strip(), source
            )
        except ValueError as error:
            raise LabelFileError(str(error)) from error

    def set(self, start: float, stop: float, text: str, task: str = "") -> None:
        """Label an interval [s]; what was there is replaced.

        Raises:
            LabelFileError: Times or text are not valid.
        """
        span = self.span(start, stop, text, task)
        self.replace(set_span(self.spans, span), self.done_ns)

    def erase(self, start: float, stop: float) -> None:
        """Remove the labels of an interval [s].

        Raises:
            LabelFileError: The times are not valid.
        """
        if not start < stop:
            raise LabelFileError(f"{start:g} to {stop:g} s: wanted a start before its end")
        begin, end = self.time_ns(start), self.time_ns(stop)
        self.replace(erase(self.spans, begin, end), self.done_ns)

    def mark_done(self, seconds: float | None) -> None:
        """Mark the time at which the task was finished [s]; None: remove the mark.

        Raises:
            LabelFileError: The time is not within the episode.
        """
        self.replace(self.spans, None if seconds is None else self.time_ns(seconds))

    def replace(self, spans: tuple[LabelSpan, ...], done_ns: int | None) -> None:
        """Replace all labels and the mark.

        Raises:
            LabelFileError: The spans overlap or are not in order.
        """
        try:
            changed = replace(self._labels, spans=spans, done_ns=done_ns)
        except ValueError as error:
            raise LabelFileError(str(error)) from error
        self._history.append(self._labels)
        self._labels = changed

    def undo(self) -> bool:
        """Take the last change back; False: there is none."""
        if not self._history:
            return False
        self._labels = self._history.pop()
        return True

    def save(self, known: str | None = None) -> None:
        """Write the labels beside the bag.

        Args:
            known: Version of the file that the writer last saw; None: that of this object.

        Raises:
            LabelConflictError: Another file is there; nothing was written.
            LabelFileError: The file cannot be written.
        """
        tool = f"pi05_ros {pi05_ros.__version__}"
        labels = replace(self._labels, author=self.author or self._labels.author, tool=tool)
        known = self._digest if known is None else known
        self._digest = label_file.save(self.folder, labels, known)
        self._labels = labels

    def reload(self) -> None:
        """Read the file again; changes that were not saved are lost.

        Raises:
            LabelFileError: The file is damaged, or of another recording.
        """
        self._take(*label_file.read(self.folder, self.episode.facts))

    def vocabulary(self) -> tuple[str, ...]:
        """Texts to choose from: the recorded ones, those of the platform, then others in use.

        A text keeps its place while the episode is labelled.
        """
        texts: dict[str, str] = {}
        recorded, used = ([span.text for span in spans] for spans in (self.recorded, self.spans))
        for text in (*recorded, *self._phrases, *used):
            texts.setdefault(comparison_key(text), text)
        return tuple(texts.values())

    def labelled_share(self) -> float:
        """Share of the rows in which the bridge was RUNNING that have a label; 1 without any."""
        running, times = self.episode.modes == MODE_RUNNING, self.episode.times_ns
        found = np.zeros(len(running), bool)
        for span in self.spans:
            found |= (times >= span.start_ns) & (times < span.stop_ns)
        return float(found[running].mean()) if running.any() else 1.0

    def _take(self, labels: LabelFile | None, digest: str) -> None:
        facts = self.episode.facts
        if labels is None:
            key = label_file.recording_key(facts)
            labels = LabelFile(facts.id, key, self.recorded, self.author)
        self._labels, self._digest = labels, digest
        self._history.clear()

    def _spans_of(self, labels: tuple[SubtaskLabel, ...]) -> tuple[LabelSpan, ...]:
        """Recorded labels as spans; those that differ in details only are one."""
        times = self.episode.times_ns
        spans: list[LabelSpan] = []
        unfit: dict[str, None] = {}
        for label in labels:
            start = int(times[label.start_row])
            stop = int(times[label.stop_row]) if label.stop_row < len(times) else self.end_ns
            try:
                span = LabelSpan(start, stop, label.text, label.task, label.source)
            except ValueError as error:
                unfit[str(error)] = None
                continue
            if (
                spans
                and replace(spans[-1], start_ns=start, stop_ns=stop) == span
                and (spans[-1].stop_ns == start)
            ):
                spans[-1] = replace(spans[-1], stop_ns=stop)
            else:
                spans.append(span)
        self.unfit = tuple(unfit)
        return tuple(spans)


def _open(path: Path, cache: CacheFolder | None) -> BagEpisode:
    if (path / "meta" / "info.json").exists():
        raise BagError(
            f"{path} is a LeRobot dataset, and labels are kept beside bags only: label the bags "
            f"that it was exported from and export them again, or make bags of it with "
            f"`./pi05 bags import {path} bags`"
        )
    if not path.exists():
        raise BagError(f"there is no bag {path}: wanted its folder")
    if path.is_dir() and not is_bag(path):
        raise BagError(f"{path} is no bag: wanted the folder of one episode")
    if read_adopted(label_file.folder_of(path)) is not None:
        return AdoptedEpisode(
            path, None, cache
        )  # One timeline, though it may be several episodes.
    (episode,) = open_episodes(path, include_recovered=True, cache=cache)
    assert isinstance(episode, BagEpisode)
    return episode


def _vocabulary(platform: str) -> tuple[str, ...]:
    """Phrases of a platform; none when this machine does not know it, as of a foreign robot."""
    try:
        return load_platform(platform).vocabulary
    except ConfigError:
        return ()
