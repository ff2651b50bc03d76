"""Selection of the episodes and rows to export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pi05_ros.data.episodes.episode import Episode

# Name of a missing outcome on the command line.
UNGRADED = "none"


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


def select_rows(episode: Episode, cameras: Sequence[str], step: int = 1) -> Rows:
    """Select the longest range in which all cameras, states and commands are complete.

    LeRobot's rows are evenly spaced and its trainer requires finite numbers, so rows cannot be
    dropped from the middle. Rows outside the range are counted by reason; of two ranges of equal
    length the first one is taken.

    Args:
        episode: The episode.
        cameras: Names of the cameras that must have a picture.
        step: Every `step`-th row is taken.
    """
    without_picture = np.zeros(len(episode), bool)
    for camera in cameras:
        without_picture |= episode.frame_of_row(camera) < 0
    without_command = ~np.isfinite(episode.actions).all(axis=1)
    without_state = ~np.isfinite(episode.states).all(axis=1)
    start, stop = longest_run(~(without_picture | without_command | without_state))
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
    taken = len(range(start, stop, step))
    reasons[f"between every {step}th row"] = stop - start - taken
    return Rows(start, stop, step, {why: count for why, count in reasons.items() if count})


def longest_run(good: np.ndarray) -> tuple[int, int]:
    """Start and stop of the first longest run of True in a (T,) bool; (0, 0): none."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    if not len(edges):
        return 0, 0
    starts, stops = edges[::2], edges[1::2]
    longest = int(np.argmax(stops - starts))
    return int(starts[longest]), int(stops[longest])


def never_commanded(episode: Episode) -> list[str]:
    """Names of the entries that no row has a command for."""
    silent = ~np.isfinite(episode.actions).any(axis=0)
    names = episode.facts.action_names or episode.facts.names
    return [name for name, is_silent in zip(names, silent, strict=True) if is_silent]


def exclusion_reason(episode: Episode, outcomes: Sequence[str], include_recovered: bool) -> str:
    """Reason, from its facts, why an episode is not exported; empty: it is exported.

    Args:
        episode: The episode.
        outcomes: Outcomes to export, `UNGRADED` for none.
        include_recovered: Whether to export episodes that a crash cut short.
    """
    facts = episode.facts
    outcome = facts.outcome or UNGRADED
    if outcome not in outcomes:
        return f"outcome {outcome}"
    if facts.recovered and not include_recovered:
        return "recovered after a crash (--include-recovered takes it)"
    return ""
