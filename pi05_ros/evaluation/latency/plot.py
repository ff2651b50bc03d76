"""Plot of a summary: the latency of each chunk, stacked by stage, and the mean as one bar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pi05_ros.evaluation.latency.ledger import LatencyError
from pi05_ros.evaluation.latency.statistics import INNER, OUTER, Stage, Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Sensing in blues, the model in warm colours, waiting for the robot in grey.
_COLOURS = {
    "ingestion": "#1f4e79",
    "transport": "#3f7fb5",
    "queue": "#9cc3e6",
    "computing": "#d9822b",
    "waited": "#7f6000",
    "vision": "#f2c14e",
    "prefix": "#e08e45",
    "flow": "#c0504d",
    "rest": "#8c8c8c",
    "execution": "#4d4d4d",
}


def save_plot(summary: Summary, path: Path) -> None:
    """Plot the stages of every chunk whose latency is known from end to end.

    Where no chunk was executed, the stages until publication are plotted.

    Args:
        summary: Latency of the chunks.
        path: PNG file to write.

    Raises:
        LatencyError: No chunk is known from end to end, or matplotlib is missing.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise LatencyError(f"a plot needs {error.name}: pip install {error.name}") from error
    parts = OUTER if summary.executed else OUTER[:4]
    shown = [c for c in summary.timed_chunks if not c.is_open or not summary.executed]
    whole = np.array([all(s.seconds(c) is not None for s in parts) for c in shown], dtype=bool)
    if not whole.any():
        raise LatencyError(
            f"{summary.source}: nothing to plot; no chunk is known from capture to publication"
        )
    stages = _stacked(summary)
    values = np.array([[max(0.0, s.seconds(c) or 0.0) for c in shown] for s in stages]) * 1e3
    values[:, ~whole] = 0.0  # A gap: such a chunk has no latency.
    numbers = np.arange(1, len(shown) + 1)

    figure = Figure(figsize=(11, 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, height_ratios=[3.4, 1.0])
    colours = [_COLOURS[stage.key] for stage in stages]
    labels = [stage.label for stage in stages]
    above.stackplot(numbers, values, labels=labels, colors=colours, linewidth=0, step="mid")
    lost = numbers[~whole]
    if len(lost):
        above.plot(
            lost, np.zeros(len(lost)), "kx", markersize=4, clip_on=False, label="never executed"
        )
    clock = "simulated time" if summary.simulated else "time"
    above.set(
        title=f"Where the time of a chunk goes: {summary.source}",
        xlabel="chunk",
        ylabel=f"{clock} since capture [ms]",
        xlim=(0.5, len(shown) + 0.5),
        # A single outlier must not flatten everything else.
        ylim=(0, 1.25 * np.percentile(values.sum(axis=0)[whole], 99)),
    )
    above.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, reverse=True)
    _bar(below, stages, values[:, whole].mean(axis=1))
    below.set(xlabel=f"mean of {whole.sum()} chunks, {clock} [ms]", yticks=[])
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def _stacked(summary: Summary) -> list[Stage]:
    """The stages that add up, in the order of time.

    "computing" is not split where the brain does not measure its parts, and in simulated time,
    where these are of another clock.
    """
    has_parts = any(row.inner for row in summary.rows) and not summary.simulated
    inner = list(INNER) if has_parts else [OUTER[3]]
    shown = [*OUTER[:3], *inner, *OUTER[4:]]
    return [s for s in shown if any(row.key == s.key and row.max > 0 for row in summary.rows)]


def _bar(axes: Axes, stages: Sequence[Stage], means: np.ndarray) -> None:
    """Draw one horizontal bar, with numbers where a stage is wide enough for one."""
    left = 0.0
    for stage, mean in zip(stages, means, strict=True):
        axes.barh(0, mean, left=left, color=_COLOURS[stage.key])
        if mean > 0.05 * means.sum():
            axes.text(left + mean / 2, 0, f"{mean:.0f}", ha="center", va="center", color="white")
        left += mean
