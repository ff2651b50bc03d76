"""Filter of episodes and rows: its settings, and its decision on each episode.

docs/design/filters.md gives the reasons for the rules and their defaults.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from pi05_ros.cameras.health import WatchSettings
from pi05_ros.data.episodes.episode import (
    CONTROL_POLICY,
    CONTROL_TELEOP,
    MODE_FAULTED,
    MODE_HOLDING,
    MODE_RUNNING,
    Episode,
)
from pi05_ros.data.episodes.interventions import interventions
from pi05_ros.data.episodes.rows import action_stops, label_of_row
from pi05_ros.data.filters.lengths import length_bounds
from pi05_ros.data.filters.motion import idle_rows

UNGRADED = "none"  # Name of a missing outcome.
Outcome = Literal["success", "failure", "none"]

NOT_DRIVEN = "not driven"
UNLABELLED = "no subtask"
# Reasons of the filter itself; rows of the two above never train, with or without a filter.
POLICY = "driven by the policy"
TELEOP = "driven by the operator"
BEFORE_TAKEOVER = "before a takeover"
BEFORE_HOLD = "before a hold"
IDLE = "idle"
FEW_LABELS = "too few rows with a subtask"  # Of an episode.


@dataclass(frozen=True)
class EpisodeFilter:
    """Filter of the episodes and rows that train. It can be written as YAML."""

    # Outcomes of the episodes that train; "none": not graded.
    outcomes: tuple[Outcome, ...] = ("success",)
    # Whether ungraded episodes train that an operator drove alone, from end to end.
    ungraded_teleop: bool = False
    # Robust deviations by which an episode's length may differ from the median of its task; 0: any
    # length. Tasks of fewer than 5 episodes have no bounds.
    length_deviations: float = 5.0
    # Share of the driven rows that need a subtask, 0 to 1. An episode without any never trains.
    least_labelled: float = 0.5
    # Whether rows train that the policy drove.
    policy_rows: bool = True
    # Whether rows train that an operator drove.
    teleop_rows: bool = True
    # Policy rows so shortly before a takeover do not train [s]: the operator saw an error.
    before_takeover_s: float = 1.0
    # Rows so shortly before a hold or a fault do not train [s]: inputs were old already.
    before_hold_s: float = WatchSettings().stale_after_s
    # Stretches in which the robot stood still for so long do not train [s]; 0: they do.
    idle_s: float = 3.0

    def __post_init__(self) -> None:
        if not self.outcomes:
            raise ValueError("outcomes is empty: no episode would train")
        for name in ("length_deviations", "before_takeover_s", "before_hold_s", "idle_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} {value:g}: wanted a number of at least 0")
        if not 0 <= self.least_labelled <= 1:
            raise ValueError(f"least_labelled {self.least_labelled:g}: wanted a share, 0 to 1")
        if not (self.policy_rows or self.teleop_rows):
            raise ValueError("policy_rows and teleop_rows are both false: no row would train")

    def rows(self, episode: Episode) -> np.ndarray:
        """Rows that train, (T,) bool; none where the episode itself does not.

        The length of an episode is not judged, which takes the others of its task (`judge_all`).
        """
        if self._episode_reason(episode):
            return np.zeros(len(episode), bool)
        return self.row_reasons(episode) == ""

    def targets(self, episode: Episode) -> np.ndarray:
        """Rows whose actions may stand in the chunk of an earlier row, (T,) bool.

        The chunk of a row that trains must not lead into what the filter judges an error: its
        actions end before such a row, as they do before a hold. Idle rows, and rows before a hold
        or without a subtask, may follow in a chunk.
        """
        reasons = self.row_reasons(episode)
        return ~np.isin(reasons.astype(str), (NOT_DRIVEN, POLICY, TELEOP, BEFORE_TAKEOVER))

    def action_stops(self, episode: Episode) -> np.ndarray:
        """End (exclusive) of the actions of each row's chunk, (T,) int64; at most the run's."""
        rows = np.arange(len(episode))
        errors = np.r_[np.flatnonzero(~self.targets(episode)), len(episode)]
        return np.minimum(action_stops(episode), errors[np.searchsorted(errors, rows)])

    def row_reasons(self, episode: Episode) -> np.ndarray:
        """The first reason why each row does not train, (T,) str; "": it trains."""
        driven, sources = _driven(episode), episode.control_sources
        policy, teleop = sources == CONTROL_POLICY, sources == CONTROL_TELEOP
        found = np.full(len(episode), "", dtype=object)
        rules = (
            (NOT_DRIVEN, ~driven),
            (UNLABELLED, label_of_row(episode) < 0),
            (POLICY, policy & (not self.policy_rows)),
            (TELEOP, teleop & (not self.teleop_rows)),
            (BEFORE_TAKEOVER, policy & self._before_takeovers(episode)),
            (BEFORE_HOLD, self._before_holds(episode)),
            (IDLE, self._idle(episode)),
        )
        for reason, rows in rules:
            found[rows & (found == "")] = reason
        return found

    def judge(self, episode: Episode) -> JudgedEpisode:
        """Judge an episode by itself; its length is judged with the others' (`judge_lengths`)."""
        times = episode.times_ns
        seconds = (times[-1] - times[0]) / 1e9 + 1 / episode.rate_hz if len(times) else 0.0
        reason = self._episode_reason(episode)
        counts: Counter[str] = Counter()
        if not reason:
            counts.update(self.row_reasons(episode).tolist())
            if not counts[""]:
                reason = f"no row is left ({counts.most_common(1)[0][0]})"
        kept = counts.pop("", 0)
        facts = episode.facts
        return JudgedEpisode(
            facts.id, facts.task, float(seconds), len(episode), reason, kept, dict(counts)
        )

    def judge_lengths(self, judged: Iterable[JudgedEpisode]) -> list[JudgedEpisode]:
        """Drop the episodes whose length is unusual for their task; the others are unchanged."""
        judged = list(judged)
        lengths: dict[str, list[float]] = {}
        for one in judged:
            if one.is_kept:
                lengths.setdefault(one.task, []).append(one.seconds)
        if not self.length_deviations:
            return judged
        bounds = length_bounds(lengths, self.length_deviations)
        return [_within(one, bounds.get(one.task)) for one in judged]

    def judge_all(self, episodes: Iterable[Episode]) -> list[JudgedEpisode]:
        """Judge all episodes that are to train together, in order."""
        return self.judge_lengths([self.judge(episode) for episode in episodes])

    def _episode_reason(self, episode: Episode) -> str:
        """Reason why an episode does not train, without its length; empty: it does."""
        reason = self.outcome_reason(episode.facts.outcome)
        driven = _driven(episode)
        if reason and not episode.facts.outcome and self.ungraded_teleop and driven.any():
            reason = "" if (episode.control_sources[driven] == CONTROL_TELEOP).all() else reason
        if reason:
            return reason
        if not driven.any():
            return "nobody drove"
        share = float((label_of_row(episode)[driven] >= 0).mean())
        if share == 0 or share < self.least_labelled:
            return FEW_LABELS
        return ""

    def outcome_reason(self, outcome: str) -> str:
        """Reason why episodes of an outcome do not train; empty: they do."""
        return "" if (outcome or UNGRADED) in self.outcomes else f"outcome {outcome or UNGRADED}"

    def _idle(self, episode: Episode) -> np.ndarray:
        if not self.idle_s:
            return np.zeros(len(episode), bool)
        return idle_rows(episode, self.idle_s)

    def _before_takeovers(self, episode: Episode) -> np.ndarray:
        starts = [span.start_row for span in interventions(episode)]
        return _before(episode, np.array(starts, np.int64), self.before_takeover_s)

    def _before_holds(self, episode: Episode) -> np.ndarray:
        modes = episode.modes
        ended = (modes[:-1] == MODE_RUNNING) & np.isin(modes[1:], (MODE_HOLDING, MODE_FAULTED))
        return _before(episode, np.flatnonzero(ended) + 1, self.before_hold_s)


