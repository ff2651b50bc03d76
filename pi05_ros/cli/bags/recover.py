"""Repair bags whose recorder was killed or whose disk failed.

Files that were closed are not changed. Every complete chunk of a truncated file is copied into a
new file, and the original is kept beside it as NAME.mcap.torn. The bag is marked as recovered;
training skips it unless --include-recovered is given.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pi05_ros.cli.common.choose import bags_below
from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.recovery import Recovered, needs_recovery, recover


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("bags", nargs="*", type=Path, metavar="BAG", help="a bag's folder")
    parser.add_argument(
        "--all", type=Path, metavar="FOLDER", help="repair every bag in FOLDER that was not closed"
    )
    parser.add_argument(
        "--delete-torn", action="store_true", help="delete the truncated originals"
    )


def run(arguments: argparse.Namespace) -> int:
    """Repair bags; 1 when one of them cannot be repaired."""
    out = terminal()
    bags = [bag.parent if bag.is_file() else bag for bag in arguments.bags]
    if arguments.all is not None:
        if not arguments.all.is_dir():
            raise BagError(f"there is no folder {arguments.all}: wanted one with bags in it")
        bags += [bag for bag in bags_below(arguments.all) if needs_recovery(bag)]
        if not bags:
            out.print(f"{arguments.all}: every bag was closed", markup=False)
            return 0
    if not bags:
        raise BagError("which bag? Give its folder, or --all FOLDER")
    failed = 0
    for bag in bags:
        try:
            with Progress(f"repairing {bag.name}") as bar:
                report = recover(bag, keep=not arguments.delete_torn, progress=bar.update)
            out.print(_sentence(report, kept=not arguments.delete_torn), markup=False)
        except BagError as error:
            failed += 1
            out.print(f"{error}", style="red", markup=False)
    return 1 if failed else 0


def _sentence(report: Recovered, *, kept: bool) -> str:
    messages = f"{report.messages} message{'' if report.messages == 1 else 's'}"
    if report.was_whole:
        return f"{report.folder}: whole already, {messages}; nothing was changed"
    sentence = f"{report.folder}: {messages}, {report.lost_bytes} bytes lost"
    if report.torn and kept:
        sentence += f"; as they were: {', '.join(path.name for path in report.torn)}"
    return sentence
