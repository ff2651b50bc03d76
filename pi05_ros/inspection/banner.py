"""Banner above a picture: rows of text, each with a part at the left and one at the right.

The inspector, the video of a demo and the pictures of a report are all captioned with it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from pi05_ros.inspection.lettering import BACKGROUND, FAINT, cut, font

_MARGIN = 12  # [pixel]
_GAP = 28  # Least space between the two parts of a row [pixel].
_BASELINE = 0.72  # Of a row's height.

Rgb = tuple[int, int, int]


class BannerText(NamedTuple):
    """A part of a row."""

    text: str
    size: int = 14  # [pixel]
    colour: Rgb = FAINT


class BannerRow(NamedTuple):
    """A row: the left part is cut where it would reach the right one."""

    height: int  # [pixel]
    left: BannerText
    right: BannerText


def banner(width: int, rows: Sequence[BannerRow], stripe: str = "") -> np.ndarray:
    """Draw a banner.

    Args:
        width: Its width [pixel].
        rows: From top to bottom.
        stripe: Colour of a stripe at the left border (#rrggbb); empty: none.

    Returns:
        (sum of the heights, width, 3) uint8 rgb.
    """
    return np.vstack([_row(width, row, stripe) for row in rows])


@functools.lru_cache(maxsize=16)  # Most rows are the same from picture to picture.
def _row(width: int, row: BannerRow, stripe: str) -> np.ndarray:
    image = Image.new("RGB", (width, row.height), BACKGROUND)
    draw = ImageDraw.Draw(image)
    left = _MARGIN
    if stripe:
        draw.rectangle((0, 0, 7, row.height), fill=stripe)
        left += 8
    baseline = round(_BASELINE * row.height)
    face, right = font(row.left.size), row.right
    room = width - draw.textlength(right.text, font=font(right.size)) - left - _GAP
    text = cut(draw, row.left.text, face, room)
    draw.text((left, baseline), text, fill=row.left.colour, font=face, anchor="ls")
    draw.text(
        (width - _MARGIN, baseline),
        right.text,
        fill=right.colour,
        font=font(right.size),
        anchor="rs",
    )
    return np.asarray(image)
