"""Rotation of a camera that is not mounted upright, for pictures and for points in them.

A driver publishes its picture as the sensor has it. It is turned once, right after decoding, so
that the model, the samples, boxes and every drawing know upright pictures only. Degrees are
clockwise, the turn that makes the driver's picture upright: 0, 90, 180 or 270.
"""

from __future__ import annotations

import numpy as np


def upright(picture: np.ndarray, degrees: int) -> np.ndarray:
    """Turn a driver's picture upright.

    Args:
        picture: (H, W, 3) uint8.
        degrees: Clockwise, 0, 90, 180 or 270.

    Returns:
        (H, W, 3), for 90 and 270 (W, H, 3) uint8; at 0 the picture itself.
    """
    if not degrees:
        return picture
    return np.ascontiguousarray(np.rot90(picture, -degrees // 90))


def upright_size(width: int, height: int, degrees: int) -> tuple[int, int]:
    """Width and height of the upright picture of a driver's picture."""
    return (height, width) if degrees % 180 else (width, height)


def to_upright(fractions: np.ndarray, degrees: int) -> np.ndarray:
    """Convert points of a driver's picture to points of the upright one.

    Args:
        fractions: (..., 2) fractions of width and height, x right, y down.
        degrees: As in `upright`.

    Returns:
        (..., 2) fractions of the upright picture.
    """
    x, y = fractions[..., 0], fractions[..., 1]
    turned = {0: (x, y), 90: (1 - y, x), 180: (1 - x, 1 - y), 270: (y, 1 - x)}[degrees]
    return np.stack(turned, axis=-1)


def to_driver(fractions: np.ndarray, degrees: int) -> np.ndarray:
    """Convert points of an upright picture to points of the driver's, see `to_upright`."""
    return to_upright(fractions, (360 - degrees) % 360)
