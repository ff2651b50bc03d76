"""What a picture's bytes and brightness give away about its camera, cheaply."""

from __future__ import annotations

import array
import zlib
from typing import Literal

import numpy as np

Look = Literal["", "black", "saturated", "covered"]

# Pictures above this are sampled: 64 blocks, evenly spread. A live sensor's noise is everywhere.
_WHOLE = 1 << 20  # [byte]
_BLOCKS, _BLOCK = 64, 1 << 14  # [1], [byte]

_STEP = 8  # Every eighth row and column is looked at.
_DARK, _BRIGHT = 12, 250  # Of 0 to 255.
_SHARE = 0.98  # Of the pixels looked at.
_FLAT = 5.0  # Standard deviation of brightness below which nothing can be seen, of 0 to 255.


def fingerprint(data: bytes | array.array) -> int:
    """A number that differs, in practice always, when the bytes of two pictures differ.

    0.3 ms for 640x480 rgb8 on one core of this project's CI, and no more for a 4K picture.

    Args:
        data: Bytes, or an array of them as messages hold it.
    """
    view = memoryview(data)
    if len(view) <= _WHOLE:
        return zlib.crc32(view)
    value = 0
    stride = (len(view) - _BLOCK) // (_BLOCKS - 1)
    for start in range(0, _BLOCKS * stride, stride):
        value = zlib.crc32(view[start : start + _BLOCK], value)
    return value


def look_of(picture: np.ndarray) -> Look:
    """Why nothing can be seen in a picture, "" when something can.

    A lens that is covered, or that touches a surface, gives a picture without contrast.

    Args:
        picture: (H, W, 3) uint8 rgb.
    """
    brightness = picture[::_STEP, ::_STEP].mean(axis=2)
    if (brightness <= _DARK).mean() >= _SHARE:
        return "black"
    if (brightness >= _BRIGHT).mean() >= _SHARE:
        return "saturated"
    return "covered" if brightness.std() < _FLAT else ""
