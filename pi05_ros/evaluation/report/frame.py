"""One picture of a run: the cameras side by side, below a banner with task, subtask and score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.inspection.banner import BannerRow, BannerText, banner
from pi05_ros.inspection.lettering import BACKGROUND, FAINT, TEXT, label, paste

_TASK_ROW, _SUBTASK_ROW = 27, 33  # Heights of the rows of the banner [pixel].
_BANNER = _TASK_ROW + _SUBTASK_ROW
_SCORE_COLOUR = (242, 150, 60)


@dataclass(frozen=True)
class Caption:
    """Texts of the banner."""

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
    """Draw a picture.

    Args:
        images: Camera name -> (H, W, 3) uint8 rgb. A camera without one stays dark.
        cameras: Names in the order of the cells, row by row, two a row.
        cell: (height, width) of a camera's cell [pixel]; pictures are fitted into it.
        caption: Texts of the banner.

    Returns:
        (height, width, 3) uint8 rgb; both sides are even, as video requires.
    """
    height, width = cell[0] // 2 * 2, cell[1] // 2 * 2
    rows = math.ceil(len(cameras) / 2)
    picture = np.empty((_BANNER + rows * height, 2 * width, 3), np.uint8)
    picture[:] = BACKGROUND
    picture[:_BANNER] = banner(2 * width, _banner_rows(caption))
    for index, name in enumerate(cameras):
        top, left = _BANNER + index // 2 * height, index % 2 * width
        if name in images:
            image = images[name]
            box = Letterbox.fit(image.shape[1], image.shape[0], width, height)
            box.apply(image, picture[top : top + height, left : left + width])
        paste(picture, label(name.replace("_", " ")), top, left)
    return picture


def _banner_rows(caption: Caption) -> tuple[BannerRow, BannerRow]:
    """Task and subtask at the left, score and time at the right."""
    subtask = BannerText(caption.subtask, 20, TEXT)
    if not caption.subtask:
        subtask = BannerText("no subtask", 20, FAINT)
    score = BannerText(caption.score, 17, _SCORE_COLOUR)
    return (
        BannerRow(_TASK_ROW, BannerText(caption.task), score),
        BannerRow(_SUBTASK_ROW, subtask, BannerText(caption.time, 15)),
    )
