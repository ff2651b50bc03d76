"""Cheap checks of a single picture: fingerprint of its bytes, and blindness."""

from __future__ import annotations

import array
import zlib
from typing import Literal

import numpy as np

Blindness = Literal["", "black", "saturated", "covered"]

# Larger pictures are sampled in 64 evenly spread blocks; sensor noise changes every block.
_WHOLE = 1 << 20  # [byte]
_BLOCKS, _BLOCK = 64, 1 << 14  # [1], [byte]

_STEP = 8  # Every eighth row and column is checked.
_DARK, _BRIGHT = 12, 250  # Of 0 to 255.
_SHARE = 0.98  # Of the checked pixels.
_FLAT = 5.0  # Standard deviation of brightness below which nothing can be seen, of 0 to 255.


def fingerprint(data: bytes | array.array) -> int:
    """CRC-32 of a picture's bytes; equal pictures have equal fingerprints.

    Takes 0.3 ms for 640x480 rgb8 on one core of this project's CI, and no more for a 4K picture.

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


def blindness_of(picture: np.ndarray) -> Blindness:
    """Reason why nothing can be seen in a picture; "" if something can.

    A covered lens, or one that touches a surface, gives a picture without contrast ("covered").

    Args:
        picture: (H, W, 3) uint8 rgb.
    """
    brightness = picture[::_STEP, ::_STEP].mean(axis=2)
    if (brightness <= _DARK).mean() >= _SHARE:
        return "black"
    if (brightness >= _BRIGHT).mean() >= _SHARE:
        return "saturated"
    return "covered" if brightness.std() < _FLAT else ""
