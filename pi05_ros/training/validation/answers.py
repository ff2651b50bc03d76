"""Figures of the high level's answers: subtasks, boxes, and whether the task is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pi05_ros.model.text.locations import Answer, Location


@dataclass(frozen=True)
class AnswerPair:
    """An answer that was decoded to its end or cut, beside the recorded one."""

    target: Answer
    predicted: Answer
    finished: bool  # False: cut at the limit, which is never right.


def answer_figures(pairs: Sequence[AnswerPair]) -> dict[str, float]:
    """Compute the figures of answers; those without a case that counts are left out.

    * `subtask_exact`: share of the samples with a subtask whose subtask is the recorded one,
      letter by letter.
    * `done_precision`, `done_recall`: of "done", which is an event of its own.
    * `box_iou`: mean over the recorded boxes of the overlap (intersection over union) with the
      predicted box of the same label and camera; 0 where there is none.
    * `box_precision`: share of the predicted boxes that overlap the recorded one that they are
      paired with.
    """
    figures: dict[str, float] = {}
    subtasks = [pair for pair in pairs if not pair.target.done]
    if subtasks:
        right = sum(p.finished and p.predicted.subtask == p.target.subtask for p in subtasks)
        figures["subtask_exact"] = right / len(subtasks)
    said = [pair for pair in pairs if pair.finished and pair.predicted.done]
    meant = [pair for pair in pairs if pair.target.done]
    both = sum(pair.target.done for pair in said)
    if said:
        figures["done_precision"] = both / len(said)
    if meant:
        figures["done_recall"] = both / len(meant)
    overlaps = [o for p in pairs for o in overlaps_of(p.target.locations, p.predicted.locations)]
    if overlaps:
        figures["box_iou"] = sum(overlaps) / len(overlaps)
    predicted = sum(len(pair.predicted.locations) for pair in pairs)
    if predicted:
        figures["box_precision"] = sum(overlap > 0.0 for overlap in overlaps) / predicted
    return figures


def overlaps_of(targets: Sequence[Location], predicted: Sequence[Location]) -> list[float]:
    """Return the overlap of each recorded box with a predicted one of its label and camera.

    Pairs are chosen by overlap, the largest first; a predicted box is used once.
    """
    pairs = sorted(
        (
            (overlap(target, box), t, p)
            for t, target in enumerate(targets)
            for p, box in enumerate(predicted)
            if (target.camera, target.label) == (box.camera, box.label)
        ),
        reverse=True,
    )
    found, used = [0.0] * len(targets), set[int]()
    for value, t, p in pairs:
        if not found[t] and p not in used:
            found[t] = value
            used.add(p)
    return found


def overlap(a: Location, b: Location) -> float:
    """Return the intersection over union of two boxes, 0 to 1; 0 for boxes without area."""
    width = min(a.x_max, b.x_max) - max(a.x_min, b.x_min)
    height = min(a.y_max, b.y_max) - max(a.y_min, b.y_min)
    shared = max(0.0, width) * max(0.0, height)
    union = _area(a) + _area(b) - shared
    return shared / union if union > 0.0 else 0.0


def _area(box: Location) -> float:
    return (box.x_max - box.x_min) * (box.y_max - box.y_min)
