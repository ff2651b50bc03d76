"""Smoothness of the transition from chunk to chunk, in four modes at four delays.

    ./pi05 run python benchmarks/splice.py --out splice_out

The scheduler and the bridge that ship run on a simulated clock, so that the load of the machine
does not affect the delay. Three policies: one whose flow is known in closed form, π0.5 at nano
size with random weights, and an expert with noise that does the dishes in mock homes. Writes
splice.json, splice.md, splice.png and trace.png. docs/benchmarks/splice.md explains the columns.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from seams import chart, mock_home, random_model, report, synthetic
from seams.metrics import Course, measure
from seams.record import Run
from seams.report import Row

from pi05_ros.chunking.settings import CHUNK_MODES
from pi05_ros.platforms.platform import Platform, load_platform

DELAYS = (0.0, 0.05, 0.15, 0.4)  # [s]
FADED = ("rtc", "trained_rtc")  # Modes that have a fade to leave out.


def main(arguments: list[str] | None = None) -> int:
    """Run everything, print the tables and write the files."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--platform", default="mobile_18dof")
    parser.add_argument("--out", type=Path, default=Path("splice_out"))
    parser.add_argument("--seeds", type=int, default=8, help="of the synthetic policy")
    parser.add_argument("--homes", type=int, default=2, help="mock homes")
    parser.add_argument("--seconds", type=float, default=20.0, help="of a synthetic run")
    parser.add_argument("--skip", nargs="*", default=[], choices=("no_fade", "model", "home"))
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # Small products: a second thread would only wait.
    platform = load_platform(options.platform)
    options.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for policy, run in _policies(platform, options).items():
        for delay in DELAYS:
            for mode in FADED if policy == "no_fade" else CHUNK_MODES:
                row = run(mode, delay, policy)
                rows.append(row)
                print(report.line(row), flush=True)
    (options.out / "splice.json").write_text(json.dumps([vars(row) for row in rows], indent=1))
    text = report.tables(rows)
    (options.out / "splice.md").write_text(text)
    chart.draw_steps(rows, options.out / "splice.png")
    traces = {mode: synthetic.run(platform, mode, 0.15, 0, 6.0).ticks for mode in CHUNK_MODES}
    chart.draw_traces(platform, traces, options.out / "trace.png")
    print(text)
    return 0 if all(row.violations == 0 for row in rows) else 1


def _policies(
    platform: Platform, options: argparse.Namespace
) -> dict[str, Callable[[str, float, str], Row]]:
    """Return the function that measures one mode at one delay, by policy."""

    def closed_form(mode: str, delay: float, policy: str) -> Row:
        fade = {"fade_rows": 0} if policy == "no_fade" else {}
        runs = [
            synthetic.run(platform, mode, delay, seed, options.seconds, **fade)
            for seed in range(options.seeds)
        ]
        return report.summarise(policy, mode, delay, _courses(platform, runs))

    def model(mode: str, delay: float, policy: str) -> Row:
        runs = [random_model.run(platform, mode, delay, 0, 8.0)]
        return report.summarise(policy, mode, delay, _courses(platform, runs))

    def home(mode: str, delay: float, policy: str) -> Row:
        runs = [mock_home.run(platform, mode, delay, seed, 120.0) for seed in range(options.homes)]
        points = np.mean([run.points for run in runs])
        outcome = f"{points:.1f} points in {np.mean([run.seconds for run in runs]):.0f} s"
        return report.summarise(policy, mode, delay, _courses(platform, runs), outcome)

    policies = {"synthetic": closed_form, "no_fade": closed_form, "model": model, "home": home}
    return {name: run for name, run in policies.items() if name not in options.skip}


def _courses(platform: Platform, runs: list[Run]) -> list[Course]:
    return [measure(platform, run.ticks) for run in runs]


if __name__ == "__main__":
    sys.exit(main())
