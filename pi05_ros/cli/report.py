"""The verb `pi05 report`: an episode as one HTML page to send around, and as a video."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pi05_ros.cli.common.choose import DEFAULT_FOLDER, bag_of
from pi05_ros.cli.common.progress import Progress
from pi05_ros.errors import ConfigError


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 report`.

    Returns:
        0 when the report was written, 2 for a wrong command line.
    """
    parsed = parser().parse_args(arguments)
    try:
        bag = bag_of(parsed.bag, parsed.folder)
    except ConfigError as error:
        print(f"pi05 report: {error}", file=sys.stderr)
        return 2
    page = parsed.out or Path(f"{bag.resolve().name}.html")
    if page.suffix not in (".html", ".htm"):
        print(f"pi05 report: --out: wanted a file .html, found '{page}'", file=sys.stderr)
        return 2
    try:
        from pi05_ros.evaluation.report.writing import write_report  # matplotlib takes a second.

        with Progress("reading", 1.0) as bar:
            video = write_report(
                bag,
                page,
                make_video=not parsed.no_video,
                on_step=bar.describe,
                on_progress=bar.update,
            )
    except KeyboardInterrupt:
        print("\npi05 report: interrupted", file=sys.stderr)
        return 130
    print(page if video is None else f"{page}\n{video}")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 report",
        description="Write an episode as one self-contained HTML page: pictures along the "
        "timeline, subtasks and their sources, score, commands and states, latencies, faults.",
    )
    result.add_argument("bag", metavar="N|BAG", help="a bag, or its number in `pi05 bags list`")
    result.add_argument(
        "--folder", type=Path, default=DEFAULT_FOLDER, help="folder of the numbers; default: bags"
    )
    result.add_argument(
        "--out", type=Path, help="HTML file to write; default: the name of the bag, in this folder"
    )
    result.add_argument("--no-video", action="store_true", help="make no MP4: faster and smaller")
    return result
