"""A driver's picture at the model's size: the one rule of the live path."""

from __future__ import annotations

import numpy as np

from pi05_ros.cameras.letterbox import Letterbox

MODEL_SIDE = 224  # Pixels of the square that the model sees.


def model_input(
    picture: np.ndarray, out: np.ndarray | None = None, side: int = MODEL_SIDE
) -> np.ndarray:
    """Fits a picture into the model's square, its aspect kept, the rest black.

    Args:
        picture: (h, w, 3) uint8 rgb.
        out: (side, side, 3) uint8 to write into; None makes a new one.
        side: Of the square [pixel].

    Returns:
        `out`, (side, side, 3) uint8 rgb.
    """
    return Letterbox.fit(picture.shape[1], picture.shape[0], side, side).apply(picture, out)
