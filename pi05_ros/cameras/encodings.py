"""Pixel formats of the colour and grey encodings of sensor_msgs/Image.

The names are those of sensor_msgs/image_encodings.hpp. Encodings of plain numbers ("32FC1",
"16UC1", "8UC3") are refused: they do not say what the numbers mean.

`yuyv` and `uyvy` are the present names of what `yuv422_yuy2` and `yuv422` were before; letter case
is ignored, since drivers take names from V4L2 ("YUYV", "NV12"). Both paths, live and recorded,
find an encoding here, so that they accept the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from pi05_ros.errors import Pi05Error, did_you_mean

_NUMBERS = re.compile(r"(8|16|32|64)[USF](C[0-9]+)?")  # OpenCV's types.
Layout = Literal["packed", "nv", "planar"]


class PictureError(Pi05Error):
    """A picture message that is inconsistent, truncated, damaged, or of an unknown kind."""


@dataclass(frozen=True)
class Encoding:
    """Pixel format of a picture."""

    name: str  # The name that cv_bridge knows, where it knows the format.
    dtype: np.dtype  # Of one channel, in this machine's byte order.
    channels: int  # Of a pixel; of planes: 1, that of the first one.
    to_rgb: int | None  # Conversion code of OpenCV; None: it is rgb already.
    # packed: one array of pixels. nv: a plane of Y, then one of U and V in turns. planar: Y, U, V.
    layout: Layout = "packed"
    # Pixels for each U and V: across, down.
    chroma_step: tuple[int, int] = (1, 1)

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel, in the first plane."""
        return self.dtype.itemsize * self.channels

    def data_bytes(self, step: int, height: int) -> int:
        """Bytes of a picture whose first plane has `height` rows of `step` bytes."""
        if self.layout == "packed":
            return step * height
        across, down = self.chroma_step
        return step * height + 2 * (step // across) * (height // down)


_COLOURS = {
    "mono": (1, cv2.COLOR_GRAY2RGB),
    "rgb": (3, None),
    "bgr": (3, cv2.COLOR_BGR2RGB),
    "rgba": (4, cv2.COLOR_RGBA2RGB),
    "bgra": (4, cv2.COLOR_BGRA2RGB),
    # ROS names the first four pixels, OpenCV the second row's second and third.
    "bayer_rggb": (1, cv2.COLOR_BayerBG2RGB),
    "bayer_bggr": (1, cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg": (1, cv2.COLOR_BayerGR2RGB),
    "bayer_grbg": (1, cv2.COLOR_BayerGB2RGB),
}
_PLANES: dict[str, tuple[int, Layout, tuple[int, int]]] = {
    "nv12": (cv2.COLOR_YUV2RGB_NV12, "nv", (2, 2)),
    "nv21": (cv2.COLOR_YUV2RGB_NV21, "nv", (2, 2)),
    # OpenCV converts 4:2:0 only. At twice the height, or twice both sides, the same chroma is
    # that of a 4:2:0 picture: see decoding.
    "nv16": (cv2.COLOR_YUV2RGB_NV12, "nv", (2, 1)),
    "nv61": (cv2.COLOR_YUV2RGB_NV21, "nv", (2, 1)),
    "nv24": (cv2.COLOR_YUV2RGB_NV12, "nv", (1, 1)),
    "nv42": (cv2.COLOR_YUV2RGB_NV21, "nv", (1, 1)),
    "i420": (cv2.COLOR_YUV2RGB_I420, "planar", (2, 2)),
    "yv12": (cv2.COLOR_YUV2RGB_YV12, "planar", (2, 2)),
}
_ALIASES = {
    "yuyv": "yuv422_yuy2",
    "yuy2": "yuv422_yuy2",
    "uyvy": "yuv422",
    "yuv420": "i420",
    "yu12": "i420",
}


def _table() -> dict[str, Encoding]:
    table = {}
    for colour, (channels, code) in _COLOURS.items():
        for bits, dtype in ((8, np.uint8), (16, np.uint16)):
            name = f"{colour}{bits}"
            table[name] = Encoding(name, np.dtype(dtype), channels, code)
    for name, code in (
        ("yuv422", cv2.COLOR_YUV2RGB_UYVY),
        ("yuv422_yuy2", cv2.COLOR_YUV2RGB_YUY2),
    ):
        table[name] = Encoding(name, np.dtype(np.uint8), 2, code)
    for name, (code, layout, step) in _PLANES.items():
        table[name] = Encoding(name, np.dtype(np.uint8), 1, code, layout, step)
    return {**table, **{alias: table[name] for alias, name in _ALIASES.items()}}


ENCODINGS: Mapping[str, Encoding] = _table()


def encoding_of(name: str) -> Encoding:
    """Find an encoding by its name in a message.

    Raises:
        PictureError: There is none of that name, or it does not say how to see the numbers.
    """
    known = ENCODINGS.get(name) or ENCODINGS.get(name.lower())
    if known is None:
        shown = name[:40]
        if _NUMBERS.fullmatch(name):
            raise PictureError(
                f"unknown encoding '{shown}': plain numbers, such as depth, are no picture; name "
                "the colour camera's topic in the platform, or set the driver to rgb8 or bgr8"
            )
        raise PictureError(
            f"unknown encoding '{shown}'{did_you_mean(shown, ENCODINGS)} "
            f"(valid: {', '.join(ENCODINGS)}); set one of these at the driver, such as rgb8"
        )
    return known


def check_raw(
    width: int, height: int, step: int, encoding: str, size: int, max_side: int = 16384
) -> Encoding:
    """Check the sizes of a sensor_msgs/Image, before anything is allocated.

    Args:
        width: Pixels of a row.
        height: Rows.
        step: Bytes of a row, padding included; of planes: of a row of the first one.
        encoding: As in the message.
        size: Bytes of its data.
        max_side: Pixels; larger values are taken for a broken message.

    Returns:
        Its encoding.

    Raises:
        PictureError: The sizes are inconsistent, or the encoding is unknown.
    """
    known = encoding_of(encoding)
    if not (1 <= width <= max_side and 1 <= height <= max_side):
        raise PictureError(f"the picture is {width}x{height} pixels")
    if step < width * known.pixel_bytes:
        raise PictureError(f"a row of {width} pixels ({encoding}) cannot fit into {step} bytes")
    across, down = known.chroma_step
    if width % across or height % down or step % across:
        raise PictureError(
            f"the picture ({encoding}) is {width}x{height} pixels with rows of {step} bytes: "
            f"width and step must be multiples of {across}, the height of {down}"
        )
    wanted = known.data_bytes(step, height)
    if size != wanted:
        planes = "" if known.layout == "packed" else f" and its chroma, {wanted} bytes"
        raise PictureError(f"wanted {height} rows of {step} bytes{planes}, found {size}")
    return known
