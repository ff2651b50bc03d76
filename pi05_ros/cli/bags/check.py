"""Check whether episodes are fit for training.

Looks for gaps, lost messages, wrong rates, cameras out of sync, frozen, black or broken pictures,
changed encodings, NaN, values outside the limits, missing topics, and rows without a subtask.

Exit status: 0 without errors (there may be warnings), 1 with errors.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pi05_ros.cli.common.choose import bags_below
from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.checks.episode_check import CheckReport, check
from pi05_ros.data.checks.findings import Severity
from pi05_ros.foundation.parallel import map_in_processes

_COLOURS = {Severity.NOTE: "dim", Severity.WARNING: "yellow", Severity.ERROR: "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a bag, or a folder of bags"
    )
    parser.add_argument("--topics", action="store_true", help="also print a table of all topics")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check bags; 1 when one of them does not pass."""
    paths = [bag for path in arguments.paths for bag in bags_below(path) or [path]]
    reports = []
    with Progress(f"checking {len(paths)} bags", len(paths)) as bar:
        for report in map_in_processes(check, paths, few=1):
            reports.append(report)
            bar.advance()
            if not arguments.json:
                show(terminal(), report, arguments.topics)
    if arguments.json:
        print(json.dumps([_plain(report) for report in reports], indent=2))
    return 0 if all(report.passed for report in reports) else 1


def show(out: Console, report: CheckReport, topics: bool) -> None:
    """Print a report."""
    result = "[green]passed[/]" if report.passed else "[red]failed[/]"
    out.print(f"{escape(report.path.name)}: {result}, {_summary(report)}")
    if topics and report.topics:
        out.print(_table(report))
    for finding in report.findings:
        colour, level = _COLOURS[finding.level], finding.level.name.lower()
        out.print(f"  [{colour}]{level}[/] {escape(finding.subject)}: {escape(finding.what)}")


def _summary(report: CheckReport) -> str:
    messages = sum(row.count for row in report.topics)
    size = f"{sum(row.bytes for row in report.topics) / 1e6:.1f} MB"
    return f"{report.seconds:.1f} s, {len(report.topics)} topics, {messages} messages, {size}"


def _table(report: CheckReport) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("topic")
    for name in ("messages", "rate [Hz]", "expected", "lost", "longest gap [s]"):
        table.add_column(name, justify="right")
    for row in report.topics:
        table.add_row(
            escape(row.topic),
            str(row.count),
            _number(row.rate_hz, 1),
            "–" if row.expected_hz is None else f"{row.expected_hz:g}",
            "–" if row.lost is None else str(row.lost),
            _number(row.longest_gap, 3),
        )
    return table


def _number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _plain(report: CheckReport) -> dict[str, object]:
    """A report as JSON types, with null for NaN."""
    return {
        "path": str(report.path),
        "passed": report.passed,
        "seconds": report.seconds,
        "facts": None if report.facts is None else report.facts.to_custom_data(),
        "topics": [
            {
                key: None if isinstance(value, float) and math.isnan(value) else value
                for key, value in asdict(row).items()
            }
            for row in report.topics
        ],
        "findings": [
            {"level": f.level.name.lower(), "subject": f.subject, "what": f.what}
            for f in report.findings
        ],
    }
