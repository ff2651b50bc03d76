"""One picture of the run: the cameras side by side, under what the robot is doing."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from pi05_ros.inspection.lettering import BACKGROUND, FAINT, TEXT, cut, font, label, paste

_BANNER = 60  # Height of the banner [pixel].
_ACCENT = (242, 150, 60)


@dataclass(frozen=True)
class Caption:
    """What is written into a picture."""

    task: str
    subtask: str  # Empty: none.
    score: str  # "3/8 points"
    time: str  # "12.3 s"


def compose(
    images: Mapping[str, np.ndarray],
    cameras: Sequence[str],
    cell: tuple[int, int],
    caption: Caption,
) -> np.ndarray:
    """Draws a picture.

    Args:
        images: Camera name -> (H, W, 3) uint8 rgb. A camera without one stays dark.
        cameras: Names in the order of the cells, row by row, two a row.
        cell: (height, width) of a camera's cell [pixel]; pictures are fitted into it.
        caption: What to write above.

    Returns:
        (height, width, 3) uint8 rgb; both sides are even, as video wants.
    """
    height, width = cell[0] // 2 * 2, cell[1] // 2 * 2
    rows = math.ceil(len(cameras) / 2)
    picture = np.empty((_BANNER + rows * height, 2 * width, 3), np.uint8)
    picture[:] = BACKGROUND
    picture[:_BANNER] = _banner(2 * width, caption)
    for index, name in enumerate(cameras):
        top, left = _BANNER + index // 2 * height, index % 2 * width
        if name in images:
            picture[top : top + height, left : left + width] = _fit(images[name], height, width)
        paste(picture, label(name.replace("_", " ")), top, left)
    return picture


def _fit(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image at another size, its aspect kept, dark where it does not reach."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(height / image.shape[0], width / image.shape[1])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    result = np.zeros((height, width, 3), np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    result[top : top + size[1], left : left + size[0]] = small
    return result


def _banner(width: int, caption: Caption) -> np.ndarray:
    """(banner height, width, 3): task and subtask left, score and time right."""
    image = _words(width, caption.task, caption.subtask, caption.score).copy()
    draw = ImageDraw.Draw(image)
    draw.text((width - 12, 36), caption.time, fill=FAINT, font=font(15), anchor="ra")
    return np.asarray(image)


@functools.lru_cache(maxsize=4)
def _words(width: int, task: str, subtask: str, score: str) -> Image.Image:
    """The part of the banner that rarely changes."""
    image = Image.new("RGB", (width, _BANNER), BACKGROUND)
    draw = ImageDraw.Draw(image)
    score_width = draw.textlength(score, font=font(17))
    room = width - score_width - 40
    draw.text((12, 8), cut(draw, task, font(14), room), fill=FAINT, font=font(14))
    words, colour = (subtask, TEXT) if subtask else ("no subtask", FAINT)
    draw.text((12, 29), cut(draw, words, font(20), width - 100), fill=colour, font=font(20))
    draw.text((width - 12, 8), score, fill=_ACCENT, font=font(17), anchor="ra")
    return image
