"""Record episodes of the scripted expert in mock homes, as bags or as a LeRobot dataset.

    pi05 homes collect --homes 0-99 --out DIR
    pi05 homes collect --homes 0-99 --task "one dish" --noise 0.01 --out DIR --format lerobot

Bags are written into DIR. With --format lerobot they are written into DIR/bags, and those with the
outcome success are then exported to DIR/lerobot. An interrupted run goes on when it is repeated,
and other homes or another seed add to a folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.cli.homes.options import add_common_arguments, count_of
from pi05_ros.evaluation.collection.collect import Collected, collect
from pi05_ros.evaluation.collection.episode import EpisodeSummary
from pi05_ros.evaluation.collection.settings import ALL, DRAWN, CollectSettings
from pi05_ros.sim.tasks.registry import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    defaults = CollectSettings("")
    add_common_arguments(parser)
    parser.add_argument(
        "--task",
        default=defaults.task,
        help=f"name or text of a task ({', '.join(TASKS)}), '{ALL}': in each home one of them "
        "that the seed draws, or with a dish or a thing that the seed draws: "
        f"{', '.join(repr(task) for task in DRAWN)}; default: {defaults.task}",
    )
    parser.add_argument(
        "--max-seconds",
        type=float,
        default=defaults.max_seconds,
        metavar="S",
        help="cut an episode after so many simulated seconds, without a grade; "
        f"default: {defaults.max_seconds:g}",
    )
    parser.add_argument(
        "--noise",
        type=float,
        default=defaults.noise,
        metavar="SIGMA",
        help="disturb what the drives execute, as a share of the largest velocities (0.01); the "
        "recorded commands stay the expert's; default: 0",
    )
    parser.add_argument(
        "--wrong-chunks",
        type=float,
        default=defaults.wrong_chunks,
        metavar="CHANCE",
        help="let wrong chunks follow a chunk of the expert at this chance (0.05), for 0.3 to "
        "1 s; their rows do not train, those of the recovery do; default: 0",
    )
    parser.add_argument(
        "--restarts",
        action="store_true",
        help="begin each episode in the middle of the work: the robot near it, things moved",
    )
    parser.add_argument(
        "--other-tasks",
        type=float,
        default=defaults.other_tasks,
        metavar="CHANCE",
        help="give another task about one thing at this chance at each answer of the high level "
        "(0.05), for 3 to 8 s; default: 0",
    )
    parser.add_argument(
        "--visited",
        default=defaults.visited,
        metavar="CHECKPOINT",
        help="let this checkpoint drive for spans of 0.8 to 2.5 s, which do not train; the expert "
        "goes on from the states that it visits",
    )
    parser.add_argument(
        "--verbal",
        default=defaults.verbal,
        metavar="CHECKPOINT",
        help="let this checkpoint act under the subtasks of the expert, which count as spoken by "
        "a person: data of the kind VI",
    )
    parser.add_argument(
        "--picture-rate",
        type=float,
        default=defaults.picture_rate,
        metavar="HZ",
        help="record pictures at this rate at most (5), which halves the cost; default: at the "
        "cameras' own rate",
    )
    parser.add_argument(
        "--episodes",
        type=count_of,
        default=1,
        metavar="N",
        help="episodes in each home, with the seeds from --seed on; default: 1",
    )
    parser.add_argument(
        "--format", choices=("bags", "lerobot"), default="bags", help="default: bags"
    )


def run(arguments: argparse.Namespace) -> int:
    """Collect, and print a summary.

    Returns:
        0: at least one of the episodes is a success, a checkpoint acted, or all were there; 1: no
        episode of the expert is a success; 2: a wrong command line.
    """
    try:
        settings = CollectSettings(
            platform=arguments.platform,
            task=arguments.task,
            max_seconds=arguments.max_seconds,
            noise=arguments.noise,
            wrong_chunks=arguments.wrong_chunks,
            restarts=arguments.restarts,
            other_tasks=arguments.other_tasks,
            visited=arguments.visited,
            verbal=arguments.verbal,
            difficulty=arguments.difficulty,
            picture_rate=arguments.picture_rate,
        )
    except ValueError as error:
        print(f"pi05 homes collect: {error}", file=sys.stderr)
        return 2
    is_dataset = arguments.format == "lerobot"
    bags = arguments.out / "bags" if is_dataset else arguments.out
    with Progress("episodes", len(arguments.homes) * arguments.episodes) as bar:

        def show(summary: EpisodeSummary) -> None:
            bar.describe(f"episodes, last {summary.name}")
            bar.advance()

        result = collect(
            bags,
            settings,
            arguments.homes,
            seed=arguments.seed,
            episodes=arguments.episodes,
            jobs=arguments.jobs,
            on_episode=show,
            on_start=lambda count: bar.update(0, count),
        )
    _print(bags, result)
    if is_dataset:
        _export(bags, arguments.out / "lerobot", arguments.jobs)
    good = any(summary.outcome == "success" for summary in result.written)
    # A checkpoint may fail everywhere: what was said to it is data all the same.
    return 0 if good or settings.verbal or not result.written else 1


def _print(bags: Path, result: Collected) -> None:
    out, written = terminal(), result.written
    counts = {
        outcome: sum(summary.outcome == outcome for summary in written)
        for outcome in ("success", "failure", "")
    }
    seconds = sum(summary.seconds for summary in written)
    out.print(
        f"{bags}: {len(written)} episodes written ({seconds:.0f} s; success {counts['success']}, "
        f"failure {counts['failure']}, not graded {counts['']}), {result.present} were there "
        "already",
        markup=False,
    )
    for summary in written:
        if summary.outcome == "failure":
            points = f"{summary.points:g} of {summary.max_points:g} points"
            out.print(f"  {summary.name}: {points}; {summary.ended}", markup=False)


def _export(bags: Path, dataset: Path, jobs: int) -> None:
    """Export the successful episodes, as `bags export` does."""
    from pi05_ros.data.episodes.cache_folder import CacheFolder
    from pi05_ros.data.lerobot.audit import audit
    from pi05_ros.data.lerobot.export import ExportSettings, export
    from pi05_ros.data.open import open_episodes

    with Progress("reading episodes") as bar:

        def show(what: str, done: int, total: int) -> None:
            bar.describe(what)
            bar.update(done, total)

        episodes = open_episodes(bags, cache=CacheFolder())
        result = export(episodes, dataset, ExportSettings(workers=jobs), show)
    for line in audit(result).lines():
        terminal().print(line, markup=False)
