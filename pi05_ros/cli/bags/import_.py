"""A LeRobot dataset (v2.0 to v3.0, ours or not) into bags, one an episode.

    pi05 bags import DATASET BAGS

Training, `bags show` and `bags stats` read datasets as they are; bags are for what wants bags.
Episodes whose bag is there are passed over, so an import that was interrupted goes on. Those that
cannot be read are left out and named.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pi05_ros.cli.common.progress import console, progress
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.reader import open_dataset
from pi05_ros.data.lerobot.to_bag import UNDER_WAY, BagSettings, message_count, write_bag


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command line."""
    parser.add_argument("dataset", type=Path, help="folder of the dataset (with meta/info.json)")
    parser.add_argument("bags", type=Path, help="folder for the bags")
    parser.add_argument(
        "--pictures",
        choices=("jpeg", "raw"),
        default="jpeg",
        help="as CompressedImage, or as Image (larger; nothing more is lost); default: jpeg",
    )
    parser.add_argument("--quality", type=int, default=95, help="of JPEG, 1 to 100; default: 95")


def run(arguments: argparse.Namespace) -> int:
    """Imports, and says what came of it.

    Returns:
        0: each episode has its bag; 1: some cannot be read; 2: a wrong command line.
    """
    try:
        settings = BagSettings(arguments.pictures, arguments.quality)
    except ValueError as error:
        print(f"pi05 bags import: {error}", file=sys.stderr)
        return 2
    # A bag says itself that it was recovered, so those come along.
    episodes = open_dataset(arguments.dataset, include_recovered=True)
    written, rows = [], 0
    left_out: list[DatasetError] = []
    with progress("messages", sum(message_count(episode) for episode in episodes)) as bar:
        for episode in episodes:
            bar.say(episode.facts.id)
            try:
                bag = write_bag(episode, arguments.bags, settings, bar.advance)
            except DatasetError as error:
                left_out.append(error)
                continue
            if bag is None:
                bar.advance(message_count(episode))
            else:
                written.append(bag)
                rows += len(episode)
    under_way = arguments.bags / UNDER_WAY
    if under_way.is_dir() and not any(under_way.iterdir()):
        under_way.rmdir()
    console().print(
        f"{arguments.bags}: {len(written)} bags written with {rows} rows, "
        f"{len(episodes) - len(written) - len(left_out)} were there already",
        markup=False,
    )
    for problem in left_out:
        print(f"left out: {problem}", file=sys.stderr)
    return 1 if left_out else 0
