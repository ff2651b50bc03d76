"""The verb `pi05 reproduce`: the steps of a plan, from mock homes to a checkpoint's points."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pi05_ros.cli.common.status_line import StatusLine
from pi05_ros.cli.common.terminal import terminal

if TYPE_CHECKING:
    from pi05_ros.evaluation.reproduction.plan import Plan
    from pi05_ros.evaluation.reproduction.record import Record
    from pi05_ros.evaluation.reproduction.work import Work

Row = tuple[str, str, str, str, str, str]


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 reproduce`.

    Returns:
        0 when all steps are finished, 1 when one failed, 2 for a wrong command line, 130 after
        Ctrl-C.
    """
    return _run(parser().parse_args(arguments))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(
        prog="pi05 reproduce",
        description="Run the steps of a plan one after the other: data from mock homes, training, "
        "evaluation. Finished steps are kept, and the same command goes on with one that was "
        "stopped. DIR/reproduce.json and DIR/index.html say what each step has cost and what came "
        "of it; DIR/STEP.log is its output.",
        epilog="example: pi05 reproduce nano --scale 0.1 --out runs/nano_tenth",
        allow_abbrev=False,
    )
    root.add_argument(
        "plan",
        nargs="?",
        default="nano",
        help="name in config/plans, or the path of a YAML file; default: nano",
    )
    root.add_argument("--out", type=Path, metavar="DIR", help="folder of the steps")
    root.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="share of the homes and of the steps of training, up to 1; default: 1",
    )
    root.add_argument(
        "--jobs",
        type=_jobs,
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="processes, and threads of training; default: by the cores",
    )
    root.add_argument("--only", nargs="+", default=[], metavar="STEP", help="run only these steps")
    root.add_argument(
        "--redo",
        nargs="+",
        default=[],
        metavar="STEP",
        help="remove these steps with what they made, and make them again",
    )
    root.add_argument(
        "--dry-run", action="store_true", help="print the steps, their sizes and estimates"
    )
    return root


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wanted a number of processes from 1, found {text!r}")
    return int(text)


def _run(parsed: argparse.Namespace) -> int:
    from pi05_ros.evaluation.reproduction.commands import works
    from pi05_ros.evaluation.reproduction.plan import load_plan
    from pi05_ros.evaluation.reproduction.record import Record
    from pi05_ros.evaluation.reproduction.run import Runner, reproduce
    from pi05_ros.evaluation.reproduction.work import plan_digest

    if parsed.out is None and not parsed.dry_run:
        print("pi05 reproduce: wanted --out DIR, the folder of the steps", file=sys.stderr)
        return 2
    plan = load_plan(parsed.plan)
    steps = works(plan, parsed.scale)
    record = Record(parsed.out) if parsed.out is not None else None
    if parsed.dry_run:
        _print_table(plan, steps, record, plan_digest(steps), parsed.scale)
        return 0
    line = StatusLine(sys.stderr)
    runner = Runner(parsed.jobs, line.show, line.log)
    try:
        finished = reproduce(
            plan, steps, parsed.scale, parsed.out, runner, only=parsed.only, redo=parsed.redo
        )
    finally:
        line.clear()
    _print_table(plan, steps, Record(parsed.out), plan_digest(steps), parsed.scale)
    terminal().print(f"{parsed.out / 'index.html'}", markup=False)
    return 0 if finished else 130


def _print_table(
    plan: Plan, steps: Sequence[Work], record: Record | None, digest: str, scale: float
) -> None:
    """Print the steps with sizes, estimated and measured core-hours, and results."""
    from pi05_ros.evaluation.reproduction.page import result_text

    out = terminal()
    rows: list[Row] = [("step", "kind", "size", "estimated", "core-hours", "result")]
    for work in steps:
        entry = record.steps.get(work.name) if record else None
        spent = f"{entry['core_seconds'] / 3600:.3f}" if entry else "–"
        estimated = f"{work.core_seconds / 3600:.3f}"
        size = f"{work.amount} {work.unit}"
        rows.append((work.name, work.kind, size, estimated, spent, result_text(entry)))
    total = sum(work.core_seconds for work in steps) / 3600
    names = [work.name for work in steps]
    spent = f"{record.core_seconds(names) / 3600:.3f}" if record else "–"
    rows.append(("all", "", "", f"{total:.3f}", spent, ""))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    out.print(f"plan {plan.name}, scale {scale:g}, hash {digest}", markup=False)
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out.print("  ".join(cells).rstrip(), markup=False)
