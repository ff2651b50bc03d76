"""Annotation of camera pictures with the present subtask and its boxes."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import cv2
import numpy as np

from pi05_ros.data.episodes.episode import PictureBox
from pi05_ros.inspection.banner import BannerRow, BannerText, banner
from pi05_ros.inspection.colours import SOURCE_COLOURS, UNKNOWN_SOURCE, rgb
from pi05_ros.inspection.facts import SubtaskFacts
from pi05_ros.inspection.lettering import TEXT, label, paste
from pi05_ros.inspection.subtask_shapes import source_line

_WIDTH = 640  # Narrower pictures are enlarged by a whole factor, so that text is legible.
_BANNER = 54  # Height of the banner above the picture [pixel].
_DRIVER = 56  # Characters about who drives, beside source and age in a narrow picture.
_OLD_S = 5.0  # Age of an observation above which its boxes are drawn thinly [s].


def annotate(
    image: np.ndarray,
    camera: str,
    stamp_ns: int,
    subtask: SubtaskFacts | None,
    now_ns: int,
    driver: str = "",
) -> np.ndarray:
    """Draw boxes into a picture, and a banner above it.

    Args:
        image: (H, W, 3) uint8 rgb, as received from the driver.
        camera: Name of the camera.
        stamp_ns: Acquisition time [ns].
        subtask: The present subtask; None: none was received.
        now_ns: Present time [ns].
        driver: Who drives ("the model drives"); empty: not known.

    Returns:
        (H', W', 3) uint8 rgb: the banner with the picture below it, enlarged by a whole factor if
        it is narrower than 640 pixels.
    """
    below = enlarge(image, _WIDTH)
    height, width = below.shape[:2]
    picture = np.empty((_BANNER + height, width, 3), np.uint8)
    picture[_BANNER:] = below
    below = picture[_BANNER:]
    words, source, source_text = "nothing was said yet", "", ""
    if subtask is not None:
        words, source = subtask.text or "no subtask", subtask.source
        source_text = source_line(subtask, now_ns)
        boxes = [box for box in subtask.boxes if box.camera == camera]
        is_old = (now_ns - subtask.stamp_ns) * 1e-9 > _OLD_S
        draw_boxes(below, boxes, rgb(SOURCE_COLOURS.get(source, UNKNOWN_SOURCE)), is_old)
    age = max(0.0, (now_ns - stamp_ns) * 1e-9)
    right = f"picture {age:.1f} s old"
    if driver:
        right = f"{textwrap.shorten(driver, _DRIVER, placeholder='…')} · {right}"
    rows = (
        BannerRow(30, BannerText(words, 20, TEXT), BannerText(camera.replace("_", " "))),
        BannerRow(24, BannerText(source_text), BannerText(right)),
    )
    picture[:_BANNER] = banner(width, rows, SOURCE_COLOURS.get(source, UNKNOWN_SOURCE))
    return picture


def enlarge(image: np.ndarray, width: int) -> np.ndarray:
    """Scale an image by the least whole number that makes it `width` pixels wide or wider."""
    factor = max(1, math.ceil(width / image.shape[1]))
    if factor == 1:
        return image
    size = (image.shape[1] * factor, image.shape[0] * factor)
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def draw_boxes(
    picture: np.ndarray,
    boxes: Sequence[PictureBox],
    colour: tuple[int, int, int],
    is_old: bool = False,
) -> None:
    """Draw boxes with their labels into a picture, in place.

    Args:
        picture: (H, W, 3) uint8 rgb.
        boxes: Corners as fractions of the picture.
        colour: Red, green, blue, 0 to 255.
        is_old: Whether their observation is old; old boxes are drawn thinly.
    """
    height, width = picture.shape[:2]
    for box in boxes:
        left, right = (round(x * (width - 1)) for x in (box.x_min, box.x_max))
        top, bottom = (round(y * (height - 1)) for y in (box.y_min, box.y_max))
        dark, line = ((0, 0, 0), 1) if is_old else ((0, 0, 0), 2)
        cv2.rectangle(picture, (left - 1, top - 1), (right + 1, bottom + 1), dark, line + 2)
        cv2.rectangle(picture, (left, top), (right, bottom), colour, line)
        words = box.label + ("" if box.score is None else f" {box.score:.2f}")
        if words.strip():
            tag = label(words.strip(), 15, TEXT, tuple(int(0.45 * c) for c in colour))  # type: ignore[arg-type]
            room = top - tag.shape[0] - 2
            place = room if room >= 0 else min(bottom + 3, height - tag.shape[0])
            paste(picture, tag, max(0, place), max(0, min(left, width - tag.shape[1])))
