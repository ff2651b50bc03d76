"""Shared by the sheet and the charts of an episode: modes, panels of the vectors, their lines."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from pi05_ros.data.episodes.episode import (
    MODE_DISARMED,
    MODE_FAULTED,
    MODE_HOLDING,
    MODE_RUNNING,
    MODE_STOPPED,
    MODE_UNKNOWN,
    Episode,
)

MODES = {
    MODE_UNKNOWN: ("unknown", "#dddddd"),
    MODE_RUNNING: ("running", "#54a24b"),
    MODE_HOLDING: ("holding", "#eeca3b"),
    MODE_DISARMED: ("disarmed", "#bab0ac"),
    MODE_FAULTED: ("faulted", "#e45756"),
    MODE_STOPPED: ("stopped", "#b279a2"),
}
PANELS = (  # Units that share a panel, and its title.
    (("rad",), "arms [rad]"),
    (("m",), "torso [m]"),
    (("fraction",), "grippers\n(1 open)"),
    (("m/s", "rad/s"), "base\n[m/s, rad/s]"),
)


def columns_of(episode: Episode, units: tuple[str, ...]) -> list[int]:
    """Columns of the vectors in one of these units."""
    return [k for k, unit in enumerate(episode.facts.units) if unit in units]


def plot_vectors(
    axes: Axes,
    episode: Episode,
    times: np.ndarray,
    columns: Sequence[int],
    rows: np.ndarray | slice = slice(None),
) -> list[str]:
    """Plot measured values as lines, and commands of the same name dashed behind them.

    Args:
        axes: Axes to plot on.
        episode: The episode.
        times: (n,) of all rows [s].
        columns: Columns to plot.
        rows: Rows to plot.

    Returns:
        Colour of each column (#rrggbb).
    """
    palette = matplotlib.colormaps["tab20"](np.linspace(0, 1, max(2, len(columns))))
    colours = [to_hex(colour) for colour in palette[: len(columns)]]
    facts = episode.facts
    places = {name: k for k, name in enumerate(facts.action_names or facts.names)}
    for column, colour in zip(columns, colours, strict=True):
        name = facts.names[column]
        if name in places:
            commands = episode.actions[rows, places[name]]
            axes.plot(times[rows], commands, "--", color=colour, alpha=0.6, lw=0.8)
        axes.plot(times[rows], episode.states[rows, column], color=colour, lw=1.0, label=name)
    return colours
