"""Export episodes to a LeRobot dataset (format v3.0) that the lerobot package reads.

    pi05 bags export BAGS DATASET
    pi05 bags export BAGS DATASET --outcome success,failure --fps 25

An interrupted export continues when it is run again. Episodes that an existing dataset lacks are
added to it. Episodes and rows that are left out are counted at the end, with the reason; failures
and ungraded episodes are exported on request.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pi05_ros.cli.bags.filter_options import add_filter_arguments, filter_of
from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.filters.counts import FilterCounts
from pi05_ros.data.lerobot.audit import audit
from pi05_ros.data.lerobot.encoding import DEFAULT_CRF
from pi05_ros.data.lerobot.export import ExportSettings, LeftOut, export
from pi05_ros.data.open import open_episodes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("bags", type=Path, help="a bag, a folder of bags, or a LeRobot dataset")
    parser.add_argument("dataset", type=Path, help="folder of the dataset: new, or one of ours")
    add_filter_arguments(parser)
    parser.add_argument(
        "--include-recovered", action="store_true", help="include episodes that a crash cut short"
    )
    parser.add_argument("--platform", default="", help="export only episodes of this robot")
    parser.add_argument(
        "--cameras",
        type=_names,
        default=(),
        metavar="NAME,...",
        help="which cameras; default: those of the dataset, or of the first episode",
    )
    parser.add_argument(
        "--fps",
        type=float,
        help="rows a second; default: all. A lower rate drops commands and pictures in between",
    )
    parser.add_argument(
        "--crf", type=int, help=f"quality of H.264, 0 (best) to 51; default: {DEFAULT_CRF}"
    )
    parser.add_argument(
        "--workers", type=int, help="number of parallel processes; default: by the cores"
    )


def run(arguments: argparse.Namespace) -> int:
    """Export, and print the audit.

    Returns:
        0: the dataset holds episodes; 1: there is nothing in it.
    """
    try:
        settings = ExportSettings(
            episode_filter=filter_of(arguments),
            include_recovered=arguments.include_recovered,
            cameras=arguments.cameras,
            fps=arguments.fps,
            crf=arguments.crf,
            platform=arguments.platform,
            workers=arguments.workers,
        )
    except ValueError as error:
        print(f"pi05 bags export: {error}", file=sys.stderr)
        return 2
    refused: list[LeftOut] = []
    episodes = open_episodes(
        arguments.bags,
        include_recovered=True,  # The export leaves them out, and reports it.
        cache=CacheFolder(),  # A bag is indexed by one process for all.
        refused=lambda path, error: refused.append(LeftOut(path.name, f"not readable ({error})")),
    )
    try:
        with Progress("reading episodes") as bar:

            def show(what: str, done: int, total: int) -> None:
                bar.describe(what)
                bar.update(done, total)

            result = export(episodes, arguments.dataset, settings, show)
    except KeyboardInterrupt:
        print("\nFinished parts are kept: the same command continues from there.", file=sys.stderr)
        raise
    result.left_out += refused
    found = audit(result)
    out = terminal()
    for line in found.lines():
        out.print(line, markup=False)
    counts = FilterCounts.of(result.judged)
    inside = counts.rows_left_out.total()
    if inside:
        what = ", ".join(f"{why}: {count}" for why, count in counts.rows_left_out.most_common())
        out.print(
            f"rows that do not train (bags stats leaves them out): {inside} ({what}); those "
            "inside an episode are exported, since LeRobot's rows are evenly spaced",
            markup=False,
        )
    return 0 if found.episodes else 1


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
