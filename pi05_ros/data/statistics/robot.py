"""Statistics of one robot's states and actions, and the NormStats made from them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields

import numpy as np

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.filters.counts import FilterCounts
from pi05_ros.data.filters.episode_filter import NO_FILTER, EpisodeFilter
from pi05_ros.data.statistics.floors import Ranges, SpanFloors, floored
from pi05_ros.data.statistics.vectors import VectorStatistics
from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.model.normalization import DimensionStats, NormStats

HORIZON = 50  # Rows of a chunk.
LOW, HIGH = 0.01, 0.99  # Quantiles that normalise to -1 and 1.


class StatisticsError(Pi05Error):
    """Statistics cannot be made, merged or read."""


@dataclass(frozen=True)
class Layout:
    """Platform, entries and rate of the vectors, which all merged statistics share."""

    platform: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    horizon: int = HORIZON
    action_names: tuple[str, ...] = ()  # Of the action's entries; (): `names`.

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of the action's entries."""
        return self.action_names or self.names

    @property
    def shared(self) -> list[tuple[int, int]]:
        """Indices in the state and in the action of each entry that both have, by name."""
        if not self.action_names:
            return [(index, index) for index in range(len(self.names))]
        found = {name: index for index, name in enumerate(self.names)}
        return [(found[n], i) for i, n in enumerate(self.action_names) if n in found]

    @classmethod
    def of(cls, episode: Episode, horizon: int = HORIZON) -> Layout:
        """Return the layout of an episode's vectors."""
        facts = episode.facts
        return cls(
            facts.platform,
            facts.names,
            facts.units,
            episode.rate_hz,
            horizon,
            facts.action_names,
        )

    def difference(self, other: Layout) -> str:
        """First difference to another layout, as a clause; empty: they are equal."""
        for what in ("platform", "names", "units", "rate_hz", "horizon", "action_names"):
            mine, its = getattr(self, what), getattr(other, what)
            if mine != its and isinstance(mine, tuple):
                odd = [f"'{b}' for '{a}'" for a, b in zip(mine, its, strict=False) if a != b]
                return f"{what}: {odd[0] if odd else f'{len(its)} for {len(mine)}'}"
            if mine != its:
                return f"{what} {its!r} for {mine!r}"
        return ""


