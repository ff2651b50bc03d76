"""The page of points against core-hours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.evaluation.reproduction.page import curve_chart
from pi05_ros.evaluation.trials.statistics import LEVEL, RESAMPLES

from .cells import Cell, Results, points_share
from .paper import Row
from .stored import ResultsError
from .text import HASHES, header, interval_text, line_of, share_text, write_picture

_CURVE = """# Points against core-hours

Made by `benchmarks/nano_tables.py curve` from [stored results](nano/). Core-hours are those of
all data and training that the checkpoint depends on. Intervals are {level:.0%} percentiles of
{resamples:,} resamples of the homes.

![Points against core-hours]({picture})

{table}
"""


def write_curve(results: Results, out: Path) -> None:
    """Write the page of points against core-hours, and its plot.

    Raises:
        ResultsError: Nothing is stored that has a cost.
        OSError: The disk is full.
    """
    points: list[dict[str, Any]] = []
    for plan, stored in results.items():
        for one in stored["evaluations"]:
            if one["core_hours"] is None or one["brain"] == "expert":
                continue
            for task, mode in dict.fromkeys((t["task"], t["mode"]) for t in one["trials"]):
                row = Row(plan, plan, mode)
                shares: dict[int, list[float]] = {}
                for trial in one["trials"]:
                    if (trial["task"], trial["mode"]) == (task, mode):
                        shares.setdefault(trial["home"], []).append(points_share(trial))
                trials = sum(map(len, shares.values()))
                found = Cell(row, task, {task: shares}, trials).points
                points.append(
                    {
                        "plan": plan,
                        "step": one["step"],
                        "core_hours": one["core_hours"],
                        "task": task,
                        "mode": mode,
                        "platform": one["platform"],
                        "points_share": found.mean,
                        "interval": (found.low, found.high),
                        "found": found,
                        "trials": trials,
                    }
                )
    if not points:
        raise ResultsError("there is no result with core-hours: store one by nano_tables.py store")
    points.sort(key=lambda point: (point["core_hours"], point["plan"], point["step"]))
    lines = header("core-hours", "plan, step", "task, mode, platform", "points", "interval",
                    "homes, trials")  # fmt: skip
    lines += [
        line_of(
            f"{p['core_hours']:.2f}", f"{p['plan']}, {p['step']}",
            f"{p['task']}, {p['mode']}, {p['platform']}", share_text(p["found"]),
            interval_text(p["found"]), f"{p['found'].homes}, {p['trials']}",
        )
        for p in points
    ]  # fmt: skip
    with matplotlib.rc_context(HASHES):
        picture = write_picture(out, curve_chart(points))
    page = _CURVE.format(level=LEVEL, resamples=RESAMPLES, picture=picture, table="\n".join(lines))
    write_atomically(out, page)