# All rows that somebody drove under a subtask, of all episodes.
NO_FILTER = EpisodeFilter(
    outcomes=("success", "failure", "none"),
    length_deviations=0.0,
    least_labelled=0.0,
    before_takeover_s=0.0,
    before_hold_s=0.0,
    idle_s=0.0,
)


@dataclass(frozen=True)
class JudgedEpisode:
    """Decision of a filter on an episode."""

    id: str
    task: str
    seconds: float  # From the first to the last row, one period included [s].
    rows: int  # Of the episode.
    reason: str  # Why it does not train; "": it trains.
    kept: int  # Rows that train.
    left_out: dict[str, int] = field(default_factory=dict)  # Reason -> rows of a kept episode.

    @property
    def is_kept(self) -> bool:
        """True if the episode trains."""
        return not self.reason


def _driven(episode: Episode) -> np.ndarray:
    """Rows in which the policy or an operator drove, (T,) bool."""
    sources = np.isin(episode.control_sources, (CONTROL_POLICY, CONTROL_TELEOP))
    return (episode.modes == MODE_RUNNING) & sources


def _before(episode: Episode, events: np.ndarray, seconds: float) -> np.ndarray:
    """Rows at most `seconds` before one of the rows `events`, that row excluded, (T,) bool."""
    times = episode.times_ns
    found = np.zeros(len(times), bool)
    for event in events:
        first = np.searchsorted(times, times[event] - round(seconds * 1e9), side="left")
        found[first:event] = True
    return found


def _within(judged: JudgedEpisode, bounds: tuple[float, float] | None) -> JudgedEpisode:
    if not judged.is_kept or bounds is None or bounds[0] <= judged.seconds <= bounds[1]:
        return judged
    reason = "unusually short" if judged.seconds < bounds[0] else "unusually long"
    return replace(judged, reason=reason, kept=0, left_out={})
