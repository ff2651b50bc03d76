"""Pictures of a camera into an mp4 of evenly spaced frames, one for each row."""

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

# A reader that wants one frame decodes from the key frame before it: at most so many.
KEY_FRAME_EVERY = 10
# Fast enough for four cameras on two cores: docs/benchmarks/export.md.
PRESET = "superfast"
DEFAULT_CRF = 20  # x264's scale: 0 loses nothing, 51 is the worst.
# Colours as BT.601 in the range 16 to 235, which all decoders take for this size when untagged.
_BT601, _LIMITED = 6, 1  # AVCOL_SPC_SMPTE170M, AVCOL_RANGE_MPEG


class StopFlag(Protocol):
    """As threading.Event and multiprocessing's: set once, asked often."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...

    def set(self) -> None:
        """Stops."""
        ...


class Cancelled(Exception):
    """Somebody else failed or was interrupted: the file is not finished."""


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
    """Writes one frame a row; a picture that stands for several rows is converted once.

    Args:
        episode: Gives the pictures.
        camera: Which one's, and their size.
        frames: (K,) int64, which picture each row shows, rising.
        fps: Frames per second.
        crf: Quality.
        path: The mp4; it must not exist.
        advance: Called now and then with the number of rows done since.
        cancelled: When it is set, encoding stops.

    Returns:
        Statistics of the pixels of the rows' pictures.

    Raises:
        DatasetError: A picture has another size than the first.
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
        # Cameras and episodes are what runs side by side. Without lookahead the same pictures
        # give the same bytes, so that an interrupted export ends like any other.
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
            f"camera {camera.name} gave pictures for {row} of {len(frames)} rows; read it anew",
        )
    return statistics
