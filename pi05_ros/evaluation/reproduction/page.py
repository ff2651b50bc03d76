"""The page of a reproduction: steps with their costs, and points against core-hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.foundation.svg import STYLE, svg_of

PAGE, CURVE = "index.html", "curve.svg"
_XML = '<?xml version="1.0" encoding="utf-8"?>\n'


def curve_of(
    steps: Mapping[str, Mapping[str, Any]], core_hours: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return the points of the curve: a row for each task, mode and evaluation, cheapest first.

    Args:
        steps: Name -> entry of reproduce.json.
        core_hours: Name -> what all steps have cost that a step depends on [core-hour]; the cost
            of evaluations themselves is in none.
    """
    points = [
        {
            "step": name,
            "core_hours": round(core_hours.get(name, 0.0), 4),
            **{k: row[k] for k in ("task", "mode", "platform", "points_share", "interval")},
            "homes": row["homes"],
        }
        for name, entry in steps.items()
        if entry["kind"] == "eval" and entry["finished"]
        for row in entry["result"]["rows"]
    ]
    return sorted(points, key=lambda point: point["core_hours"])


def curve_chart(
    points: Sequence[Mapping[str, Any]],
    over: str = "core_hours",
    label: str = "core-hours of data and training",
) -> str:
    """Plot points as an <svg> element; a line for each task, mode and platform.

    Args:
        points: As `curve_of` returns them, in the order of the lines.
        over: Key of what they are plotted over.
        label: What stands below the axis.
    """
    series: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for point in points:
        key = (point["task"], point["mode"], point["platform"])
        series.setdefault(key, []).append(point)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.4), layout="constrained")
        axes = figure.subplots()
        for (task, mode, platform), own in series.items():
            places = [point[over] for point in own]
            shares = [100 * point["points_share"] for point in own]
            low = [100 * (p["points_share"] - p["interval"][0]) for p in own]
            high = [100 * (p["interval"][1] - p["points_share"]) for p in own]
            name = f"{task}, {mode}, {platform}"
            ends = [[max(0.0, v) for v in low], [max(0.0, v) for v in high]]
            axes.errorbar(places, shares, ends, fmt="o-", capsize=3, lw=1.2, ms=4, label=name)
        axes.set_xlim(left=0)
        axes.set_ylim(-2, 102)
        axes.set_xlabel(label)
        axes.set_ylabel("points [%]")
        axes.grid(alpha=0.25)
        if series:
            axes.legend(frameon=False, loc="upper left")
        return svg_of(figure)


def write_page(folder: Path, content: Mapping[str, Any], names: Sequence[str]) -> None:
    """Write index.html, and curve.svg where an evaluation is finished.

    Args:
        folder: The folder of the steps.
        content: Of reproduce.json.
        names: The steps in their order.

    Raises:
        OSError: The disk is full.
    """
    chart = curve_chart(content["curve"]) if content["curve"] else ""
    if chart:
        write_atomically(folder / CURVE, _XML + chart)
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
    )
    rows = [(name, content["steps"].get(name)) for name in names]
    text = environment.get_template("page.html.j2").render(
        content=content,
        rows=[(name, entry, result_text(entry)) for name, entry in rows],
        chart=Markup(chart),
    )
    write_atomically(folder / PAGE, text)


def result_text(entry: Mapping[str, Any] | None) -> str:
    """Return the result of a step as one line."""
    if entry is None:
        return ""
    if not entry["finished"]:
        return "not finished"
    result = entry["result"]
    if entry["kind"] == "eval":
        return "; ".join(
            f"{row['task']} {100 * row['points_share']:.1f} % "
            f"({100 * row['interval'][0]:.1f} to {100 * row['interval'][1]:.1f}; {row['mode']}, "
            f"{row['platform']}, {row['homes']} homes)"
            for row in result["rows"]
        )
    if entry["kind"] == "train":
        words = [f"{result['samples']} samples"]
        if "best" in result:
            words.append(f"best at step {result['best_step']}")
            words.append(f"validation loss {result['best'].get('loss', float('nan')):.3f}")
        return ", ".join(words)
    return ", ".join(f"{value} {key}" for key, value in result.items())
