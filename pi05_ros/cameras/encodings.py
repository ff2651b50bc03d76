"""Pixel formats of the colour and grey encodings of sensor_msgs/Image.

The names are those of sensor_msgs/image_encodings.hpp. Encodings of plain numbers ("32FC1",
"16UC1", "8UC3") are not supported, as in the live path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Encoding:
    """Pixel format of a picture."""

    dtype: np.dtype  # Of one channel, in this machine's byte order.
    channels: int  # Of a pixel.
    to_rgb: int | None  # Conversion code of OpenCV; None: it is rgb already.

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return self.dtype.itemsize * self.channels


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


def _table() -> dict[str, Encoding]:
    table = {
        f"{colour}{bits}": Encoding(np.dtype(dtype), channels, code)
        for colour, (channels, code) in _COLOURS.items()
        for bits, dtype in ((8, np.uint8), (16, np.uint16))
    }
    for name, code in (
        ("yuv422", cv2.COLOR_YUV2RGB_UYVY),
        ("yuv422_yuy2", cv2.COLOR_YUV2RGB_YUY2),
    ):
        table[name] = Encoding(np.dtype(np.uint8), 2, code)
    return table


ENCODINGS: Mapping[str, Encoding] = _table()
