"""Values on the command lines of `pi05 homes`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pi05_ros.evaluation.collection.collect import default_jobs
from pi05_ros.evaluation.rollout import parse_homes
from pi05_ros.platforms.platform import platform_names
from pi05_ros.sim.homes.difficulty import PRESETS


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every verb takes: homes, folder, platform, seed and processes."""
    parser.add_argument("--homes", type=homes_of, required=True, help="for example 0-99 or 1,5,8")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--platform",
        default="mobile_18dof",
        help=f"{', '.join(platform_names())}, or a YAML file; default: mobile_18dof",
    )
    parser.add_argument(
        "--difficulty",
        default="ideal",
        help=f"of the homes: {', '.join(PRESETS)}, then changes as in normal,image_noise=0.02; "
        "default: ideal",
    )
    parser.add_argument(
        "--seed", type=_seed_of, default=0, help="of the random numbers; default: 0"
    )
    parser.add_argument(
        "--jobs", type=jobs_of, default=default_jobs(), help="processes; default: by the cores"
    )


def homes_of(text: str) -> list[int]:
    """Parse a list of homes, as an argparse type.

    Raises:
        argparse.ArgumentTypeError: The text is not such a list.
    """
    try:
        homes = parse_homes(text)
    except ValueError:
        homes = []
    if not homes:
        raise argparse.ArgumentTypeError(f"wanted homes as in 0-99 or 1,5,8-10, found {text!r}")
    return homes


def jobs_of(text: str) -> int:
    """Parse a number of processes, as an argparse type.

    Raises:
        argparse.ArgumentTypeError: The text is no number above 0.
    """
    return _from_one(text, "processes")


def count_of(text: str) -> int:
    """Parse a number of episodes, as an argparse type.

    Raises:
        argparse.ArgumentTypeError: The text is no number above 0.
    """
    return _from_one(text, "episodes")


def _from_one(text: str, what: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wanted a number of {what} from 1, found {text!r}")
    return int(text)


def _seed_of(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"wanted a seed of 0 or more, found {text!r}")
    return int(text)
