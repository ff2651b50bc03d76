"""The report of an evaluation as one self-contained HTML file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pi05_ros.evaluation.eval_report.charts import difference_chart, share_chart
from pi05_ros.evaluation.eval_report.limits import not_measured
from pi05_ros.evaluation.trials.modes import MODES

_MOST_BYTES = 48 << 20  # Of all videos in the page; the others stay files beside it.


@dataclass(frozen=True)
class Clip:
    """A video on the page."""

    which: str  # "best" or "worst"
    episode: Mapping[str, Any]
    label: str
    data: str  # Base64 MP4; empty: it is the file `name`.
    name: str


def render(
    summary: Mapping[str, Any],
    chosen: Sequence[tuple[str, str]] = (),
    videos: Mapping[str, Path] | None = None,
) -> str:
    """Render the page.

    Args:
        summary: As `trials.summary.summarize` returns it.
        chosen: Trials that are shown, each with "best" or "worst".
        videos: Name of a trial → its MP4 file.
    """
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
    )
    rows = summary["results"]
    labels = [_label(summary, row) for row in rows]
    baseline = _baseline_pairs(summary)
    return environment.get_template("page.html.j2").render(
        summary=summary,
        settings=summary["settings"],
        rows=list(zip(labels, rows, strict=True)),
        overall=[(_label(summary, row), row) for row in summary["overall"]],
        tasks=[task["name"] for task in summary["settings"]["tasks"]],
        modes=[MODES[name] for name in summary["settings"]["modes"]],
        kinds=_kinds(rows),
        homes=_homes(summary),
        reasons=_reasons(labels, rows),
        pairs=[
            (_label(summary, pair["a"]), _label(summary, pair["b"]), pair) for pair in baseline
        ],
        all_pairs=len(summary["paired"]),
        shares=Markup(share_chart(labels, rows)) if rows else "",
        differences=Markup(difference_chart(_pair_labels(summary, baseline), baseline))
        if baseline
        else "",
        clips=_clips(summary, chosen, videos or {}),
        limits=not_measured(summary),
    )


def _label(summary: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Return the mode, with the number of the checkpoint where there are several."""
    checkpoints = [weights["checkpoint"] for weights in summary["settings"]["weights"]]
    if len(checkpoints) < 2:
        return str(row["mode"])
    return f"{row['mode']}, checkpoint {checkpoints.index(row['checkpoint']) + 1}"


def _baseline_pairs(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the pairs with the first mode and checkpoint of each task."""
    first: dict[str, tuple[str, str]] = {}
    for row in summary["results"]:
        first.setdefault(row["task"], (row["mode"], row["checkpoint"]))
    return [
        pair
        for pair in summary["paired"]
        if (pair["a"]["mode"], pair["a"]["checkpoint"]) == first[pair["task"]]
    ]


def _pair_labels(summary: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{pair['task']}: {_label(summary, pair['a'])} − {_label(summary, pair['b'])}"
        for pair in pairs
    ]


def _kinds(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, list[Any]]]:
    """Return (task, kind, success of each row or None), in the order of the rubrics."""
    found = {(row["task"], one["subtask"]): None for row in rows for one in row["per_subtask"]}
    lines = []
    for task, kind in found:
        values = []
        for row in rows:
            hits = [one for one in row["per_subtask"] if one["subtask"] == kind]
            values.append(hits[0] if row["task"] == task and hits else None)
        lines.append((task, kind, values))
    return lines


def _homes(summary: Mapping[str, Any]) -> list[tuple[int, list[Any]]]:
    """Return (home, mean points of each row or None)."""
    lines = []
    for home in dict.fromkeys(episode["home"] for episode in summary["episodes"]):
        values: list[dict[str, Any] | None] = []
        for row in summary["results"]:
            mine = [
                episode
                for episode in summary["episodes"]
                if episode["home"] == home
                and all(episode[key] == row[key] for key in ("task", "mode", "checkpoint"))
            ]
            if not mine:
                values.append(None)
                continue
            values.append(
                {
                    "points": sum(one["points"] for one in mine) / len(mine),
                    "max_points": mine[0]["max_points"],
                    "faults": sum(bool(one["fault"]) for one in mine),
                    "seconds": sum(one["seconds"] for one in mine) / len(mine),
                }
            )
        lines.append((home, values))
    return lines


def _reasons(
    labels: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, str, int]]:
    """Return (task, label, reason, count), the most frequent first."""
    lines = [
        (row["task"], label, reason, count)
        for label, row in zip(labels, rows, strict=True)
        for reasons in (row["holds_by_reason"], _named(row["failures"]))
        for reason, count in reasons.items()
    ]
    return sorted(lines, key=lambda line: -line[3])


def _named(failures: Mapping[str, int]) -> dict[str, int]:
    return {f"no result: {reason}": count for reason, count in failures.items()}


def _clips(
    summary: Mapping[str, Any], chosen: Sequence[tuple[str, str]], videos: Mapping[str, Path]
) -> list[Clip]:
    episodes = {episode["name"]: episode for episode in summary["episodes"]}
    clips, left = [], _MOST_BYTES
    for name, which in chosen:
        if name not in videos or name not in episodes:
            continue
        content = videos[name].read_bytes()
        left -= len(content)
        data = base64.b64encode(content).decode("ascii") if left >= 0 else ""
        label = f"{episodes[name]['task']}, {_label(summary, episodes[name])}"
        clips.append(Clip(which, episodes[name], label, data, f"videos/{videos[name].name}"))
    return clips
