"""Charts of a run's page, as SVG elements."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

from pi05_ros.foundation.svg import STYLE, svg_of
from pi05_ros.training.reporting.history import History
from pi05_ros.training.validation.figures import ChunkExample

_WIDTH, _HEIGHT = 5.2, 2.6  # [inch]
_UNITS = {
    "loss": "loss",
    "learning_rate": "learning rate",
    "samples_per_s": "samples/s",
    "waiting_share": "waiting [%]",
    "gradient_norm": "norm of the gradient",
}
_LINES = 6  # Of a chart of actions: those that move most.
# Parts of a loss, as styles of a source's lines.
_STYLES = {"text": "-", "fast": "--", "flow": ":", "grounding": "-."}

Curve = tuple[ArrayLike, ArrayLike]  # Steps and values.


def loss_chart(history: History) -> str:
    """Chart of the training loss with the validation's as points, logarithmic."""
    steps, values = history.curve("loss")
    held_out = history.figure("loss")
    return _chart("loss", {"training": (steps, values)}, points={"held out": held_out}, log=True)


def source_chart(history: History, source: str) -> str:
    """Chart of the parts of a source's loss, with the validation's as points, logarithmic."""
    curves: dict[str, Curve] = {}
    points: dict[str, Curve] = {}
    for part in _STYLES:
        steps, values = history.curve(f"{source}/{part}")
        if len(values) and values.max() > 0.0:
            curves[part] = (steps, values)
            points[part] = history.figure(f"{source}/{part}")
    return _chart("loss", curves, points=points, log=True)


def curve_chart(history: History, name: str) -> str:
    """Chart of one curve of the steps."""
    steps, values = history.curve(name)
    scale = 100.0 if name == "waiting_share" else 1.0
    return _chart(_UNITS[name], {"": (steps, values * scale)}, log=name == "gradient_norm")


def figure_chart(history: History, names: Mapping[str, str], label: str) -> str:
    """Chart of figures of the validations.

    Args:
        history: Of the run.
        names: Label of each figure in the legend.
        label: Of the axis.
    """
    curves = {text: history.figure(name) for name, text in names.items()}
    found: dict[str, Curve] = {text: curve for text, curve in curves.items() if curve[0]}
    return _chart(label, found, marker="o", shares="[0 to 1]" in label)


def chunk_chart(chunk: ChunkExample) -> str:
    """Charts of a chunk by unit: recorded actions as lines, predicted ones dashed."""
    units = list(dict.fromkeys(chunk.units))
    seconds = np.arange(len(chunk.target)) / chunk.rate_hz
    with matplotlib.rc_context({**STYLE, "font.size": 8}):
        figure = Figure(figsize=(2.6 * len(units), 2.5), layout="constrained")
        for axes, unit in zip(
            figure.subplots(1, len(units), squeeze=False)[0], units, strict=True
        ):
            columns = [k for k, other in enumerate(chunk.units) if other == unit]
            moves = np.ptp(chunk.target[:, columns], axis=0)
            columns = [columns[k] for k in np.argsort(-moves)[:_LINES]]
            for number, column in enumerate(sorted(columns)):
                colour, name = f"C{number}", chunk.names[column].replace("_", " ")
                valid = chunk.valid
                axes.plot(seconds[valid], chunk.target[valid, column], color=colour, label=name)
                if chunk.predicted is not None:
                    axes.plot(seconds, chunk.predicted[:, column], "--", color=colour, lw=1.0)
            axes.set_title(f"[{unit}]", fontsize=8, loc="left")
            axes.set_xlabel("time [s]")
            axes.grid(alpha=0.25)
            axes.legend(
                fontsize=6.5,
                frameon=False,
                handlelength=1.0,
                labelspacing=0.2,
                ncols=2,
                columnspacing=0.8,
                loc="upper center",
                bbox_to_anchor=(0.5, -0.25),
            )
        return svg_of(figure)


def _chart(
    label: str,
    curves: Mapping[str, Curve],
    points: Mapping[str, Curve] | None = None,
    log: bool = False,
    marker: str = "",
    shares: bool = False,
) -> str:
    """Draw curves over the steps.

    Args:
        label: Of the axis.
        curves: Lines by name.
        points: Marks in the colour of the line at the same place, by name.
        log: Whether the axis is logarithmic.
        marker: Of the lines' points.
        shares: Whether the axis shows 0 to 1 at least.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        axes: Axes = figure.subplots()
        for number, (name, (x, y)) in enumerate(curves.items()):
            axes.plot(x, y, marker=marker, ms=3.5, lw=1.3, color=f"C{number}", label=name or None)
        for number, (name, (x, y)) in enumerate((points or {}).items()):
            colour = f"C{number}" if name in curves else "C3"
            shown = f"{name}, held out" if name in curves else name
            axes.plot(x, y, "o-", ms=4, lw=0.6, color=colour, mec="black", mew=0.6, label=shown)
        values = np.concatenate([np.asarray(y) for _, y in curves.values()] or [np.zeros(0)])
        if log and len(values) and values.min() > 0.0:
            _set_log(axes, values)
        elif not shares:
            axes.set_ylim(bottom=0.0)
        if shares:
            axes.set_ylim(-0.03, max(1.03, 1.03 * float(values.max(initial=0.0))))
        axes.set_xlabel("step")
        axes.set_ylabel(label)
        axes.grid(alpha=0.25, which="both")
        if any(text for text in (*curves, *(points or {}))):
            axes.legend(fontsize=7, frameon=False)
        return svg_of(figure)


def _set_log(axes: Axes, values: np.ndarray) -> None:
    """Make the axis logarithmic, with plain numbers; powers of ten alone would be too few."""
    axes.set_yscale("log")
    low, high = float(values.min()), float(values.max())
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 30 * low else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
