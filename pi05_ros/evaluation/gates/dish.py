"""Distances from a predicted point to the middle of the recorded box of what a subtask names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pi05_ros.brain.interface import Box
from pi05_ros.evaluation.gates.limits import NEAR_DIAGONAL, PICTURE_WIDTH
from pi05_ros.training.sources.queries import named_labels

FRONT = "front"
_WRIST = "_wrist"  # End of the wrist cameras' names.


@dataclass(frozen=True)
class NamedThing:
    """The thing that a subtask names first, where it is seen."""

    label: str
    boxes: Mapping[str, Box]  # By camera, of the front and the wrist cameras.


def named_thing(text: str, boxes: Sequence[Box]) -> NamedThing | None:
    """Return the thing that a subtask names; None: no box is of it.

    Args:
        text: The subtask.
        boxes: All recorded boxes, in the model's pictures.
    """
    label, _ = named_labels(text, list(dict.fromkeys(box.label for box in boxes)))
    found = {
        box.camera: box
        for box in boxes
        if label and box.label == label and (box.camera == FRONT or is_wrist(box.camera))
    }
    return NamedThing(label, found) if found else None


def is_wrist(camera: str) -> bool:
    """Check whether a camera is on a wrist, by its name."""
    return camera.endswith(_WRIST)


def middle(box: Box) -> tuple[float, float]:
    """Return the middle of a box, x and y as fractions of the picture."""
    return (box.x_min + box.x_max) / 2.0, (box.y_min + box.y_max) / 2.0


def pixels_away(box: Box, point: tuple[float, float] | None, size: tuple[int, int]) -> float:
    """Return the distance of a point from the middle of a box [px of PICTURE_WIDTH].

    Args:
        box: The recorded one.
        point: x, y as fractions of the picture; None: none was given, which is infinitely far.
        size: (height, width) of the model's pictures; their ratio counts.
    """
    if point is None:
        return math.inf
    x, y = middle(box)
    return PICTURE_WIDTH * math.hypot(point[0] - x, (point[1] - y) * size[0] / size[1])


def is_near(box: Box, size: tuple[int, int]) -> bool:
    """Check whether a box is of a near thing: by its diagonal, in widths of the picture."""
    tall = (box.y_max - box.y_min) * size[0] / size[1]
    return math.hypot(box.x_max - box.x_min, tall) > NEAR_DIAGONAL
