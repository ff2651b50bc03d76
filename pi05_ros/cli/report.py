"""The verb `pi05 report`: an episode as one HTML page to send around, and as a video."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pi05_ros.cli.bags.choose import DEFAULT_FOLDER, bag_of
from pi05_ros.cli.bags.progress import progress
from pi05_ros.errors import ConfigError

_MOMENTS = 12


def main(arguments: Sequence[str]) -> int:
    """Runs the verb.

    Args:
        arguments: What stands behind `pi05 report`.

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
        video = write_report(bag, page, make_video=not parsed.no_video)
    except KeyboardInterrupt:
        print("\npi05 report: interrupted", file=sys.stderr)
        return 130
    print(page if video is None else f"{page}\n{video}")
    return 0


def write_report(
    bag: Path, page: Path, *, make_video: bool, video: Path | None = None
) -> Path | None:
    """Writes the page, and beside it the video of the same name.

    Args:
        bag: The episode's bag.
        page: HTML file to write; its folder is made.
        make_video: Whether a video is made for the page and beside it.
        video: One that there is already (MP4), for the page; then none is made.

    Returns:
        The video; None: there is none.

    Raises:
        Pi05Error: The bag cannot be read, or a file cannot be written.
    """
    from pi05_ros.evaluation.report.contents import collect  # matplotlib and OpenCV take a second.
    from pi05_ros.evaluation.report.page import render
    from pi05_ros.evaluation.report.pictures import moments, write_video

    page.parent.mkdir(parents=True, exist_ok=True)
    with progress("reading", 1.0) as bar:
        contents = collect(bag, bar.say)
        if make_video and video is None and contents.episode.cameras:
            bar.say("filming")
            video = page.with_suffix(".mp4")
            write_video(contents, video, bar.at)
        bar.say("writing")
        page.write_text(render(contents, moments(contents, _MOMENTS), video), encoding="utf-8")
    return video


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 report",
        description="An episode as one HTML page that needs nothing beside it: pictures along the "
        "timeline, subtasks and who said them, score, commands against states, latencies, faults.",
    )
    result.add_argument("bag", metavar="N|BAG", help="a bag, or its number in `pi05 bags list`")
    result.add_argument(
        "--folder", type=Path, default=DEFAULT_FOLDER, help="of the numbers; default: bags"
    )
    result.add_argument("--out", type=Path, help="HTML file; default: the bag's name, here")
    result.add_argument("--no-video", action="store_true", help="no MP4: sooner and smaller")
    return result
