"""Says afterwards how an episode went: success or failure.

Only metadata.yaml is changed. The files of the bag keep what was known when they were begun, and
metadata.yaml is what counts."""

from __future__ import annotations

import argparse

from pi05_ros.cli.common.choose import bag_of
from pi05_ros.cli.common.progress import console
from pi05_ros.data.bags.grading import grade


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `bags grade`."""
    parser.add_argument("bag", metavar="BAG", help="a bag, or its number in `bags list`")
    parser.add_argument("outcome", choices=("success", "failure"), help="how it went")
    parser.add_argument("--notes", default="", help="a line that is added to its notes")


def run(arguments: argparse.Namespace) -> int:
    """Grades one bag."""
    path = bag_of(arguments.bag)
    facts = grade(path, arguments.outcome, arguments.notes)
    console().print(f"{facts.id}: {facts.outcome}", markup=False)
    return 0
