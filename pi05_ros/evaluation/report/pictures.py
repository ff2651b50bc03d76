"""Pictures of the report: moments along the timeline, and the run as a video."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pi05_ros.evaluation.report.contents import Contents
from pi05_ros.evaluation.report.frame import Caption, compose
from pi05_ros.evaluation.report.video import FRAMES_PER_SECOND, Frame, VideoWriter

_QUALITY = 80  # Of JPEG.
_SCALE = 0.75  # Size of a picture in the strip of moments.


@dataclass(frozen=True)
class Moment:
    """All cameras at one time."""

    seconds: float
    text: str  # The subtask.
    jpeg: str  # base64.


def moments(contents: Contents, most: int) -> list[Moment]:
    """Pictures of the middle of each subtask, at most `most`, spread over the run."""
    spans = contents.subtasks
    times = [((s.start + s.end) / 2, s.text) for s in spans] or [(contents.seconds / 2, "")]
    chosen = np.unique(np.linspace(0, len(times) - 1, min(most, len(times))).round().astype(int))
    found = []
    for index in chosen:
        seconds, text = times[index]
        picture = _composed(contents, seconds)
        small = cv2.resize(picture, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_AREA)
        found.append(Moment(seconds, text, _jpeg(small)))
    return found


def write_video(contents: Contents, path: Path, on_progress: Callable[[float], None]) -> None:
    """Write the run as MP4, ten frames a second.

    Args:
        contents: Contents of the report.
        path: File to write.
        on_progress: Called with the share that is done, 0 to 1.

    Raises:
        Pi05Error: The file cannot be written.
    """
    cameras = contents.episode.cameras
    streams = {camera: _PictureStream(contents, camera) for camera in cameras}
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        writer = VideoWriter(Path(folder), cameras, _cell(contents))
        count = max(1, int(contents.seconds * FRAMES_PER_SECOND))
        try:
            for k in range(count):
                seconds = k / FRAMES_PER_SECOND
                row = _row(contents, seconds)
                images = {
                    c: p for c, stream in streams.items() if (p := stream.at(row)) is not None
                }
                writer.add_blocking(Frame(seconds, images, _caption(contents, seconds)))
                on_progress((k + 1) / count)
        finally:
            writer.finish()
        writer.wait(600.0)
        (Path(folder) / "video.mp4").replace(path)


class _PictureStream:
    """Pictures of a camera in the order of time, read in one pass."""

    def __init__(self, contents: Contents, camera: str) -> None:
        episode = contents.episode
        self._of_row = episode.frame_of_row(camera)
        self._pictures = episode.pictures(camera, 0, len(episode.frame_times_ns(camera)))
        self._index = -1
        self._picture: np.ndarray | None = None

    def at(self, row: int) -> np.ndarray | None:
        """The newest picture at a row; rows must not decrease. None: there is none yet."""
        while self._index < self._of_row[row]:
            self._picture = next(self._pictures)
            self._index += 1
        return self._picture


def _composed(contents: Contents, seconds: float) -> np.ndarray:
    images, caption = _images(contents, seconds), _caption(contents, seconds)
    return compose(images, contents.episode.cameras, _cell(contents), caption)


def _cell(contents: Contents) -> tuple[int, int]:
    """Size of a cell, (height, width) [pixel]: that of the pictures of the first camera."""
    episode = contents.episode
    for camera in episode.cameras:
        if len(episode.frame_times_ns(camera)):
            height, width = episode.picture(camera, 0).shape[:2]
            scale = min(1.0, 320 / width)
            return round(height * scale), round(width * scale)
    return 240, 320


def _images(contents: Contents, seconds: float) -> dict[str, np.ndarray]:
    """Each camera's newest picture at a time."""
    episode = contents.episode
    row = _row(contents, seconds)
    found = {}
    for camera in episode.cameras:
        index = int(episode.frame_of_row(camera)[row])
        if index >= 0:
            found[camera] = episode.picture(camera, index)
    return found


def _row(contents: Contents, seconds: float) -> int:
    """The row at a time [s from the first row]."""
    times = contents.episode.times_ns
    return min(int(np.searchsorted(times, times[0] + round(seconds * 1e9))), len(times) - 1)


def _caption(contents: Contents, seconds: float) -> Caption:
    span = next((s for s in contents.subtasks if s.start <= seconds <= s.end), None)
    score = ""
    if contents.points is not None:
        known = contents.scores[contents.score_times <= seconds]
        score = f"{known[-1] if len(known) else 0:g}/{contents.most_points:g} points"
    text = span.text if span else ""
    if span and span.kind == "human":
        text += "  (from an operator)"
    return Caption(contents.episode.facts.task, text, score, f"{seconds:.1f} s")


def _jpeg(picture: np.ndarray) -> str:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return base64.b64encode(data.tobytes()).decode("ascii")
