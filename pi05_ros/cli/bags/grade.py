"""Grade an episode as success or failure.

Only metadata.yaml is changed. It takes precedence over the grade in the other files of the bag.
"""

from __future__ import annotations

import argparse

from pi05_ros.cli.common.choose import bag_of
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.bags.grading import grade


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("bag", metavar="BAG", help="a bag, or its number in `bags list`")
    parser.add_argument("outcome", choices=("success", "failure"), help="the grade")
    parser.add_argument("--notes", default="", help="line to add to the notes of the episode")


def run(arguments: argparse.Namespace) -> int:
    """Grade one bag."""
    path = bag_of(arguments.bag)
    facts = grade(path, arguments.outcome, arguments.notes)
    terminal().print(f"{facts.id}: {facts.outcome}", markup=False)
    return 0
