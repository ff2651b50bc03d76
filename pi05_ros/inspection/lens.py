"""Pinhole model of a camera with distortion: rays through points of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pi05_ros.platforms.platform import Camera

# Distortion models of sensor_msgs/CameraInfo that OpenCV's plain model covers.
_PLAIN = ("plumb_bob", "rational_polynomial")


@dataclass(frozen=True, eq=False)
class Lens:
    """Intrinsics of a camera. The centre of the first pixel is (0, 0), as in OpenCV."""

    width: int  # Of the picture [pixel].
    height: int
    fx: float  # Focal lengths [pixel].
    fy: float
    cx: float  # Principal point [pixel].
    cy: float
    distortion: tuple[float, ...] = ()  # Coefficients in OpenCV's order; empty: none.

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.fx, self.fy) <= 0:
            raise ValueError("a lens has a size and focal lengths above 0")

    def rays(self, fractions: np.ndarray) -> np.ndarray:
        """Compute rays through points of the picture.

        Args:
            fractions: (N, 2) fractions of the picture's width and height, x right, y down.

        Returns:
            (N, 3) in the optical frame (x right, y down, z forward), with z = 1.
        """
        pixels = np.asarray(fractions, dtype=np.float64) * (self.width, self.height) - 0.5
        if any(self.distortion):
            matrix = np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])
            flat = cv2.undistortPoints(pixels[:, None], matrix, np.array(self.distortion))[:, 0]
        else:
            flat = (pixels - (self.cx, self.cy)) / (self.fx, self.fy)
        return np.column_stack([flat, np.ones(len(flat))])


def lens_of(camera: Camera) -> Lens:
    """Return the lens of a platform's camera: square pixels, its vertical field of view."""
    return Lens(camera.width, camera.height, *camera.intrinsics)


def lens_from_info(
    width: int, height: int, k: Sequence[float], model: str, d: Sequence[float]
) -> Lens | None:
    """Return the lens of a sensor_msgs/CameraInfo; None if it is not calibrated (K is 0).

    Args:
        width: Of the picture [pixel].
        height: Of the picture [pixel].
        k: The camera matrix, row-major, 9 values.
        model: Distortion model. Models other than plumb_bob and rational_polynomial are ignored:
            rays of a fisheye lens are then correct near the centre only.
        d: Distortion coefficients.
    """
    if len(k) != 9 or not np.isfinite(k).all() or min(k[0], k[4], width, height) <= 0:
        return None
    usable = model in _PLAIN and bool(np.isfinite(d).all())
    return Lens(width, height, k[0], k[4], k[2], k[5], tuple(d) if usable else ())
