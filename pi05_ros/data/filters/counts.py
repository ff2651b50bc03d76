"""Counts of the episodes and rows that a filter kept and dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pi05_ros.data.filters.episode_filter import JudgedEpisode


@dataclass
class FilterCounts:
    """Counts that can be merged."""

    episodes: int = 0  # That train.
    rows: int = 0  # That train.
    episodes_left_out: Counter[str] = field(default_factory=Counter)  # Reason -> episodes.
    rows_left_out: Counter[str] = field(default_factory=Counter)  # Reason -> of kept episodes.
    rows_of_episodes_left_out: int = 0

    @classmethod
    def of(cls, judged: Iterable[JudgedEpisode]) -> FilterCounts:
        """Count judged episodes."""
        found = cls()
        for one in judged:
            if one.is_kept:
                found.episodes += 1
                found.rows += one.kept
                found.rows_left_out.update(one.left_out)
            else:
                found.episodes_left_out[one.reason] += 1
                found.rows_of_episodes_left_out += one.rows
        return found

    def merge(self, other: FilterCounts) -> None:
        """Add the counts of another instance."""
        self.episodes += other.episodes
        self.rows += other.rows
        self.episodes_left_out.update(other.episodes_left_out)
        self.rows_left_out.update(other.rows_left_out)
        self.rows_of_episodes_left_out += other.rows_of_episodes_left_out

    @property
    def all_rows_left_out(self) -> int:
        """Rows that do not train, of all episodes."""
        return self.rows_left_out.total() + self.rows_of_episodes_left_out

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        # asdict would count the pairs of a Counter.
        return {
            "episodes": self.episodes,
            "rows": self.rows,
            "episodes_left_out": dict(self.episodes_left_out),
            "rows_left_out": dict(self.rows_left_out),
            "rows_of_episodes_left_out": self.rows_of_episodes_left_out,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> FilterCounts:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: The content is something else.
        """
        return cls(
            int(content["episodes"]),
            int(content["rows"]),
            Counter(dict(content["episodes_left_out"])),
            Counter(dict(content["rows_left_out"])),
            int(content["rows_of_episodes_left_out"]),
        )

    def lines(self) -> list[str]:
        """The counts as lines of text: what trains, then reasons, most frequent first."""
        total = self.episodes + self.episodes_left_out.total()
        found = [
            f"train: {self.rows} of {self.rows + self.all_rows_left_out} rows, "
            f"{self.episodes} of {total} episodes"
        ]
        for reason, count in self.episodes_left_out.most_common():
            found.append(f"episodes left out, {reason}: {count}")
        for reason, count in self.rows_left_out.most_common():
            found.append(f"rows left out, {reason}: {count}")
        return found
