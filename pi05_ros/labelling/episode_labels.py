"""The labels of one episode while they are edited."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import pi05_ros
from pi05_ros.brain.instructions import comparison_key
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import MODE_RUNNING
from pi05_ros.data.episodes.label_file import LabelFileError
from pi05_ros.data.episodes.label_spans import LabelFile, LabelSpan
from pi05_ros.labelling.bags import bag_folder, open_bag, phrases_of
from pi05_ros.labelling.spans import erase, set_span


class EpisodeLabels:
    """The labels of an episode: read, edited and saved. Times are seconds since its first row.

    An episode without labels beside it starts with the subtasks of its recording, so that what is
    not edited stays as it was. Not thread-safe.

    A bag of another stack may hold several episodes; the labels of the others are kept.

    Args:
        path: A bag.
        author: Who labels, written into the file.
        cache: Folder in which the bag's index is kept; None: the bag is read each time.
        number: Which of the bag's episodes, from 0.

    Raises:
        Pi05Error: There is no such bag, it is no episode, or labels of another one are beside it.
    """

    def __init__(
        self,
        path: Path,
        author: str = "",
        cache: CacheFolder | None = None,
        number: int = 0,
    ) -> None:
        episodes = open_bag(path, cache)
        if not 0 <= number < len(episodes):
            raise BagError(f"{path} has no episode {number + 1}: wanted 1 to {len(episodes)}")
        self.episode = episodes[number]
        self.folder = bag_folder(path)
        self.author = author
        self.begin_ns = int(self.episode.times_ns[0])
        self.end_ns = _end_ns(self.episode)
        self.unfit: tuple[str, ...] = ()  # Why recorded subtasks cannot be kept, a sentence each.
        self.recorded = self._spans_of(self.episode)
        # Where no file has the labels of the other episodes, their recorded ones are kept in it.
        others = (other for other in episodes if other is not self.episode)
        self._recorded_elsewhere = tuple(span for o in others for span in self._spans_of(o))
        self._phrases = phrases_of(self.episode.facts.platform)
        ends = (plan.stamp_ns for e in episodes for plan in e.recorded_plans if plan.done)
        self._recorded_done = tuple(sorted(set(ends)))
        self._history: list[LabelFile] = []
        self._labels: LabelFile  # Of this episode.
        self._elsewhere: LabelFile  # Of others in the bag.
        self._digest: str
        self._take(self.episode.label_file, label_file.digest_of(self.folder))

    @property
    def spans(self) -> tuple[LabelSpan, ...]:
        """The labels, in the order of time."""
        return self._labels.spans

    @property
    def done_ns(self) -> tuple[int, ...]:
        """Times at which a task was finished [ns]."""
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

    def mark_done(self, seconds: float) -> None:
        """Mark a time at which a task was finished [s].

        Raises:
            LabelFileError: The time is not within the episode.
        """
        self.replace(self.spans, tuple(sorted({*self.done_ns, self.time_ns(seconds)})))

    def unmark_done(self) -> None:
        """Remove all marks of finished tasks."""
        self.replace(self.spans, ())

    def replace(self, spans: tuple[LabelSpan, ...], done_ns: tuple[int, ...]) -> None:
        """Replace all labels and marks.

        Raises:
            LabelFileError: Spans overlap, or something is not in the order of time.
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
        spans = sorted((*labels.spans, *self._elsewhere.spans), key=lambda span: span.start_ns)
        done_ns = sorted((*labels.done_ns, *self._elsewhere.done_ns))
        whole = replace(labels, spans=tuple(spans), done_ns=tuple(done_ns))
        known = self._digest if known is None else known
        self._digest = label_file.save(self.folder, whole, known)
        self._labels = labels

    def reload(self) -> None:
        """Read the file again; changes that were not saved are lost.

        Raises:
            LabelFileError: The file is damaged, or of another recording.
        """
        self._take(*label_file.read(self.folder, self.episode.bag_facts))

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

    def take_within(self, other: LabelFile) -> None:
        """Replace all labels and marks by those of a file that lie within the episode."""
        inside, _ = self._parted(other)
        self.replace(inside.spans, inside.done_ns)

    def _parted(self, whole: LabelFile) -> tuple[LabelFile, LabelFile]:
        """Part labels into those within the episode and the rest."""
        begin, end = self.begin_ns, self.end_ns
        inside = erase(erase(whole.spans, 0, begin), end, sys.maxsize)
        done = tuple(time for time in whole.done_ns if begin <= time <= end)
        rest = tuple(time for time in whole.done_ns if time not in done)
        outside = erase(whole.spans, begin, end)
        return (
            replace(whole, spans=inside, done_ns=done),
            replace(whole, spans=outside, done_ns=rest),
        )

    def _take(self, whole: LabelFile | None, digest: str) -> None:
        """Part the labels of a file into those of this episode and the rest."""
        if whole is None:
            spans = sorted(
                (*self.recorded, *self._recorded_elsewhere), key=lambda span: span.start_ns
            )
            episode = self.episode
            whole = LabelFile(
                episode.facts.id,
                episode.recording_key,
                tuple(spans),
                self.author,
                done_ns=self._recorded_done,
            )
        self._labels, self._elsewhere = self._parted(whole)
        self._digest = digest
        self._history.clear()

    def _spans_of(self, episode: BagEpisode) -> tuple[LabelSpan, ...]:
        """Recorded labels as spans; those that differ in details only are one."""
        times = episode.times_ns
        spans: list[LabelSpan] = []
        unfit: dict[str, None] = dict.fromkeys(self.unfit)
        for label in episode.recorded_labels:
            start, last = int(times[label.start_row]), label.stop_row == len(times)
            stop = _end_ns(episode) if last else int(times[label.stop_row])
            try:
                span = LabelSpan(start, stop, label.text, label.task, label.source)
            except ValueError as error:
                unfit[str(error)] = None
                continue
            before = spans[-1] if spans else None
            if (
                before is not None
                and replace(before, start_ns=start, stop_ns=stop) == span
                and (before.stop_ns == start)
            ):
                spans[-1] = replace(before, stop_ns=stop)
            else:
                spans.append(span)
        self.unfit = tuple(unfit)
        return tuple(spans)


def _end_ns(episode: BagEpisode) -> int:
    """End of an episode [ns]: the last row lies before it."""
    return int(episode.times_ns[-1]) + round(1e9 / episode.rate_hz)
