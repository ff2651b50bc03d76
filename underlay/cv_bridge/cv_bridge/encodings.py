"""What the encoding of a sensor_msgs/Image says about its pixels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

import numpy as np


class CvBridgeError(TypeError):
    """A picture cannot be converted."""


class Colour(Enum):
    """How the channels of a pixel are to be seen."""

    GRAY = "mono"
    RGB = "rgb"
    BGR = "bgr"
    RGBA = "rgba"
    BGRA = "bgra"
    UYVY = "yuv422"
    YUYV = "yuv422_yuy2"
    BAYER_RGGB = "bayer_rggb"
    BAYER_BGGR = "bayer_bggr"
    BAYER_GBRG = "bayer_gbrg"
    BAYER_GRBG = "bayer_grbg"


@dataclass(frozen=True)
class Encoding:
    """The meaning of an encoding's name.

    Args:
        name: As it stands in the message.
        dtype: Type of one channel, in this machine's byte order.
        channels: Channels of a pixel.
        colour: How to see them; None for plain numbers ("32FC1").
    """

    name: str
    dtype: np.dtype
    channels: int
    colour: Colour | None


_DEPTHS = {
    "8U": np.uint8,
    "8S": np.int8,
    "16U": np.uint16,
    "16S": np.int16,
    "32S": np.int32,
    "32F": np.float32,
    "64F": np.float64,
}
_CHANNELS = {Colour.RGB: 3, Colour.BGR: 3, Colour.RGBA: 4, Colour.BGRA: 4}
_PLAIN = re.compile(r"(8U|8S|16U|16S|32S|32F|64F)(?:C([0-9]+))?")
_LARGEST_CHANNELS = 512  # OpenCV's CV_CN_MAX.


def _coloured() -> dict[str, Encoding]:
    table = {}
    for colour in Colour:
        if colour in (Colour.UYVY, Colour.YUYV):
            table[colour.value] = Encoding(colour.value, np.dtype(np.uint8), 2, colour)
            continue
        for bits, dtype in ((8, np.uint8), (16, np.uint16)):
            name = f"{colour.value}{bits}"
            table[name] = Encoding(name, np.dtype(dtype), _CHANNELS.get(colour, 1), colour)
    return table


_COLOURED = _coloured()


def encoding_of(name: str) -> Encoding:
    """Reads an encoding's name.

    Raises:
        CvBridgeError: There is no such encoding.
    """
    if name in _COLOURED:
        return _COLOURED[name]
    plain = _PLAIN.fullmatch(name)
    channels = int(plain[2] or 1) if plain else 0
    if plain is None or not 1 <= channels <= _LARGEST_CHANNELS:
        raise CvBridgeError(f"Unrecognized image encoding [{name}]")
    return Encoding(name, np.dtype(_DEPTHS[plain[1]]), channels, None)


def plain_name(dtype: np.dtype, channels: int) -> str:
    """The plain encoding of an array, "8UC3".

    Raises:
        CvBridgeError: OpenCV has no such type.
    """
    for prefix, known in _DEPTHS.items():
        if np.dtype(known) == dtype.newbyteorder("="):
            return f"{prefix}C{channels}"
    raise CvBridgeError(f"No image encoding holds {dtype}")
