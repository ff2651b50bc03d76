"""Letterboxing of a camera's picture into the model's square, and the inverse for coordinates.

The picture is scaled by one factor and centred; the rest is black. The public weights were trained
on pictures prepared like this (openpi, `image_tools.resize_with_pad`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Letterbox:
    """Position of a picture of `source` size in a canvas of `target` size, in whole pixels.

    Attributes:
        source_width: Width of the picture.
        source_height: Height of the picture.
        target_width: Width of the canvas.
        target_height: Height of the canvas.
        x: First column of the canvas that the scaled picture covers.
        y: First row of the canvas that the scaled picture covers.
        width: Width of the scaled picture.
        height: Height of the scaled picture.
    """

    source_width: int
    source_height: int
    target_width: int
    target_height: int
    x: int
    y: int
    width: int
    height: int

    @classmethod
    def fit(cls, source_width: int, source_height: int, width: int, height: int) -> Letterbox:
        """Fit a picture of `source_width` × `source_height` pixels into `width` × `height`.

        Raises:
            ValueError: A size is below 1.
        """
        if min(source_width, source_height, width, height) < 1:
            raise ValueError(
                f"cannot fit {source_width}x{source_height} into {width}x{height} pixels"
            )
        scale = min(width / source_width, height / source_height)
        inner_width = min(width, max(1, round(source_width * scale)))
        inner_height = min(height, max(1, round(source_height * scale)))
        return cls(
            source_width,
            source_height,
            width,
            height,
            (width - inner_width) // 2,
            (height - inner_height) // 2,
            inner_width,
            inner_height,
        )

    def apply(self, picture: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Scale a picture and copy it into a black canvas.

        Shrinking uses area interpolation, enlarging is bilinear.

        Args:
            picture: (source_height, source_width, 3) uint8.
            out: (target_height, target_width, 3) uint8 to write into; None: a new array.

        Returns:
            `out`, (target_height, target_width, 3) uint8.

        Raises:
            ValueError: The picture has another size.
        """
        if picture.shape != (self.source_height, self.source_width, 3):
            raise ValueError(
                f"wanted a picture of shape {(self.source_height, self.source_width, 3)}, "
                f"found {picture.shape}"
            )
        if out is None:
            out = np.empty((self.target_height, self.target_width, 3), dtype=np.uint8)
        out[:] = 0
        inner = out[self.y : self.y + self.height, self.x : self.x + self.width]
        if (self.width, self.height) == (self.source_width, self.source_height):
            inner[:] = picture
        else:
            import cv2  # Imported here: most nodes only use the coordinates.

            shrinks = self.width < self.source_width
            method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            inner[:] = cv2.resize(picture, (self.width, self.height), interpolation=method)
        return out

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Convert fractions of the picture to fractions of the canvas (x right, y down)."""
        return (
            (self.x + x * self.width) / self.target_width,
            (self.y + y * self.height) / self.target_height,
        )

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """Convert fractions of the canvas to fractions of the picture, clipped to 0..1."""
        return (
            min(1.0, max(0.0, (x * self.target_width - self.x) / self.width)),
            min(1.0, max(0.0, (y * self.target_height - self.y) / self.height)),
        )
