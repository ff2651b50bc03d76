"""Texts whose things are looked for in a sample's pictures, and where they are in them.

The texts are subtasks, or are made of the labels of boxes. What stands before the first
preposition is the thing, what stands behind it the place (`model/grounding`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pi05_ros.model.grounding import POINTS
from pi05_ros.model.text.locations import Location

MOST_QUERIES = 4  # Of a picture with boxes.
_PLACE = re.compile(r"\s(?:in|into|on|onto|at)\s")
_ABSENT_RATE = 0.25  # Chance that one of the texts names what is not in the picture.
_FORMS = ("{thing}", "pick up the {thing}", "put the {thing} in the {place}")
_FORM_RATES = (0.4, 0.35, 0.25)


@dataclass(frozen=True)
class Queries:
    """Texts, and the points of each."""

    texts: tuple[str, ...]
    points: Tensor  # (texts, C, POINTS, 3) float32, as in TrainingSample.


def subtask_query(text: str, boxes: Sequence[Location], cameras: Sequence[str]) -> Queries | None:
    """Return a subtask with the points of what it names.

    Args:
        text: The subtask.
        boxes: Of what it names; in a camera without a box of a thing nothing of it is seen.
        cameras: In the order of the pictures.

    Returns:
        The query; None if there are no boxes, so that nothing is known.
    """
    if not boxes or not text:
        return None
    labels = list(dict.fromkeys(box.label for box in boxes))
    thing, place = named_labels(text, labels)
    return Queries((text,), _points(boxes, cameras, thing, place)[None])


def box_queries(
    boxes: Sequence[Location],
    cameras: Sequence[str],
    counts: Mapping[str, int],
    draw: np.random.Generator,
) -> Queries | None:
    """Return texts about some of the boxes of a picture, and perhaps one about what is absent.

    Args:
        boxes: All that is known of the picture.
        cameras: In the order of the pictures.
        counts: How often each label occurs in all pictures. Rare ones are drawn more often: where
            the counter is needs fewer examples than where a fork is.
        draw: Chooses.
    """
    labels = list(dict.fromkeys(box.label for box in boxes))
    if not labels:
        return None
    rates = np.array([max(counts.get(label, 1), 1) ** -0.75 for label in labels])
    most = min(MOST_QUERIES, len(labels))
    texts, points = [], []
    for index in draw.choice(len(labels), most, replace=False, p=rates / rates.sum()):
        thing = labels[int(index)]
        rest = [label for label in labels if label != thing]
        form = int(draw.choice(len(_FORMS), p=_FORM_RATES))
        place = rest[int(draw.integers(len(rest)))] if rest and form == 2 else ""
        texts.append(_FORMS[form if place or form < 2 else 0].format(thing=thing, place=place))
        points.append(_points(boxes, cameras, thing, place))
    absent = [label for label in counts if _noun(label) not in {_noun(known) for known in labels}]
    if absent and draw.random() < _ABSENT_RATE:
        thing = absent[int(draw.integers(len(absent)))]
        texts[-1] = _FORMS[int(draw.integers(2))].format(thing=thing)
        points[-1] = _points(boxes, cameras, thing, "")
    return Queries(tuple(texts), torch.stack(points))


def named_labels(text: str, labels: Sequence[str]) -> tuple[str, str]:
    """Return the labels of the thing and of the place that a text names; "" for none."""
    match = _PLACE.search(text)
    parts = (text[: match.start()], text[match.end() :]) if match else (text, "")
    # The longest: "red cup" names no "cup" where both are labels.
    found = [max((x for x in labels if x in part), key=len, default="") for part in parts]
    return found[0], found[1]


def _points(boxes: Sequence[Location], cameras: Sequence[str], thing: str, place: str) -> Tensor:
    """Points (C, POINTS, 3) of a thing and a place in each camera's picture."""
    points = torch.zeros(len(cameras), POINTS, 3)
    for box in boxes:
        for which, label in enumerate((thing, place)):
            if label and box.label == label and box.camera in cameras:
                middle = ((box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2)
                points[cameras.index(box.camera), which] = torch.tensor([*middle, 1.0])
    return points


def _noun(label: str) -> str:
    """The last word of a label: "red cup" and "cup" may be the same thing."""
    return label.split()[-1]
