"""Shapes drawn over a picture, as by a 3D viewer without hidden lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from pi05_ros.inspection.lettering import font
from pi05_ros.inspection.shapes import Shape, ShapeKind
from views.viewpoint import Viewpoint

_FINE = 2  # Shapes are drawn at this multiple of the size and shrunk, for smooth lines.

_CAPITAL = 0.72  # Height of a capital letter, which markers state, as a share of a font's size.

# T_odom_frame (4, 4) of a frame at a time [ns].
Frames = Callable[[str, int], np.ndarray]


def draw_shapes(
    picture: np.ndarray, shapes: Sequence[Shape], viewpoint: Viewpoint, frames: Frames, now_ns: int
) -> np.ndarray:
    """Draw shapes over a picture.

    Args:
        picture: (H, W, 3) uint8 rgb, seen from the viewpoint.
        shapes: What to draw.
        viewpoint: Of the picture.
        frames: Poses of frames.
        now_ns: Present time [ns], for shapes that follow their frame.

    Returns:
        (H, W, 3) uint8 rgb.
    """
    size = (picture.shape[1] * _FINE, picture.shape[0] * _FINE)
    image = Image.fromarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
    pen = ImageDraw.Draw(image, "RGBA")
    placed = [(shape, _in_odom(shape, frames, now_ns)) for shape in shapes]
    for shape, points in sorted(placed, key=lambda p: p[0].kind is ShapeKind.TEXT):
        pixels, depths = viewpoint.project(points)
        sizes = shape.size * viewpoint.focal / depths * _FINE
        _DRAW[shape.kind](pen, shape, (pixels + 0.5) * _FINE, sizes)
    smooth = cv2.resize(np.asarray(image), picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(smooth)


def _in_odom(shape: Shape, frames: Frames, now_ns: int) -> np.ndarray:
    pose = frames(shape.frame, now_ns if shape.follows else shape.stamp_ns)
    return shape.points @ pose[:3, :3].T + pose[:3, 3]


def _lines(pen: ImageDraw.ImageDraw, shape: Shape, pixels: np.ndarray, sizes: np.ndarray) -> None:
    step = 2 if shape.kind is ShapeKind.LINES else 1
    for k in range(0, len(pixels) - 1, step):
        ends = pixels[k : k + 2]
        if np.isfinite(ends).all() and np.abs(ends).max() < 1e5:
            width = max(2, round(float(sizes[k : k + 2].mean())))
            colour = (shape.colours[k] + shape.colours[k + 1]) / 2
            pen.line([tuple(end) for end in ends.tolist()], _rgba(colour), width)


def _balls(pen: ImageDraw.ImageDraw, shape: Shape, pixels: np.ndarray, sizes: np.ndarray) -> None:
    for (x, y), size, colour in zip(pixels.tolist(), sizes.tolist(), shape.colours, strict=True):
        if np.isfinite(size):
            r = max(2.0, size / 2)
            edge = (0, 0, 0, 200) if len(pixels) == 1 else None  # None for beads.
            pen.ellipse((x - r, y - r, x + r, y + r), _rgba(colour), outline=edge)


def _text(pen: ImageDraw.ImageDraw, shape: Shape, pixels: np.ndarray, sizes: np.ndarray) -> None:
    if np.isfinite(sizes[0]):
        face, (x, y) = font(max(8, round(float(sizes[0]) / _CAPITAL))), pixels[0].tolist()
        colour = _rgba(shape.colours[0])
        edge = (0, 0, 0, colour[3] * 3 // 4)
        pen.text((x, y), shape.text, colour, face, "mm", 4, "center", stroke_width=2,
                 stroke_fill=edge)  # fmt: skip


_DRAW = {
    ShapeKind.STRIP: _lines,
    ShapeKind.LINES: _lines,
    ShapeKind.BALLS: _balls,
    ShapeKind.TEXT: _text,
}


def _rgba(colour: np.ndarray) -> tuple[int, int, int, int]:
    r, g, b, a = (round(255 * float(value)) for value in colour)
    return r, g, b, a
