"""What an evaluation of the expert costs, and whether trials in process and the graph agree.

    ./pi05 run python benchmarks/evaluation.py --graph 10000-10004 --out evaluation.md

All tasks are run as `./pi05 eval` runs them, without videos, in two processes; then those homes of
--graph once more through the graph, one after the other.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from live import machine

from pi05_ros.evaluation.rollout import parse_homes
from pi05_ros.evaluation.trials.folder import EvaluationFolder
from pi05_ros.evaluation.trials.result import TrialResult
from pi05_ros.evaluation.trials.run import run_trials
from pi05_ros.evaluation.trials.settings import EvaluationSettings, Machine
from pi05_ros.evaluation.trials.summary import summarize
from pi05_ros.evaluation.trials.tasks import ALL, find_tasks

PAGE = """# Cost and agreement of evaluations

`benchmarks/evaluation.py`: the expert on `{platform}` in {count} homes, {jobs} processes of
one thread, on {machine}.
Other work ran on the machine at the time, which processor seconds hardly feel.

{trials} trials took **{wall:.0f} s**, start of the processes included:
{each:.1f} s each of one process.

{table}
"""
GRAPH = """
## In process and through the graph

The same trials in {count} homes, in process and through the graph of nodes (`--ros`), which took
{wall:.0f} s, {each:.0f} s each: simulated time is not faster than real time there.

{table}
"""


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platform", default="mobile_18dof")
    parser.add_argument("--tasks", default=ALL, help="names joined by commas (default all)")
    parser.add_argument("--homes", type=parse_homes, default=list(range(10_000, 10_020)))
    parser.add_argument("--graph", type=parse_homes, default=[], help="homes to compare in")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    settings = EvaluationSettings(
        find_tasks(options.tasks.split(",")),
        tuple(options.homes),
        brain="expert",
        platform=options.platform,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.perf_counter()
        results = run(folder / "all", settings, Machine(options.jobs))
        wall = time.perf_counter() - begun
        page = PAGE.format(
            platform=options.platform,
            count=len(options.homes),
            jobs=options.jobs,
            machine=machine.describe(),
            trials=len(results),
            wall=wall,
            each=wall * options.jobs / len(results),
            table=costs(settings, results),
        )
        if options.graph:
            page += compare(folder, settings, options.graph, Machine(options.jobs))
    print(page)
    if options.out is not None:
        options.out.write_text(page)


def run(folder: Path, settings: EvaluationSettings, where: Machine) -> list[TrialResult]:
    """Run all trials."""
    engine = None
    if settings.ros:
        from pi05_ros.demo.trial import graph_engine

        engine = graph_engine(folder / "logs")
    return run_trials(EvaluationFolder(folder), settings, machine=where, engine=engine)


def costs(settings: EvaluationSettings, results: Sequence[TrialResult]) -> str:
    """Return a table of tasks."""
    lines = [
        "| task | trials | points | simulated s a trial | processor s a trial | a simulated s |",
        "|---|---|---|---|---|---|",
    ]
    for row in summarize(settings, results)["results"]:
        mine = [result for result in results if result.task == row["task"]]
        work = float(np.mean([result.processor_seconds for result in mine]))
        lines.append(
            f"| {row['task']} | {row['episodes']} | {row['points_share']:.1%} | "
            f"{row['seconds']:.1f} | {work:.1f} | {work / row['seconds']:.3f} |"
        )
    return "\n".join(lines)


def compare(
    folder: Path, settings: EvaluationSettings, homes: Sequence[int], where: Machine
) -> str:
    """Run some homes both ways, and return the section about it."""
    inside = dataclasses.replace(settings, homes=tuple(homes))
    graph = dataclasses.replace(inside, ros=True)
    loops = summarize(inside, run(folder / "loops", inside, where))["results"]
    begun = time.perf_counter()
    results = run(folder / "graphs", graph, where)
    wall = time.perf_counter() - begun
    graphs = summarize(graph, results)["results"]
    lines = [
        "| task | in process | 95 % interval | time [s] "
        "| graph | 95 % interval | time [s] | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for a, b in zip(loops, graphs, strict=True):
        cells = [a["task"], *figures(a), *figures(b), str(b["holds"])]
        lines.append(f"| {' | '.join(cells)} |")
    return GRAPH.format(
        count=len(homes), wall=wall, each=wall / len(results), table="\n".join(lines)
    )


def figures(row: dict[str, Any]) -> tuple[str, str, str]:
    """Return share, interval and time as text."""
    low, high = row["interval"]
    return f"{row['points_share']:.1%}", f"{low:.1%} to {high:.1%}", f"{row['seconds']:.1f}"


if __name__ == "__main__":
    main()
