"""Selection of the episodes and rows to export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pi05_ros.data.episodes import rows as episode_rows
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.filters.episode_filter import NO_FILTER, UNLABELLED, EpisodeFilter

# Longest time from a first plan to its first row, as that of a slow answer, and from the last row
# to "done" [ns].
_BEFORE_NS = 3_000_000_000
# Rows around a plan that hold its pictures and those that are matched before [ns].
_AROUND_NS = 300_000_000


@dataclass(frozen=True)
class Rows:
    """The exported rows of an episode: start, start + step, … below stop."""

    start: int
    stop: int
    step: int
    left_out: dict[str, int] = field(default_factory=dict)  # Reason -> rows of the episode.

    def __len__(self) -> int:
        return len(range(self.start, self.stop, self.step))

    @property
    def indices(self) -> np.ndarray:
        """Indices of the rows, (K,) int64."""
        return np.arange(self.start, self.stop, self.step)

    def moved(self, start: int, stop: int) -> tuple[int, int]:
        """Map a range of the episode's rows to exported rows; start = stop: none is exported."""
        found = [max(0, -(-(row - self.start) // self.step)) for row in (start, stop)]
        return min(found[0], len(self)), min(found[1], len(self))


def select_rows(
    episode: Episode,
    cameras: Sequence[str],
    step: int = 1,
    episode_filter: EpisodeFilter = NO_FILTER,
) -> Rows:
    """Select the longest range in which all cameras, states and commands are complete.

    LeRobot's rows are evenly spaced and its trainer requires finite numbers, so rows cannot be
    dropped from the middle. At its ends, rows are cut in which nobody drove or that the filter
    drops; rows without a subtask stay, since they have the episode's task, and so do those of the
    observations of the task's first plan and of its end. Rows outside the range are counted by
    reason; of two ranges of equal length the first one is taken.

    Args:
        episode: The episode.
        cameras: Names of the cameras that must have a picture.
        step: Every `step`-th row is taken.
        episode_filter: Which rows train.
    """
    without_picture = np.zeros(len(episode), bool)
    for camera in cameras:
        without_picture |= episode.frame_of_row(camera) < 0
    without_command = ~np.isfinite(episode.actions).all(axis=1)
    without_state = ~np.isfinite(episode.states).all(axis=1)
    whole = ~(without_picture | without_command | without_state)
    start, stop = longest_even_run(whole, np.flatnonzero(episode_rows.row_gaps(episode)) + 1)
    outside = np.ones(len(episode), bool)
    outside[start:stop] = False
    reasons = {
        "without a picture of every camera": int(np.sum(outside & without_picture)),
        "without a command for every entry": int(
            np.sum(outside & without_command & ~without_picture)
        ),
        "with a state that is NaN or infinite": int(
            np.sum(outside & without_state & ~without_command & ~without_picture)
        ),
        "cut off by such rows from the longer part": int(
            np.sum(outside & ~without_state & ~without_command & ~without_picture)
        ),
    }
    inner, why = _trimmed(episode, episode_filter.row_reasons(episode), start, stop)
    reasons.update(why)
    start, stop = inner
    taken = len(range(start, stop, step))
    reasons[f"between every {step}th row"] = stop - start - taken
    return Rows(start, stop, step, {why: count for why, count in reasons.items() if count})


def _trimmed(
    episode: Episode, reasons: np.ndarray, start: int, stop: int
) -> tuple[tuple[int, int], dict[str, int]]:
    """Cut rows that do not train from both ends of a range; also return their counts."""
    rows = reasons[start:stop]
    stays = start + np.flatnonzero((rows == "") | (rows == UNLABELLED))
    first, last = (int(stays[0]), int(stays[-1]) + 1) if len(stays) else (stop, stop)
    if len(stays):
        first, last = _with_plans(episode, (first, last), (start, stop))
    cut = Counter([*reasons[start:first], *reasons[last:stop]])
    return (first, last), {f"{why}, at an end": count for why, count in cut.items()}


def _with_plans(
    episode: Episode, driven: tuple[int, int], whole: tuple[int, int]
) -> tuple[int, int]:
    """Extend a range of rows to the plan that its first rows follow, and to the end of the task.

    The robot holds while its first plan is made and after "done", and both need their pictures.

    Args:
        episode: The episode.
        driven: The range.
        whole: Limits of the result.
    """
    (first, last), times_ns = driven, episode.times_ns
    began, ended = int(times_ns[first]), int(times_ns[last - 1])
    plans = episode.plans
    before = [p.stamp_ns for p in plans if began - _BEFORE_NS <= p.stamp_ns < began]
    after = [p.stamp_ns for p in plans if p.done and ended <= p.stamp_ns < ended + _BEFORE_NS]
    if before:
        row = int(np.searchsorted(times_ns, before[0] - _AROUND_NS, side="left"))
        first = min(first, max(whole[0], row))
    if after:
        row = int(np.searchsorted(times_ns, after[0] + _AROUND_NS, side="right"))
        last = max(last, min(whole[1], row))
    return first, last


def longest_run(good: np.ndarray) -> tuple[int, int]:
    """Start and stop of the first longest run of True in a (T,) bool; (0, 0): none."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    if not len(edges):
        return 0, 0
    starts, stops = edges[::2], edges[1::2]
    longest = int(np.argmax(stops - starts))
    return int(starts[longest]), int(stops[longest])


def longest_even_run(good: np.ndarray, breaks: np.ndarray) -> tuple[int, int]:
    """The first longest run of True that holds no break; see `longest_run`.

    Args:
        good: (T,) bool.
        breaks: Indices before which rows are missing, rising.
    """
    parted = np.insert(good, breaks, False)  # The i-th break is then at breaks[i] + i.
    start, stop = longest_run(parted)
    inserted = int(np.searchsorted(breaks + np.arange(len(breaks)), start))
    return (start - inserted, stop - inserted) if stop else (0, 0)


def never_commanded(episode: Episode) -> list[str]:
    """Names of the entries that no row has a command for."""
    silent = ~np.isfinite(episode.actions).any(axis=0)
    names = episode.facts.action_names or episode.facts.names
    return [name for name, is_silent in zip(names, silent, strict=True) if is_silent]


def exclusion_reason(
    episode: Episode, episode_filter: EpisodeFilter, include_recovered: bool
) -> str:
    """Reason, from its facts, why an episode is not exported; empty: it is exported.

    Args:
        episode: The episode.
        episode_filter: Which episodes train. Its other rules read the rows, and come later.
        include_recovered: Whether to export episodes that a crash cut short.
    """
    facts = episode.facts
    why = episode_filter.outcome_reason(facts.outcome)
    if why and not (episode_filter.ungraded_teleop and not facts.outcome):
        return why
    if facts.recovered and not include_recovered:
        return "recovered after a crash (--include-recovered takes it)"
    return ""
