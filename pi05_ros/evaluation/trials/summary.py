"""`summary.json` of an evaluation: points with intervals, paired differences, all trials."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pi05_ros.evaluation.trials.result import TrialResult
from pi05_ros.evaluation.trials.settings import WHOLE, EvaluationSettings, Shard
from pi05_ros.evaluation.trials.statistics import (
    LEVEL,
    RESAMPLES,
    Estimate,
    difference_on_homes,
    estimate,
    share_of_homes,
)

# Task, mode and checkpoint of a group of trials.
Cell = tuple[str, str, str]


def summarize(
    settings: EvaluationSettings, results: Sequence[TrialResult], shard: Shard = WHOLE
) -> dict[str, Any]:
    """Return the summary as JSON types; equal results give equal bytes.

    docs/evaluation.md defines each key.

    Args:
        settings: Of the evaluation.
        results: In the order of the trials.
        shard: The part that they are.
    """
    cells: dict[Cell, list[TrialResult]] = defaultdict(list)
    for result in results:
        cells[result.task, result.mode, result.checkpoint].append(result)
    common = {"brain": settings.brain, "platform": settings.platform, "ros": settings.ros}
    return {
        "settings": settings.as_json(),
        "shard": str(shard),
        "software": sorted({result.software for result in results}),
        "method": f"{LEVEL:.0%} percentile bootstrap over homes, {RESAMPLES} resamples",
        "results": [{**_row(cell, found), **common} for cell, found in cells.items()],
        "overall": _overall(cells),
        "paired": _paired(cells),
        "episodes": [_episode(result) for result in results],
    }


def shares(results: Iterable[TrialResult]) -> dict[int, list[float]]:
    """Return the shares of the points by home."""
    found: dict[int, list[float]] = defaultdict(list)
    for result in results:
        found[result.home].append(result.share)
    return dict(found)


def _row(cell: Cell, results: Sequence[TrialResult]) -> dict[str, Any]:
    task, mode, checkpoint = cell
    # "0.21 rad away" and "0.34 rad away" are one reason.
    reasons = Counter(
        re.sub(r"\d+\.\d+", "…", f"{hold.mode}: {hold.reason}")
        for result in results
        for hold in result.holds
    )
    return {
        "task": task,
        "mode": mode,
        "checkpoint": checkpoint,
        "points_share": (found := share_of_homes(shares(results))).mean,
        "interval": [found.low, found.high],
        "homes": found.homes,
        "episodes": len(results),
        "points": sum(result.points for result in results),
        "max_points": sum(result.max_points for result in results),
        "full_scores": sum(result.points >= result.max_points for result in results),
        "faults": sum(bool(result.fault) for result in results),
        "holds": sum(result.holds_after_start for result in results),
        "holds_by_reason": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        "failures": _failures(results),
        "seconds": _mean([result.seconds for result in results]),
        "per_subtask": _per_subtask(results),
        "ended": dict(sorted(Counter(result.ended for result in results).items())),
    }


def _failures(results: Iterable[TrialResult]) -> dict[str, int]:
    """Inferences without a result, by reason, the most frequent first."""
    count = Counter[str]()
    for result in results:
        count.update(result.failures)
    return dict(sorted(count.items(), key=lambda item: (-item[1], item[0])))


def _per_subtask(results: Iterable[TrialResult]) -> list[dict[str, Any]]:
    """Success by kind of criterion: the share of its points, over all things and homes."""
    points: dict[str, float] = defaultdict(float)
    most: dict[str, float] = defaultdict(float)
    count = Counter[str]()
    for result in results:
        for criterion in result.criteria:
            points[criterion.kind] += criterion.points
            most[criterion.kind] += criterion.max_points
            count[criterion.kind] += 1
    return [
        {
            "subtask": kind,
            "success": round(points[kind] / most[kind], 6) if most[kind] else 0.0,
            "count": count[kind],
        }
        for kind in most
    ]


def _overall(cells: dict[Cell, list[TrialResult]]) -> list[dict[str, Any]]:
    """Mean over tasks for each mode and checkpoint; homes are resampled within each task."""
    rows = []
    for mode, checkpoint in dict.fromkeys((mode, checkpoint) for _, mode, checkpoint in cells):
        of_tasks = [
            shares(found) for cell, found in cells.items() if cell[1:] == (mode, checkpoint)
        ]
        found = estimate([np.array([np.mean(s[home]) for home in sorted(s)]) for s in of_tasks])
        rows.append(
            {
                "mode": mode,
                "checkpoint": checkpoint,
                "tasks": len(of_tasks),
                "points_share": found.mean,
                "interval": [found.low, found.high],
            }
        )
    return rows


def _paired(cells: dict[Cell, list[TrialResult]]) -> list[dict[str, Any]]:
    """Differences between all modes and checkpoints of a task, on the homes that both have."""
    rows = []
    for one, other in itertools.combinations(cells, 2):
        if one[0] != other[0]:
            continue
        found: Estimate | None = difference_on_homes(shares(cells[one]), shares(cells[other]))
        if found is None:
            continue
        rows.append(
            {
                "task": one[0],
                "a": {"mode": one[1], "checkpoint": one[2]},
                "b": {"mode": other[1], "checkpoint": other[2]},
                "difference": found.mean,  # Share of a minus share of b.
                "interval": [found.low, found.high],
                "homes": found.homes,
            }
        )
    return rows


def _episode(result: TrialResult) -> dict[str, Any]:
    values = dataclasses.asdict(result)
    for name in ("wall_seconds", "processor_seconds", "software"):  # The machine's, or said once.
        del values[name]
    return {**values, "points_share": round(result.share, 6), "video": ""}


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 3)
