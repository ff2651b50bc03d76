"""Text in pictures, in the font that ships with Pillow."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

BACKGROUND = (24, 26, 31)
TEXT = (235, 236, 240)
FAINT = (150, 154, 165)


@functools.lru_cache(maxsize=8)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font at a size [pixel]."""
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def cut(draw: ImageDraw.ImageDraw, text: str, face: ImageFont.FreeTypeFont, room: float) -> str:
    """Shorten a text to a width of `room` [pixel], with an ellipsis if it is cut."""
    if draw.textlength(text, font=face) <= room:
        return text
    while text and draw.textlength(text + "…", font=face) > room:
        text = text[:-1]
    return text + "…"


@functools.lru_cache(maxsize=64)
def label(
    text: str,
    size: int = 13,
    colour: tuple[int, int, int] = TEXT,
    background: tuple[int, int, int] = BACKGROUND,
) -> np.ndarray:
    """Render a text on its background, (height, width, 3) uint8 rgb."""
    face = font(size)
    width = int(ImageDraw.Draw(Image.new("RGB", (1, 1))).textlength(text, font=face)) + 12
    image = Image.new("RGB", (width, round(1.55 * size)), background)
    ImageDraw.Draw(image).text((6, round(0.15 * size)), text, fill=colour, font=face)
    return np.asarray(image)


def paste(picture: np.ndarray, part: np.ndarray, top: int, left: int) -> None:
    """Copy `part` into `picture`, both (H, W, 3), clipped at its edges; top and left >= 0."""
    place = picture[top : top + part.shape[0], left : left + part.shape[1]]
    np.copyto(place, part[: place.shape[0], : place.shape[1]])
