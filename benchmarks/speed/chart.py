"""Chart of the medians: one group of bars per row, with the floor as a line across it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .report import Times

ROWS = ("pictures", "prefix", "step", "chunk", "token", "tokens", "subtask")
COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#66a182", "#9e9e9e")
_WIDTH, _BAR, _HEAD = 11.0, 0.2, 0.7  # [inch]


def bars(times: Mapping[str, Times], row: str) -> list[float]:
    """Median of each implementation, relative to the slowest in this row."""
    medians = [statistics.median(rows[row]) for rows in times.values()]
    return [median / max(medians) for median in medians]


def draw_chart(
    times: Mapping[str, Times],
    floors: Mapping[str, float],
    titles: Mapping[str, str],
    path: Path,
) -> None:
    """Write the chart.

    Every group has its own scale, with the slowest bar at full length, since a chunk and a token
    differ by two orders of magnitude. Bars are labelled in ms; the black line is the floor.

    Args:
        times: Implementation → its rows [s].
        floors: Row → least time that the device allows [s].
        titles: Row → title.
        path: Of the picture; its suffix sets the format.
    """
    height = _HEAD + len(ROWS) * (len(times) * _BAR + 0.15)
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    panels = figure.subplots(len(ROWS), 1, squeeze=False)[:, 0]
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(times))]
    for axes, row in zip(panels, ROWS, strict=True):
        medians = [statistics.median(rows[row]) for rows in times.values()]
        places = list(range(len(times)))
        drawn = axes.barh(places, bars(times, row), color=colours, height=0.85)
        axes.bar_label(drawn, [f"{median * 1e3:.3g} ms" for median in medians], padding=4)
        axes.axvline(min(floors[row] / max(medians), 1.0), color="black", linewidth=1.5)
        axes.set_title(titles[row].replace("*", ""), loc="left", fontsize=10)
        axes.set(xlim=(0.0, 1.12), xticks=[], yticks=[])
        axes.invert_yaxis()
        axes.spines[:].set_visible(False)
    handles = [Patch(color=colour) for colour in colours]
    figure.legend(
        [*handles, panels[0].lines[0]],
        [*times, "floor of the device"],
        loc="outside upper left",
        ncols=len(times) + 1,
        frameon=False,
    )
    figure.savefig(path, dpi=110)
