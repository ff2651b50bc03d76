"""Plots of an evaluation, as SVG elements inside the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from pi05_ros.foundation.svg import STYLE, svg_of

_WIDTH = 8.0  # [inch]
_ROW = 0.32  # Of a difference [inch].


def share_chart(labels: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Plot the shares of the points with their intervals: a group for each task.

    Args:
        labels: Name of each row's mode and checkpoint.
        rows: `results` of the summary.
    """
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    kinds = list(dict.fromkeys(labels))
    width = min(0.25, 0.8 / len(kinds))
    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(_WIDTH, 2.4 + 0.18 * math.ceil(len(kinds) / 3)), layout="constrained"
        )
        axes = figure.subplots()
        for number, kind in enumerate(kinds):
            mine = [row for label, row in zip(labels, rows, strict=True) if label == kind]
            places = [
                tasks.index(row["task"]) + (number - (len(kinds) - 1) / 2) * width for row in mine
            ]
            shares = np.array([100 * row["points_share"] for row in mine])
            ends = 100 * np.array([row["interval"] for row in mine])
            errors = np.abs(np.stack([shares - ends[:, 0], ends[:, 1] - shares]))
            axes.bar(places, shares, width * 0.92, label=kind, color=f"C{number % 10}")
            axes.errorbar(places, shares, errors, fmt="none", ecolor="#333", capsize=3, lw=1)
        axes.set_xticks(range(len(tasks)), tasks)
        axes.set_xlim(-0.6, len(tasks) - 0.4)
        axes.set_ylim(0, 105)
        axes.set_ylabel("points [%]")
        axes.grid(axis="y", alpha=0.25)
        if len(kinds) > 1:
            figure.legend(loc="outside upper center", ncols=3, frameon=False)
        return svg_of(figure)


def difference_chart(labels: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Plot differences with their intervals, one below the other.

    Args:
        labels: Name of each row.
        rows: Of `paired` of the summary.
    """
    with matplotlib.rc_context(STYLE):
        height = max(1.2, 0.7 + _ROW * len(rows))
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        axes = figure.subplots()
        places = np.arange(len(rows))[::-1]
        means = np.array([100 * row["difference"] for row in rows])
        ends = 100 * np.array([row["interval"] for row in rows])
        errors = np.abs(np.stack([means - ends[:, 0], ends[:, 1] - means]))
        axes.errorbar(means, places, xerr=errors, fmt="o", capsize=3, lw=1.2, ms=5)
        axes.axvline(0, color="#888", lw=0.8)
        reach = max(5.0, 1.1 * float(np.abs(ends).max()))
        axes.set_xlim(-reach, reach)
        axes.set_yticks(places, labels)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel("difference in points [%]")
        axes.grid(axis="x", alpha=0.25)
        return svg_of(figure)
