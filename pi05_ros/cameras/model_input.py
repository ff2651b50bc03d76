"""Conversion of a camera picture to the model's size, as in the live path."""

from __future__ import annotations

import numpy as np

from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.cameras.rotation import upright

MODEL_SIDE = 224  # Side of the model's square input [pixel].


def fit_driver_picture(picture: np.ndarray, rotate: int, canvas: np.ndarray) -> Letterbox:
    """Turn a driver's picture upright and fit it into a canvas of the model's size.

    Args:
        picture: (h, w, 3) uint8 rgb, as the driver has it.
        rotate: Camera.rotate [deg].
        canvas: (height, width, 3) uint8, written.

    Returns:
        Where the picture lies in the canvas.
    """
    turned = upright(picture, rotate)
    height, width, _ = canvas.shape
    box = Letterbox.fit(turned.shape[1], turned.shape[0], width, height)
    box.apply(turned, canvas)
    return box


def model_input(
    picture: np.ndarray, out: np.ndarray | None = None, side: int = MODEL_SIDE
) -> np.ndarray:
    """Letterbox a picture into the model's square: aspect kept, the rest black.

    Args:
        picture: (h, w, 3) uint8 rgb.
        out: (side, side, 3) uint8 to write into; None: a new array.
        side: Side of the square [pixel].

    Returns:
        `out`, (side, side, 3) uint8 rgb.
    """
    return Letterbox.fit(picture.shape[1], picture.shape[0], side, side).apply(picture, out)
