"""Render static scenes of mock homes, with captions, questions and boxes.

    pi05 homes scenes --homes 0-99 --sets 8 --out DIR

DIR is a source of kind WD: JSON lines beside pictures. An interrupted run goes on when it is
repeated, and other homes or another seed add to a folder.
"""

from __future__ import annotations

import argparse
import sys

from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.cli.homes.options import add_common_arguments
from pi05_ros.evaluation.collection.scenes import ALL, SceneSettings, collect_scenes
from pi05_ros.sim.homes.rooms import ROOMS, TRAINING_ROOMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    sets = SceneSettings("").sets
    add_common_arguments(parser)
    parser.add_argument(
        "--sets", type=int, default=sets, help=f"sets of pictures of each home; default: {sets}"
    )
    parser.add_argument(
        "--room",
        default=ALL,
        help=f"kind of the room ({', '.join(ROOMS)}), or {ALL}: in each home one of "
        f"{', '.join(TRAINING_ROOMS)} that the seed draws; default: {ALL}",
    )
    parser.add_argument(
        "--cameras",
        default="",
        metavar="NAMES",
        help="cameras that are rendered, separated by commas: a wrist that hangs at rest sees "
        "little but the floor; default: all",
    )


def run(arguments: argparse.Namespace) -> int:
    """Render, and print a summary.

    Returns:
        0: the scenes are there; 2: a wrong command line.
    """
    try:
        settings = SceneSettings(
            platform=arguments.platform,
            sets=arguments.sets,
            room=arguments.room,
            difficulty=arguments.difficulty,
            cameras=arguments.cameras,
        )
    except ValueError as error:
        print(f"pi05 homes scenes: {error}", file=sys.stderr)
        return 2
    with Progress("homes", len(arguments.homes)) as bar:
        result = collect_scenes(
            arguments.out,
            settings,
            arguments.homes,
            seed=arguments.seed,
            jobs=arguments.jobs,
            on_home=bar.advance,
            on_start=lambda count: bar.update(0, count),
        )
    counts = result.counts
    terminal().print(
        f"{arguments.out}: {result.homes} homes written ({counts.get('pictures', 0)} pictures, "
        f"{counts.get('caption', 0)} captions, {counts.get('boxes', 0)} with boxes, "
        f"{counts.get('question', 0)} questions), {result.present} were there already",
        markup=False,
    )
    return 0
