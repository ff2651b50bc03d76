"""The verb `pi05 eval`: trials of a brain in mock homes, their merge, and a checkpoint's gates."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.ros import ros_packages
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.cli.evaluate.gates import gates_parser, run_gates
from pi05_ros.cli.evaluate.options import (
    jobs_for,
    machine_of,
    merge_parser,
    parser,
    settings_of,
)
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.eval_report.writing import write_results
from pi05_ros.evaluation.trials.folder import REPORT, SUMMARY, EvaluationFolder
from pi05_ros.evaluation.trials.merging import merge
from pi05_ros.evaluation.trials.result import Engine, TrialResult
from pi05_ros.evaluation.trials.run import run_trials
from pi05_ros.evaluation.trials.settings import WHOLE, EvaluationSettings, Machine, Shard

_KEPT = "interrupted; finished trials are kept, and the same command goes on from there"
MERGE, GATES = "merge", "gates"


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 eval`.

    Returns:
        0 when all was run, whatever the points or figures; 1 when something failed; 2 for a wrong
        command line; 130 after Ctrl-C.
    """
    try:
        if arguments and arguments[0] == MERGE:
            return _merge(merge_parser().parse_args(arguments[1:]))
        if arguments and arguments[0] == GATES:
            return run_gates(gates_parser().parse_args(arguments[1:]))
        parsed = parser().parse_args(arguments)
        try:
            settings, machine = settings_of(parsed), machine_of(parsed)
        except Pi05Error as error:
            print(f"pi05 eval: {error}", file=sys.stderr)
            return 2
        return _evaluate(parsed, settings, machine)
    except KeyboardInterrupt:
        print(f"\npi05 eval: {_KEPT}", file=sys.stderr)
        return 130


def _evaluate(parsed: argparse.Namespace, settings: EvaluationSettings, machine: Machine) -> int:
    folder = EvaluationFolder(parsed.out)
    with Progress("trials") as bar:

        def show(result: TrialResult) -> None:
            bar.describe(f"trials, last {result.name}: {result.points:g} of {result.max_points:g}")
            bar.advance()

        results = run_trials(
            folder,
            settings,
            shard=parsed.shard,
            machine=machine,
            engine=_graph_engine(folder, bar) if settings.ros else None,
            on_trial=show,
            on_start=lambda left, count: bar.update(0, left),
        )
    _write(folder, settings, results, machine, parsed.shard, parsed.video != "none")
    return 0


def _graph_engine(folder: EvaluationFolder, bar: Progress) -> Engine:
    """Return what runs trials through the graph. It needs ROS."""
    with ros_packages():
        from pi05_ros.demo.trial import graph_engine
    return graph_engine(folder.path / "logs", bar.describe)


def _merge(parsed: argparse.Namespace) -> int:
    folder = EvaluationFolder(parsed.out)
    settings, results = merge(parsed.folders, folder)
    machine = Machine(jobs_for(parsed), device=parsed.device)
    _write(folder, settings, results, machine, WHOLE, parsed.video != "none")
    return 0


def _write(
    folder: EvaluationFolder,
    settings: EvaluationSettings,
    results: Sequence[TrialResult],
    machine: Machine,
    shard: Shard,
    with_videos: bool,
) -> None:
    """Write summary, videos and report, and print a table."""
    if not results:
        terminal().print(f"{folder.path}: shard {shard} has no trial", markup=False)
        return
    with Progress("writing the report") as bar:

        def begin(count: int) -> None:
            bar.describe("videos")
            bar.update(0, count)

        summary = write_results(
            folder,
            settings,
            results,
            machine,
            shard=shard,
            with_videos=with_videos,
            on_video=lambda name: bar.advance(),
            on_start=begin,
        )
    for line in table(summary):
        terminal().print(line, markup=False)
    terminal().print(f"{folder.path / REPORT}, {folder.path / SUMMARY}", markup=False)


def table(summary: dict[str, Any]) -> list[str]:
    """Return the results as lines of text."""
    header = ("task", "mode", "checkpoint", "points", "95 % interval", "trials", "holds", "faults")
    rows = [header]
    for row in summary["results"]:
        low, high = row["interval"]
        rows.append(
            (
                row["task"],
                row["mode"],
                Path(row["checkpoint"]).name or "–",
                f"{row['points_share']:.1%}",
                f"{low:.1%} to {high:.1%}",
                str(row["episodes"]),
                str(row["holds"]),
                str(row["faults"]),
            )
        )
    widths = [max(len(row[k]) for row in rows) for k in range(len(header))]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
