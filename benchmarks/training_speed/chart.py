"""Chart of the samples a core-second, a panel for each workload and dtype."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_COLOURS = {"ours": "#1b6ca8", "plain loop": "#d1495b"}
_OTHER = "#9e9e9e"


def draw_chart(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw one panel a row: a bar for each implementation, and the floor as a line.

    Args:
        rows: Of the measurement.
        path: Of the picture.
    """
    figure = Figure(figsize=(9.0, 1.15 * len(rows) + 0.6), layout="constrained")
    panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for axes, row in zip(panels, rows, strict=True):
        names, rates = list(row["processor"]), list(row["processor"].values())
        colours = [_COLOURS.get(name, _OTHER) for name in names]
        drawn = axes.barh(range(len(names)), rates, color=colours, height=0.8)
        axes.bar_label(
            drawn, [f"{n}: {r:.1f}" for n, r in zip(names, rates, strict=True)], padding=4
        )
        axes.axvline(row["size"] / row["floor_s"], color="black", linewidth=1.5)
        threads = "1 thread" if row["threads"] == 1 else f"{row['threads']} threads"
        axes.set_title(f"{row['workload']}, {row['dtype']}, {threads}", loc="left", fontsize=9)
        axes.set(xlim=(0.0, 1.25 * max(*rates, row["size"] / row["floor_s"])), yticks=[])
        axes.tick_params(labelsize=8)
        axes.invert_yaxis()
        axes.spines[["top", "right", "left"]].set_visible(False)
    panels[-1].set_xlabel("samples a core-second; line: the matrix products of ours alone")
    figure.savefig(path, dpi=110)
