"""Encoding of a camera's pictures as an mp4 with one evenly spaced frame for each row."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.layout import CameraFormat
from pi05_ros.data.lerobot.statistics import PixelStatistics

# Reading one frame means decoding from the key frame before it, at most this many frames.
KEY_FRAME_EVERY = 10
# Fast enough for four cameras on two cores: docs/benchmarks/export.md.
PRESET = "superfast"
DEFAULT_CRF = 20  # Scale of x264: 0 is lossless, 51 the worst.
# Colours as BT.601 in the range 16 to 235, the default of decoders for untagged small videos.
_BT601, _LIMITED = 6, 1  # AVCOL_SPC_SMPTE170M, AVCOL_RANGE_MPEG


class StopFlag(Protocol):
    """The interface of threading.Event and multiprocessing's Event that is used here."""

    def is_set(self) -> bool:
        """Check whether to stop."""
        ...

    def set(self) -> None:
        """Request the stop."""
        ...


class Cancelled(Exception):
    """Encoding was stopped by its flag; the file is not finished."""


def encode(
    episode: Episode,
    camera: CameraFormat,
    frames: np.ndarray,
    fps: int,
    crf: int,
    path: Path,
    advance: Callable[[int], None] = lambda rows: None,
    cancelled: StopFlag | None = None,
) -> PixelStatistics:
    """Write one frame a row; a picture of several rows is converted once.

    Args:
        episode: The episode with the pictures.
        camera: The camera and the size of its pictures.
        frames: (K,) int64, index of each row's picture, rising.
        fps: Frames per second.
        crf: Quality, on the scale of x264.
        path: The mp4 file; it must not exist.
        advance: Called with the number of rows written since the last call.
        cancelled: Flag that stops the encoding.

    Returns:
        Statistics of the pixels of the rows' pictures.

    Raises:
        DatasetError: A picture has another size than the layout's.
        Cancelled: `cancelled` was set.
    """
    statistics = PixelStatistics()
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height = camera.width, camera.height
        stream.pix_fmt = camera.pixel_format
        context = stream.codec_context
        context.time_base = Fraction(1, fps)
        context.gop_size = KEY_FRAME_EVERY
        context.max_b_frames = 0
        context.colorspace, context.color_range = _BT601, _LIMITED
        # Cameras and episodes run in parallel, so one thread each. Without lookahead the same
        # pictures give the same bytes, so that a resumed export equals an uninterrupted one.
        options = "threads=1:rc-lookahead=0"
        stream.options = {"crf": str(crf), "preset": PRESET, "x264-params": options}
        shown, repeats = np.unique(frames, return_counts=True)
        first, last = (int(shown[0]), int(shown[-1]) + 1) if len(shown) else (0, 0)
        wanted = dict(zip(shown.tolist(), repeats.tolist(), strict=True))
        row = 0
        for index, picture in enumerate(episode.pictures(camera.name, first, last), first):
            if index not in wanted:
                continue
            if cancelled is not None and cancelled.is_set():
                raise Cancelled
            if picture.shape != (camera.height, camera.width, 3):
                raise DatasetError(
                    episode.source,
                    f"picture {index} of camera {camera.name} is {picture.shape[1]}x"
                    f"{picture.shape[0]}, the dataset's are {camera.width}x{camera.height}; "
                    f"a video has one size",
                )
            statistics.add(picture, wanted[index])
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(format=camera.pixel_format, dst_colorspace=_BT601)
            for _ in range(wanted[index]):
                frame.pts = row
                frame.time_base = context.time_base
                container.mux(stream.encode(frame))
                row += 1
            advance(wanted[index])
        container.mux(stream.encode(None))
    if row != len(frames):
        raise DatasetError(
            episode.source,
            f"camera {camera.name} gave pictures for {row} of {len(frames)} rows; read it again",
        )
    return statistics