@dataclass
class RobotStatistics:
    """Statistics over the rows that train.

    Attributes:
        episode_filter: Which episodes and rows train. By itself an episode is judged without its
            length, which takes the others (`count_episodes`).
        counts: Episodes and rows that the filter kept and dropped.
        states: Statistics of the measured state in those rows.
        actions: Statistics of the action sent in those rows.
        relative: Statistics of the difference of each action of a row's chunk to the row's state,
            the target of a model with relative actions: `horizon` values a row, fewer at the end.
            Of the entries that state and action share, which are all on a robot of the suite.
    """

    layout: Layout
    episode_filter: EpisodeFilter = NO_FILTER
    counts: FilterCounts = field(default_factory=FilterCounts)
    states: VectorStatistics = field(init=False)
    actions: VectorStatistics = field(init=False)
    relative: VectorStatistics = field(init=False)

    def __post_init__(self) -> None:
        layout = self.layout
        self.states = VectorStatistics(len(layout.names))
        self.actions = VectorStatistics(len(layout.actions))
        self.relative = VectorStatistics(len(layout.shared))

    @property
    def episodes(self) -> int:
        """Number of episodes that train."""
        return self.counts.episodes

    @property
    def rows(self) -> int:
        """Number of rows that train."""
        return self.counts.rows

    def add(self, episode: Episode) -> None:
        """Add an episode: its rows that train, and the counts of the others.

        Raises:
            StatisticsError: The episode has another layout, or not one value for each name.
        """
        self._must_equal(Layout.of(episode, self.layout.horizon), str(episode.source))
        states, actions = episode.states, episode.actions
        for what, found, names in (
            ("states", states.shape[1], self.layout.names),
            ("actions", actions.shape[1], self.layout.actions),
        ):
            if found != len(names):
                raise StatisticsError(
                    f"{episode.source}: {what} have {found} entries, for {len(names)} names"
                )
        rows = np.flatnonzero(self.episode_filter.rows(episode))
        self.states.add(states[rows])
        self.actions.add(actions[rows])
        stops = self.episode_filter.action_stops(episode)
        in_state, in_action = np.array(self.layout.shared, int).reshape(-1, 2).T
        for ahead in range(self.layout.horizon):
            begins = rows[rows + ahead < stops[rows]]
            ahead_of_row = actions[begins + ahead][:, in_action]
            self.relative.add(ahead_of_row - states[begins][:, in_state])
        self.counts.merge(FilterCounts.of([self.episode_filter.judge(episode)]))

    def merge(self, other: RobotStatistics) -> None:
        """Add all rows of another instance.

        Raises:
            StatisticsError: The other has another layout, or was counted with another filter.
        """
        self._must_equal(other.layout, "the other statistics")
        if other.episode_filter != self.episode_filter:
            raise StatisticsError(
                "the other statistics cannot be merged: they were counted with another filter "
                f"({_first_difference(self.episode_filter, other.episode_filter)}); count all "
                "parts with the same one"
            )
        self.states.merge(other.states)
        self.actions.merge(other.actions)
        self.relative.merge(other.relative)
        self.counts.merge(other.counts)

    def norm_stats(
        self,
        relative: Collection[str] = (),
        ranges: Ranges | None = None,
        floors: SpanFloors | None = None,
    ) -> NormStats:
        """Make the normalisation statistics that a checkpoint holds.

        Args:
            relative: Names of the entries whose action is the difference to the state.
            ranges: The robot's limits; None: not known, floors are by unit.
            floors: Floors for the spans, applied here, after merging, so that every reader of the
                result divides by the same spans. None: the defaults.

        Raises:
            StatisticsError: No row was counted, `relative` names an unknown entry, or state and
                action are of different entries.
        """
        if self.layout.action_names:
            raise StatisticsError(
                f"states have {len(self.layout.names)} entries ({', '.join(self.layout.names)}) "
                f"and actions {len(self.layout.actions)} ({', '.join(self.layout.actions)}), and "
                "norm_stats.json has one action for each state: write the dataset again with the "
                "same entries in both, or, if they are the same, name them alike in its "
                "meta/info.json"
            )
        for name in relative:
            if name not in self.layout.names:
                raise StatisticsError(
                    f"there is no entry '{name}'{did_you_mean(name, self.layout.names)} "
                    f"(valid: {', '.join(self.layout.names)})"
                )
        wanted = np.array([name in relative for name in self.layout.names])
        states, actions = self._ends(self.states), self._ends(self.actions)
        differences = self._ends(self.relative) if wanted.any() else actions
        empty = np.flatnonzero(~np.isfinite(states + actions + differences).all(axis=0))
        if empty.size:
            raise StatisticsError(
                f"there are no values of '{self.layout.names[empty[0]]}': of {self.rows} rows in "
                "which the robot acted and was labelled, none has a finite value"
            )
        actions = np.where(wanted, differences, actions)
        ranges = ranges or Ranges.of_units(self.layout.units)
        floors = floors or SpanFloors()
        seen = np.where(wanted, self.relative.seen, self.actions.seen)
        states = floored(states, self.states.seen, ranges, np.zeros_like(wanted), floors)
        actions = floored(actions, seen, ranges, wanted, floors)
        return NormStats(
            tuple(
                DimensionStats(
                    name,
                    self.layout.units[i],
                    *(float(states[0, i]), float(states[1, i])),
                    *(float(actions[0, i]), float(actions[1, i])),
                    relative=bool(wanted[i]),
                )
                for i, name in enumerate(self.layout.names)
            )
        )

    @staticmethod
    def _ends(values: VectorStatistics) -> np.ndarray:
        """1st and 99th percentile, (2, D) float64."""
        return np.stack([values.quantiles.at(LOW), values.quantiles.at(HIGH)])

    def _must_equal(self, other: Layout, whose: str) -> None:
        difference = self.layout.difference(other)
        if difference:
            raise StatisticsError(
                f"{whose}: cannot be merged with statistics of {self.layout.platform} "
                f"({difference}); statistics are of one robot"
            )


def _first_difference(mine: EpisodeFilter, its: EpisodeFilter) -> str:
    for part in fields(EpisodeFilter):
        here, there = getattr(mine, part.name), getattr(its, part.name)
        if here != there:
            return f"{part.name} {there} for {here}"
    return ""
