"""Decoding of video frames by time, and of pictures in table cells."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from pi05_ros.data.lerobot.dataset import DatasetError

# A frame at most this far ahead is reached by decoding on instead of seeking.
_AHEAD = 12
_OPEN_VIDEOS = 16  # Videos that one thread keeps open for single pictures.
_of_thread = threading.local()


class VideoCursor:
    """An open video with a current position, for one thread.

    Args:
        path: The file.
        fps: Frames per second; a frame matches a time that is less than half a period away.

    Raises:
        DatasetError: The file is missing or no video.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps
        try:
            self._container: Any = av.open(str(path))
            self._stream: Any = self._container.streams.video[0]
        except (av.FFmpegError, OSError, IndexError) as error:
            raise DatasetError(path, f"is no video that can be read ({error})") from error
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._last: av.VideoFrame | None = None

    def at(self, seconds: float) -> np.ndarray:
        """Decode the frame at a time of the file [s], (h, w, 3) uint8 rgb.

        Raises:
            DatasetError: There is no frame at that time, or it is damaged.
        """
        half = 0.5 / self._fps
        last = self._last
        try:
            if last is None or not -half <= seconds - _time(last) < _AHEAD / self._fps:
                start = round((seconds - half) / self._stream.time_base)
                self._container.seek(max(0, start), backward=True, stream=self._stream)
                self._frames = self._container.decode(self._stream)
                last = next(self._frames, None)
            while last is not None and _time(last) < seconds - half:
                last = next(self._frames, None)
        except (av.FFmpegError, OSError) as error:
            self._last = None
            raise DatasetError(
                self._path, f"cannot be decoded at {seconds:.3f} s ({error})"
            ) from error
        self._last = last
        if last is None or _time(last) >= seconds + half:
            raise DatasetError(self._path, f"has no frame at {seconds:.3f} s: it is cut or sparse")
        return last.to_ndarray(format="rgb24")

    def close(self) -> None:
        """Close the file."""
        self._frames, self._last = iter(()), None
        self._container.close()


def frames(path: Path, times: Sequence[float], fps: float) -> Iterator[np.ndarray]:
    """Yield the frames at rising times of a video [s]."""
    if not len(times):
        return
    cursor = VideoCursor(path, fps)
    try:
        for time in times:
            yield cursor.at(time)
    finally:
        cursor.close()


def frame(path: Path, time: float, fps: float) -> np.ndarray:
    """Decode one frame; the file stays open for the next call of this thread."""
    cursors: OrderedDict[tuple[int, Path], VideoCursor] | None
    cursors = getattr(_of_thread, "cursors", None)
    if cursors is None:
        cursors = _of_thread.cursors = OrderedDict()
    # A forked worker of a data loader must not share its parent's place in a file.
    key = (os.getpid(), path)
    cursor = cursors.pop(key, None) or VideoCursor(path, fps)
    cursors[key] = cursor
    if len(cursors) > _OPEN_VIDEOS:
        cursors.popitem(last=False)[1].close()
    return cursor.at(time)


def picture_from(cell: Any, root: Path, where: str) -> np.ndarray:
    """Decode the picture in a cell of an image column, (h, w, 3) uint8 rgb.

    Args:
        cell: Encoded bytes, or a mapping with `bytes`, or with the `path` of a file.
        root: Folder of relative paths.
        where: Description of the cell, for the error.

    Raises:
        DatasetError: The cell holds no picture.
    """
    data = cell
    if isinstance(cell, dict):
        data = cell.get("bytes")
        if data is None and cell.get("path"):
            try:
                data = (root / cell["path"]).read_bytes()
            except OSError as error:
                raise DatasetError(where, f"its picture is missing ({error})") from error
    if not isinstance(data, bytes):
        raise DatasetError(where, "holds no picture")
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        raise DatasetError(where, f"holds {len(data)} bytes that are no picture")
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)


def _time(frame: av.VideoFrame) -> float:
    if frame.pts is None or frame.time_base is None:
        raise OSError("a frame has no time")
    return float(frame.pts * frame.time_base)
