"""Charts of the report, as SVG elements inside the page."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.evaluation.report.panels import PANELS, columns_of, plot_vectors
from pi05_ros.foundation.svg import STYLE, svg_of

_POINTS = 400  # Of a line: more cannot be distinguished, and make the page large.
_WIDTH, _HEIGHT = 8.0, 2.0  # [inch]


@dataclass(frozen=True)
class Chart:
    """One chart. The page sets its legend as text, legible on a phone."""

    title: str
    svg: str
    lines: tuple[tuple[str, str], ...]  # (name, colour as #rrggbb) of each.


def vector_charts(episode: Episode) -> list[Chart]:
    """One chart for each kind of unit: measured values as lines, commands dashed."""
    seconds = (episode.times_ns - episode.times_ns[0]) * 1e-9
    rows = np.unique(np.linspace(0, len(seconds) - 1, _POINTS).round().astype(int))
    charts = []
    for units, title in PANELS:
        columns = columns_of(episode, units)
        if not columns:
            continue
        with matplotlib.rc_context(STYLE):
            figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
            axes = figure.subplots()
            colours = plot_vectors(axes, episode, seconds, columns, rows)
            _finish(axes, seconds[-1])
            names = [episode.facts.names[column].replace("_", " ") for column in columns]
            lines = tuple(zip(names, colours, strict=True))
            charts.append(Chart(" ".join(title.split()), svg_of(figure), lines))
    return charts


def score_chart(times: np.ndarray, scores: np.ndarray, most: float, seconds: float) -> str:
    """Chart of the score over time, as SVG.

    Args:
        times: (n,) [s].
        scores: (n,) points.
        most: Points of a perfect run.
        seconds: Length of the run [s].
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        axes = figure.subplots()
        axes.step(np.append(times, seconds), np.append(scores, scores[-1]), where="post")
        axes.set_ylim(0, most * 1.05 if 0 < most < np.inf else 1.0)
        axes.set_ylabel("points")
        _finish(axes, seconds)
        return svg_of(figure)


def _finish(axes: Axes, seconds: float) -> None:
    axes.set_xlim(0, max(seconds, 1e-3))
    axes.set_xlabel("time [s]")
    axes.grid(alpha=0.25)
