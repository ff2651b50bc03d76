"""`pi05 faults`: injects faults into the suite, row by row, and prints the outcome."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from pi05_ros.cli.common.progress import Progress
from pi05_ros.errors import ConfigError, Pi05Error
from system.catalog import ROWS, Row, Trial, rows_of
from system.checks import Checks
from system.shims import RowSkipped
from system.table import RowResult, as_json, summary_table


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Returns:
        0 when no row failed, 1 when one did, 2 for a wrong command line, 130 after Ctrl-C.
    """
    parsed = parser().parse_args(arguments)
    try:
        rows = rows_of(parsed.rows)
        if parsed.times is not None and parsed.times < 1:
            raise ConfigError("option 'times'", f"wanted 1 or more, found {parsed.times}")
        if parsed.json:
            _check_writable(Path(parsed.json))
    except ConfigError as error:
        print(f"pi05 faults: {error}", file=sys.stderr)
        return 2
    if parsed.list:
        for row in rows:
            print(f"{row.number:3}  {row.fault:36}  {row.outcome}")
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    results: list[RowResult] = []
    status = 0
    try:
        for row in rows:
            results.append(_run(row, parsed.times))
    except KeyboardInterrupt:
        status = 130
    print(summary_table(results))
    if parsed.json:
        Path(parsed.json).write_text(json.dumps(as_json(results), indent=2) + "\n")
    if status:
        left = ", ".join(str(row.number) for row in rows[len(results) :])
        print(f"pi05 faults: interrupted; not run: {left}", file=sys.stderr)
        return status
    return 1 if any(result.failed for result in results) else 0


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    minutes = sum(row.seconds for row in ROWS) / 60
    result = argparse.ArgumentParser(
        prog="pi05 faults",
        description="Runs the suite's nodes as real processes against a fake robot, injects "
        "faults and measures the commands that reach the controllers. docs/faults.md lists the "
        f"rows; all together take about {minutes:.0f} minutes. Ctrl-C ends every process.",
    )
    result.add_argument("rows", nargs="*", metavar="ROW", help="numbers of rows; none: all")
    result.add_argument(
        "--times",
        type=int,
        metavar="N",
        help="repetitions of rows that count them: "
        + ", ".join(f"{row.number} (else {row.times})" for row in ROWS if row.times),
    )
    result.add_argument("--json", metavar="FILE", help="also write every check to this file")
    result.add_argument("--list", action="store_true", help="only list the rows")
    return result


def _run(row: Row, times: int | None) -> RowResult:
    """Run a row and print its checks."""
    title = f"{row.number:3}  {row.fault}"
    began = time.monotonic()
    checks, problem, skipped = Checks(), "", ""
    try:
        with Progress("starting", title=title, log_steps=True, stream=sys.stdout) as progress:
            checks = row.run(Trial(times, progress.describe))
    except RowSkipped as error:
        skipped = str(error)
    except Pi05Error as error:
        problem = str(error)
    except Exception:
        # A fault of the harness must not prevent the other rows.
        problem = traceback.format_exc()
    result = RowResult(row, tuple(checks.found), problem, skipped, time.monotonic() - began)
    print("\n".join(result.lines()), flush=True)
    return result


def _check_writable(path: Path) -> None:
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ConfigError(f"option 'json': {path}", "cannot be written")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
