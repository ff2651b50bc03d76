"""Conversion of a camera picture to the model's size, as in the live path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class InputSizes:
    """Sizes of the pictures that a model reads.

    Every picture is fitted to height and width; those of some cameras are then reduced.
    """

    height: int = MODEL_SIDE  # [pixel]
    width: int = MODEL_SIDE
    reductions: Mapping[str, int] = field(default_factory=dict)  # By camera; others 1.

    def of(self, camera: str) -> tuple[int, int]:
        """Return the (height, width) of a camera's pictures [pixel]."""
        reduction = self.reductions.get(camera, 1)
        return self.height // reduction, self.width // reduction

    def fit(self, picture: np.ndarray, camera: str, out: np.ndarray | None = None) -> np.ndarray:
        """Fit a camera's picture (h, w, 3) uint8 rgb, upright, to its size; see `model_input`."""
        reduction = self.reductions.get(camera, 1)
        if reduction == 1:
            return model_input(picture, out, self.height, self.width)
        found = reduced(model_input(picture, None, self.height, self.width), reduction)
        if out is None:
            return found
        out[:] = found
        return out


def model_input(
    picture: np.ndarray,
    out: np.ndarray | None = None,
    height: int = MODEL_SIDE,
    width: int | None = None,
) -> np.ndarray:
    """Letterbox a picture into the model's size: aspect kept, the rest black.

    Args:
        picture: (h, w, 3) uint8 rgb.
        out: (height, width, 3) uint8 to write into; None: a new array.
        height: Of the model's pictures [pixel].
        width: The same; None: the height.

    Returns:
        `out`, (height, width, 3) uint8 rgb.
    """
    width = height if width is None else width
    return Letterbox.fit(picture.shape[1], picture.shape[0], width, height).apply(picture, out)


def reduced(picture: np.ndarray, reduction: int) -> np.ndarray:
    """Reduce a picture (H, W, 3) uint8 to (H / reduction, W / reduction, 3), by area."""
    import cv2

    if reduction == 1:
        return picture
    height, width = picture.shape[0] // reduction, picture.shape[1] // reduction
    found: np.ndarray = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return found
