"""Report of an episode as files: the page, and the video beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pi05_ros.data.bags.reader import BagReader
from pi05_ros.evaluation.report.contents import collect
from pi05_ros.evaluation.report.page import render
from pi05_ros.evaluation.report.pictures import moments, write_video

_MOMENTS = 12


def write_report(
    bag: Path,
    page: Path,
    *,
    make_video: bool,
    video: Path | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Path | None:
    """Write the page, and beside it the video of the same name.

    Args:
        bag: The episode's bag.
        page: HTML file to write; its folder is made.
        make_video: Whether to make a video, for the page and beside it.
        video: An existing video (MP4) for the page; then none is made.
        on_step: Called with the name of each step as it begins.
        on_progress: Called with the share of the video that is written, 0 to 1.

    Returns:
        Path of the video; None: there is none.

    Raises:
        Pi05Error: The bag cannot be read, or a file cannot be written.
    """
    page.parent.mkdir(parents=True, exist_ok=True)
    with BagReader(bag) as reader:
        contents = collect(reader, on_step)
        if make_video and video is None and contents.episode.cameras:
            on_step("making the video")
            video = page.with_suffix(".mp4")
            write_video(contents, video, on_progress)
        on_step("writing")
        page.write_text(render(contents, moments(contents, _MOMENTS), video), encoding="utf-8")
    return video
