"""Decoding of video frames by time, and of pictures in table cells."""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from pi05_ros.data.lerobot.dataset import DatasetError, VideoPlace
from pi05_ros.data.lerobot.features import is_deep_grey

# Times that differ by no more are the same [s]: LeRobot's tolerance for a row and its frame.
SAME_S = 1e-4
# A frame at most this many rows ahead is reached by decoding on instead of seeking.
_AHEAD = 12
_OPEN_VIDEOS = 16  # Videos that one thread keeps open for single pictures.
_of_thread = threading.local()
_MARK_IT = (
    "depth, not colour; mark the feature in meta/info.json with is_depth_map true, and it is "
    "left out"
)
_PNG = b"\x89PNG\r\n\x1a\n"


class VideoCursor:
    """An open video with a current position, for one thread.

    Args:
        path: The file.
        fps: Rows per second; the frame of a row is at most half a period away.

    Raises:
        DatasetError: The file is missing, no video, or holds depth.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps
        try:
            self._container: Any = av.open(str(path))
            self._stream: Any = self._container.streams.video[0]
        except (av.FFmpegError, OSError, IndexError) as error:
            raise DatasetError(path, f"is no video that can be read ({error})") from error
        pixels = str(self._stream.codec_context.pix_fmt)
        if is_deep_grey(pixels):
            self._container.close()
            raise DatasetError(path, f"holds {pixels} pixels: {_MARK_IT}")
        self._frames: Iterator[av.VideoFrame] = iter(())
        # Two neighbours in the order of time. The times asked for lie between them.
        self._before: av.VideoFrame | None = None
        self._last: av.VideoFrame | None = None

    def at(self, seconds: float, begin: float = 0.0, end: float = math.inf) -> np.ndarray:
        """Decode the frame nearest to a time of the file.

        Of two that are equally near, it is the one with the even number, as LeRobot's
        `round(seconds * fps)` gives.

        Args:
            seconds: The time [s].
            begin: Time of the first frame that may be taken [s].
            end: Time from which on frames may not be taken [s].

        Returns:
            (h, w, 3) uint8 rgb.

        Raises:
            DatasetError: No frame is within half a row's period of that time, or it is damaged.
        """
        reach = 0.5 / self._fps + SAME_S
        try:
            self._move_to(seconds, reach)
            near = [
                frame
                for frame in (self._before, self._last)
                if frame is not None and begin - SAME_S <= _time(frame) < end - SAME_S
            ]
        except (av.FFmpegError, OSError) as error:
            self._before = self._last = None
            raise DatasetError(
                self._path, f"cannot be decoded at {seconds:.3f} s ({error})"
            ) from error
        found = self._nearest(near, seconds)
        if found is None or abs(_time(found) - seconds) > reach:
            away = f"the nearest is at {_time(found):.3f} s" if found is not None else "none near"
            raise DatasetError(
                self._path,
                f"has no frame at {seconds:.3f} s: it is cut or sparse ({away}, wanted one within "
                f"{reach:.4f} s, half a row's period); get the file again, or encode it with a "
                "frame for each row",
            )
        return found.to_ndarray(format="rgb24")

    def close(self) -> None:
        """Close the file."""
        self._frames, self._before, self._last = iter(()), None, None
        self._container.close()

    def _move_to(self, seconds: float, reach: float) -> None:
        """Decode until `_before` and `_last` enclose a time; None: the file begins or ends."""
        first, last = self._before or self._last, self._last
        if (
            first is None
            or last is None
            or not (_time(first) - SAME_S <= seconds <= _time(last) + _AHEAD / self._fps)
        ):
            start = max(0, math.floor((seconds - reach) / self._stream.time_base))
            self._seek(start)
            if start and (self._last is None or _time(self._last) > seconds - reach):
                self._seek(0)  # The index named a later key frame.
        while self._last is not None and _time(self._last) < seconds - SAME_S:
            self._before, self._last = self._last, next(self._frames, None)

    def _seek(self, start: int) -> None:
        self._container.seek(start, backward=True, stream=self._stream)
        self._frames = self._container.decode(self._stream)
        self._before, self._last = None, next(self._frames, None)

    def _nearest(self, near: Sequence[av.VideoFrame], seconds: float) -> av.VideoFrame | None:
        """The nearest of at most two frames in the order of time; None: there is none."""
        if len(near) < 2:
            return near[0] if near else None
        before, after = (abs(_time(frame) - seconds) for frame in near)
        if abs(before - after) > SAME_S:
            return near[0] if before < after else near[1]
        number = round(_time(near[0]) * float(self._stream.average_rate or self._fps))
        return near[number % 2]


def frames(place: VideoPlace, times: Sequence[float], fps: float) -> Iterator[np.ndarray]:
    """Yield the frames nearest to rising times of an episode [s]."""
    if not len(times):
        return
    cursor = VideoCursor(place.path, fps)
    try:
        for time in times:
            yield cursor.at(place.from_s + time, place.from_s, place.to_s)
    finally:
        cursor.close()


def frame(place: VideoPlace, time: float, fps: float) -> np.ndarray:
    """Decode the frame nearest to a time; the file stays open for the thread's next call."""
    cursors: OrderedDict[tuple[int, Path], VideoCursor] | None
    cursors = getattr(_of_thread, "cursors", None)
    if cursors is None:
        cursors = _of_thread.cursors = OrderedDict()
    # A forked worker of a data loader must not share its parent's place in a file.
    key = (os.getpid(), place.path)
    cursor = cursors.pop(key, None) or VideoCursor(place.path, fps)
    cursors[key] = cursor
    if len(cursors) > _OPEN_VIDEOS:
        cursors.popitem(last=False)[1].close()
    return cursor.at(place.from_s + time, place.from_s, place.to_s)


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
    if _is_depth(data):
        raise DatasetError(where, f"holds one channel of more than 8 bits: {_MARK_IT}")
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        raise DatasetError(where, f"holds {len(data)} bytes that are no picture")
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)


def _is_depth(data: bytes) -> bool:
    """Check whether an encoded picture is grey with more than 8 bits."""
    if data.startswith(b"\xff\xd8"):  # JPEG: 8 bits.
        return False
    if data.startswith(_PNG):  # Its first chunk: width, height, bits, colour type (0, 4: grey).
        return len(data) > 25 and data[24] > 8 and data[25] in (0, 4)
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return found is not None and found.ndim == 2 and found.dtype != np.uint8


def _time(frame: av.VideoFrame) -> float:
    if frame.pts is None or frame.time_base is None:
        raise OSError("a frame has no time")
    return float(frame.pts * frame.time_base)
