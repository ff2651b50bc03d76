"""Charts of seams: steps by delay and mode, and the commands of one joint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pi05_ros.chunking.settings import CHUNK_MODES
from pi05_ros.platforms.platform import Platform

from .record import TickRecord
from .report import TITLES, Row

COLOURS = {"sync": "#9e9e9e", "async": "#d1495b", "rtc": "#1b6ca8", "trained_rtc": "#66a182"}
# What the bridge lets through: 10 rad/s², the wrists' acceleration limit, within 20 ms, and its
# reversal within 20 ms.
BOUNDS = {"sent_velocity": 0.2, "sent_jerk": 1000.0}
PANELS = (
    ("velocity", "wanted: step of velocity [rad/s]"),
    ("sent_velocity", "sent: step of velocity [rad/s]"),
    ("sent_jerk", "sent: jerk [rad/s³]"),
)


def draw_steps(rows: Sequence[Row], path: Path) -> None:
    """Draw the median of each quantity by added delay, with a line up to the 95th percentile.

    Args:
        rows: Of any policies; each gets a row of panels.
        path: Of the picture.
    """
    from matplotlib.figure import Figure

    policies = [name for name in dict.fromkeys(r.policy for r in rows) if name != "no_fade"]
    delays = sorted({row.delay for row in rows})
    figure = Figure(figsize=(13, 3.6 * len(policies)), layout="constrained")
    axes = figure.subplots(len(policies), len(PANELS), squeeze=False)
    width = 0.8 / len(CHUNK_MODES)
    for policy, line in zip(policies, axes, strict=True):
        for (quantity, label), axis in zip(PANELS, line, strict=True):
            for place, mode in enumerate(CHUNK_MODES):
                mine = {r.delay: r for r in rows if (r.policy, r.mode) == (policy, mode)}
                x = np.arange(len(delays)) + (place - (len(CHUNK_MODES) - 1) / 2) * width
                pairs = np.array([getattr(mine[delay], quantity) for delay in delays])
                above = np.stack([np.zeros(len(delays)), np.maximum(pairs[:, 1] - pairs[:, 0], 0)])
                axis.bar(x, pairs[:, 0], width * 0.9, color=COLOURS[mode], label=mode)
                axis.errorbar(x, pairs[:, 0], above, fmt="none", ecolor="black", elinewidth=1)
            if quantity == "velocity":
                axis.set_yscale("log")
            else:  # The limiter's bound is the same in all panels of a column.
                axis.set_ylim(0.0, BOUNDS[quantity] * 1.1)
                axis.axhline(BOUNDS[quantity], color="black", lw=0.8, ls="--")
            axis.set_xticks(range(len(delays)), [f"{delay * 1e3:.0f}" for delay in delays])
            axis.set_title(label, fontsize=10)
            axis.grid(axis="y", alpha=0.3)
        line[0].set_ylabel(TITLES.get(policy, policy), fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("added delay [ms]")
    axes[0][0].legend(fontsize=8, loc="upper left")
    figure.suptitle("At the seams between chunks: median, and line up to the 95th percentile")
    figure.savefig(path, dpi=100)


def draw_traces(
    platform: Platform, traces: Mapping[str, Sequence[TickRecord]], path: Path
) -> None:
    """Draw targets and commands of one joint over some seconds in each mode.

    Args:
        platform: The robot.
        traces: Mode → the ticks of a run.
        path: Of the picture.
    """
    from matplotlib.figure import Figure

    joint = platform.index("left_arm_joint_1")
    figure = Figure(figsize=(13, 2.5 * len(traces)), layout="constrained")
    axes = figure.subplots(len(traces), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axis, (mode, record) in zip(axes, traces.items(), strict=True):
        first = next(i for i, tick in enumerate(record) if tick.sequence)
        record = record[first : first + 200]
        times = np.arange(len(record)) * platform.period
        follows = np.array([tick.sequence for tick in record])
        wanted = np.array([tick.wanted[joint] for tick in record])
        wanted[follows == 0] = np.nan
        for sequence in np.unique(follows[follows > 0]):
            mine = follows == sequence
            axis.plot(
                times[mine], wanted[mine], ".-", ms=4, lw=1.5, color=COLOURS[mode], alpha=0.7
            )
        axis.plot(times, [tick.command[joint] for tick in record], color="black", lw=0.9)
        for change in np.flatnonzero(np.diff(follows) > 0) + 1:
            axis.axvline(times[change], color="grey", lw=0.6, ls=":")
        axis.set_ylabel(f"{mode}\n[rad]")
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("time [s]")
    figure.suptitle(
        "left_arm_joint_1 at 150 ms of added delay: rows that were executed (coloured, a line a "
        "chunk) and what was sent (black)"
    )
    figure.savefig(path, dpi=100)
