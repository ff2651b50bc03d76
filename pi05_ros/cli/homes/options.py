"""Values on the command lines of `pi05 homes`."""

from __future__ import annotations

import argparse

from pi05_ros.evaluation.rollout import parse_homes


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
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wanted a number of processes from 1, found {text!r}")
    return int(text)
