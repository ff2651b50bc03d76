"""Pictures of a run's page: what the model saw, with recorded and predicted boxes."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np

from pi05_ros.model.text.locations import Location
from pi05_ros.training.validation.figures import Example

RECORDED, PREDICTED = (46, 125, 50), (230, 81, 0)  # Colours of boxes, rgb.
_SIDE = 224  # Least side of a picture on the page [pixel].
_QUALITY = 82  # Of JPEG.


def jpegs(example: Example) -> list[tuple[str, str]]:
    """Return each camera that has a picture, and its JPEG as base64, with the boxes on it."""
    found = []
    answer = example.answer
    for camera, picture in zip(example.cameras, example.pictures, strict=False):
        if not picture.any():
            continue  # Masked: the sample has no picture of it.
        drawn = _enlarged(picture)
        if answer is not None:
            _draw(drawn, answer.target_boxes, camera, RECORDED, 2)
            _draw(drawn, answer.predicted_boxes, camera, PREDICTED, 1)
        bgr = cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        found.append((camera, base64.b64encode(data.tobytes()).decode("ascii")))
    return found


def _enlarged(picture: np.ndarray) -> np.ndarray:
    """Copy a picture (side, side, 3) uint8, enlarged to `_SIDE` if it is smaller."""
    side = max(_SIDE, len(picture))
    if side == len(picture):
        return picture.copy()
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_NEAREST))


def _draw(
    picture: np.ndarray,
    boxes: Sequence[Location],
    camera: str,
    colour: tuple[int, int, int],
    width: int,
) -> None:
    """Draw the boxes of a camera with their labels into a picture."""
    side = len(picture)
    for box in boxes:
        if box.camera != camera:
            continue
        x0, y0, x1, y1 = (
            round(value * (side - 1)) for value in (box.x_min, box.y_min, box.x_max, box.y_max)
        )
        cv2.rectangle(picture, (x0, y0), (x1, y1), colour, width)
        # Recorded labels above their box, predicted ones below.
        line = y0 - 4 if colour == RECORDED else y1 + 11
        place = (x0, min(side - 3, max(10, line)))
        text = box.label.encode("ascii", "replace").decode()
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 3)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1)
