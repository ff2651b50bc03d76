"""Statistics and findings as tables for the terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pi05_ros.data.statistics.fitness import StatisticsFinding
from pi05_ros.data.statistics.robot import RobotStatistics
from pi05_ros.model.normalization import NormStats


def stats_table(
    statistics: RobotStatistics,
    norm_stats: NormStats,
    findings: Sequence[StatisticsFinding],
    clipped: Sequence[int] | None,
) -> Table:
    """One line for each entry of the vectors.

    `clipped` are the numbers of actions that FAST targets cut off; None: of other entries.
    """
    layout = statistics.layout
    left_out = statistics.counts.all_rows_left_out
    table = Table(
        title=f"{escape(layout.platform)}: {statistics.rows} rows of {statistics.episodes} "
        f"episode{'s' if statistics.episodes != 1 else ''}"
        + (f", {left_out} rows left out" if left_out else ""),
        title_justify="left",
        box=None,
    )
    table.add_column("entry")
    table.add_column("unit")
    for name in (
        "state: least",
        "1 %",
        "mean",
        "99 %",
        "greatest",
        "action: 1 %",
        "99 %",
        "clipped",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    spread = statistics.states.spread
    worst = {f.entry: f.severity for f in sorted(findings, key=lambda f: f.severity == "error")}
    for i, name in enumerate(layout.names):
        stats = norm_stats.dimensions[i]
        marks = ["[cyan]relative[/]"] if stats.relative else []
        if name in worst:
            colour = "red" if worst[name] == "error" else "yellow"
            marks.append(f"[{colour}]{worst[name]}[/]")
        table.add_row(
            escape(name),
            escape(stats.unit),
            _number(spread.least[i]),
            _number(stats.state_q01),
            _number(spread.mean[i]),
            _number(stats.state_q99),
            _number(spread.greatest[i]),
            _number(stats.action_q01),
            _number(stats.action_q99),
            "–" if clipped is None else str(clipped[i]),
            " ".join(marks),
        )
    return table


def vectors_table(statistics: RobotStatistics) -> Table:
    """One line for each entry of the state, then of the action, without any normalisation."""
    layout = statistics.layout
    table = Table(
        title=f"{escape(layout.platform)}: {statistics.rows} rows of {statistics.episodes} "
        f"episode{'s' if statistics.episodes != 1 else ''}",
        title_justify="left",
        box=None,
    )
    table.add_column("vector")
    table.add_column("entry")
    for name in ("least", "1 %", "mean", "99 %", "greatest"):
        table.add_column(name, justify="right", no_wrap=True)
    vectors = (
        ("state", layout.names, statistics.states),
        ("action", layout.actions, statistics.actions),
    )
    for vector, names, found in vectors:
        for name, entry in zip(names, found.summary(), strict=True):
            numbers = [entry[key] for key in ("min", "q01", "mean", "q99", "max")]
            table.add_row(
                vector, escape(name), *("–" if n is None else _number(n) for n in numbers)
            )
    return table


def findings_text(findings: Sequence[StatisticsFinding], accepted: Collection[str]) -> Text:
    """The findings, a sentence each, errors first."""
    text = Text()
    if not findings:
        text.append("no findings\n", "green")
    for finding in sorted(findings, key=lambda finding: finding.severity != "error"):
        taken = finding.severity == "error" and finding.kind in accepted
        style = "yellow" if taken or finding.severity == "warning" else "red"
        text.append(f"{finding.severity}{' (accepted)' if taken else ''} ", style)
        text.append(f"{finding.kind}: {finding.sentence}\n")
    text.rstrip()
    return text


def _number(value: float) -> str:
    return f"{value:.4g}"
