"""Draw an episode: pictures along time, subtasks and their sources, states and commands.

Where an operator drove, a table lists the spans, the device, and what the model would have done.

Numbers are those of `./pi05 bags list`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from pi05_ros.cli.common.choose import DEFAULT_FOLDER, bag_of
from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.open import open_episodes
from pi05_ros.errors import ConfigError

if TYPE_CHECKING:
    from pi05_ros.evaluation.report.driving import Driving

_SUFFIXES = (".png", ".pdf")
_MAX_NAME = 60  # Characters of a file name: 255 bytes, at most four a character.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "bags", nargs="+", metavar="N|PATH", help="number in the list, or path, of an episode"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=DEFAULT_FOLDER,
        help="folder of the numbers; default: bags",
    )
    parser.add_argument(
        "--out", type=Path, help="file to write, .png or .pdf; default: ID.png here"
    )
    parser.add_argument(
        "--moments", type=int, default=8, help="number of pictures of each camera; default: 8"
    )


def run(arguments: argparse.Namespace) -> int:
    """Draw episodes."""
    if not 1 <= arguments.moments <= 40:
        print("pi05 bags show: --moments: wanted 1 to 40", file=sys.stderr)
        return 2
    if arguments.out and arguments.out.suffix.lower() not in _SUFFIXES:
        wanted = " or ".join(_SUFFIXES)
        print(
            f"pi05 bags show: --out: wanted a file {wanted}, found {arguments.out}",
            file=sys.stderr,
        )
        return 2
    try:
        paths = [bag_of(text, arguments.folder) for text in arguments.bags]
    except ConfigError as error:
        print(f"pi05 bags show: {error}", file=sys.stderr)
        return 2
    episodes: list[Episode] = []
    for path in paths:
        episodes += open_episodes(path, include_recovered=True)
    if arguments.out and len(episodes) != 1:
        print(f"pi05 bags show: --out takes one episode, not {len(episodes)}", file=sys.stderr)
        return 2
    # matplotlib takes a second.
    from pi05_ros.evaluation.report.driving import driving
    from pi05_ros.evaluation.report.sheet import save_sheet

    with Progress("drawing", len(episodes)) as bar:
        for episode in episodes:
            out = arguments.out or Path(f"{episode.facts.file_name[:_MAX_NAME]}.png")
            save_sheet(episode, out, arguments.moments)
            terminal().print(str(out), markup=False)
            found = driving(episode)
            if found.operator:
                terminal().print(_table(found))
            bar.advance()
    return 0


def _table(found: Driving) -> Table:
    """Make the table of the spans in which an operator drove."""
    from pi05_ros.evaluation.report.driving import distances_text, summary

    title = f"who drove: {summary(found)}"
    table = Table(title=title, title_justify="left", pad_edge=False, box=None)
    for name in ("from [s]", "for [s]"):
        table.add_column(escape(name), justify="right", no_wrap=True)
    table.add_column("device", overflow="fold")
    table.add_column("chunks overridden", justify="right", no_wrap=True)
    table.add_column("largest distance of the model's rows from the commands", overflow="fold")
    for span in found.operator:
        kind = "" if span.is_intervention else " (demonstration)"
        table.add_row(
            f"{span.start:.1f}",
            f"{span.seconds:.1f}",
            escape(span.device or "unknown") + kind,
            "–" if span.overridden is None else str(span.overridden),
            escape(distances_text(span)),
        )
    return table
