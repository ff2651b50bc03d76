"""Convert a LeRobot dataset (v2.0 to v3.0, of any origin) into bags, one for each episode.

    pi05 bags import DATASET BAGS

Training, `bags show` and `bags stats` read datasets directly; bags are for tools that need bags.
Episodes whose bag exists are skipped, so an interrupted import continues. Those that cannot be
read are left out and named.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.lerobot.import_bags import import_bags
from pi05_ros.data.lerobot.reader import open_dataset
from pi05_ros.data.lerobot.to_bag import BagSettings, message_count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("dataset", type=Path, help="folder of the dataset (with meta/info.json)")
    parser.add_argument("bags", type=Path, help="folder for the bags")
    parser.add_argument(
        "--pictures",
        choices=("jpeg", "raw"),
        default="jpeg",
        help="CompressedImage (jpeg) or Image (raw: larger, without further loss); default: jpeg",
    )
    parser.add_argument(
        "--quality", type=int, default=95, help="JPEG quality, 1 to 100; default: 95"
    )


def run(arguments: argparse.Namespace) -> int:
    """Import, and print a summary.

    Returns:
        0: each episode has its bag; 1: some cannot be read; 2: a wrong command line.
    """
    try:
        settings = BagSettings(arguments.pictures, arguments.quality)
    except ValueError as error:
        print(f"pi05 bags import: {error}", file=sys.stderr)
        return 2
    # A bag states itself that it was recovered, so those are included.
    episodes = open_dataset(arguments.dataset, include_recovered=True)
    with Progress("messages", sum(message_count(episode) for episode in episodes)) as bar:
        result = import_bags(episodes, arguments.bags, settings, bar.describe, bar.advance)
    terminal().print(
        f"{arguments.bags}: {result.written} bags written with {result.rows} rows, "
        f"{result.present} were there already",
        markup=False,
    )
    for problem in result.left_out:
        print(f"left out: {problem}", file=sys.stderr)
    return 1 if result.left_out else 0
