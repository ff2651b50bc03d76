"""The report of an export: contents of the dataset, and episodes left out with the reasons."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pi05_ros.brain.instructions import clean
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.episodes.episode import (
    CONTROL_DISTURBANCE,
    CONTROL_NONE,
    CONTROL_POLICY,
    CONTROL_TELEOP,
)
from pi05_ros.data.lerobot import layout as names
from pi05_ros.data.lerobot.committed import read_committed
from pi05_ros.data.lerobot.export import Exported

NO_SUBTASK = "none"
_DRIVERS = {
    CONTROL_NONE: "nobody",
    CONTROL_POLICY: "policy",
    CONTROL_TELEOP: "operator",
    CONTROL_DISTURBANCE: "disturbance",
}


@dataclass(frozen=True)
class Audit:
    """Contents of a dataset, with the changes of the last export."""

    folder: Path
    episodes: int
    rows: int
    fps: int
    added: int
    found_ready: int  # Of those added: staged by an interrupted export.
    tasks: tuple[str, ...]
    outcomes: Counter[str]  # Outcome -> episodes.
    sources: Counter[str]  # Source of the subtask -> rows.
    drivers: Counter[str]  # Whose commands the actions are -> rows; empty: the column is missing.
    rows_left_out: Counter[str]  # Reason -> rows of episodes that are in the dataset.
    late_rows: int
    recovered: int  # Episodes.
    data_bytes: int
    video_bytes: int
    left_out: tuple[tuple[str, tuple[str, ...]], ...]  # Reason -> names of episodes.

    @property
    def seconds(self) -> float:
        """Length of all episodes [s]."""
        return self.rows / self.fps

    def lines(self) -> list[str]:
        """Format the report as lines of text."""
        found = [
            f"{self.folder}: {self.episodes} episodes ({self.added} new"
            + (f", {self.found_ready} of them ready from before" if self.found_ready else "")
            + f"), {self.rows} rows at {self.fps} Hz, {self.seconds:.1f} s",
            f"tasks: {', '.join(map(clean, self.tasks)) or 'none'}",
            f"outcomes: {_shares(self.outcomes, 'episodes')}",
            f"sources of subtasks: {_shares(self.sources, 'rows')}",
        ]
        if self.drivers:
            found.append(f"driven by: {_shares(self.drivers, 'rows')}")
        if self.recovered:
            found.append(f"recovered after a crash: {self.recovered} episodes")
        for why, count in self.rows_left_out.most_common():
            found.append(f"rows left out, {why}: {count}")
        if self.late_rows:
            found.append(
                f"rows that came late by more than half a period: {self.late_rows} (LeRobot "
                f"spaces rows evenly; time_ns has when they came)"
            )
        found.append(
            f"size: data {self.data_bytes / 1e6:.1f} MB, videos {self.video_bytes / 1e6:.1f} MB"
        )
        for why, ids in self.left_out:
            shown = ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if ids[5:] else "")
            found.append(f"episodes left out, {why}: {len(ids)} ({shown})")
        return found


def audit(exported: Exported) -> Audit:
    """Make the report of an export; the dataset may be empty."""
    committed = read_committed(exported.folder)
    reasons: dict[str, list[str]] = {}
    for episode in exported.left_out:
        reasons.setdefault(episode.why, []).append(episode.name)
    left_out = tuple((why, tuple(ids)) for why, ids in reasons.items())
    facts = [EpisodeFacts.from_custom_data(_json(row, "facts")) for row in committed.episodes]
    sources: Counter[str] = Counter()
    rows_left_out: Counter[str] = Counter()
    for row in committed.episodes:
        sources.update({who or NO_SUBTASK: n for who, n in _json(row, "sources").items()})
        rows_left_out.update(_json(row, "left_out"))
    return Audit(
        folder=exported.folder,
        episodes=len(committed.episodes),
        rows=committed.rows,
        fps=committed.layout.fps if committed.layout else 1,
        added=len(exported.added),
        found_ready=exported.staged_before,
        tasks=committed.tasks,
        outcomes=Counter(one.outcome or "none" for one in facts),
        sources=sources,
        drivers=_drivers(exported.folder) if committed.episodes else Counter(),
        rows_left_out=rows_left_out,
        late_rows=sum(row["pi05/late_rows"] for row in committed.episodes),
        recovered=sum(bool(one.recovered) for one in facts),
        data_bytes=_size(exported.folder / "data"),
        video_bytes=_size(exported.folder / "videos"),
        left_out=left_out,
    )


def _drivers(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in folder.glob("data/*/*.parquet"):
        if names.CONTROL_SOURCE not in pq.read_schema(path).names:
            continue
        for count in pq.read_table(path, columns=[names.CONTROL_SOURCE])[0].value_counts():
            value = count["values"].as_py()
            found[_DRIVERS.get(value, f"control_source {value}")] += count["counts"].as_py()
    return found


def _json(row: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row[f"pi05/{name}"])
    return found


def _shares(counts: Counter[str], what: str) -> str:
    total = sum(counts.values())
    if not total:
        return "none"
    return ", ".join(
        f"{name} {count} {what} ({100 * count / total:.0f} %)"
        for name, count in counts.most_common()
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
