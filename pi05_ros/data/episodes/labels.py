"""Conversion of Subtask messages to labels of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pi05_ros.data.episodes.episode import PictureBox, SubtaskLabel


@dataclass(frozen=True)
class ReceivedSubtask:
    """One Subtask message, with the time at which it was received."""

    log_ns: int
    text: str  # "": nothing to do.
    source: str
    task: str = ""
    score: float | None = None
    boxes: tuple[PictureBox, ...] = ()
    model_text: str = ""
    id: int = 0

    @classmethod
    def of(cls, log_ns: int, message: Any) -> ReceivedSubtask:
        """Convert a pi05_msgs/Subtask; bags from before the field `model_text` lack it."""
        return cls(
            log_ns=log_ns,
            text=message.text,
            source=message.source,
            task=message.task,
            score=known(message.score),
            boxes=picture_boxes(message.boxes),
            model_text=getattr(message, "model_text", ""),
            id=int(message.id),
        )

    def same_as(self, other: ReceivedSubtask) -> bool:
        """Check whether two messages differ in time and score only, as a planner's repetitions."""
        return replace(self, log_ns=0, score=None) == replace(other, log_ns=0, score=None)


def spans(row_log_ns: np.ndarray, received: Sequence[ReceivedSubtask]) -> tuple[SubtaskLabel, ...]:
    """Convert subtasks to labels of rows.

    A subtask is valid from its reception, which is when the policy received it too: rows from
    during the planner's inference belong to the subtask before.

    Args:
        row_log_ns: Time of reception of each row, (T,) int64 [ns], rising.
        received: Subtasks in the order of reception, on the same clock.

    Returns:
        Labels with at least one row, in order.
    """
    kept: list[ReceivedSubtask] = []
    for subtask in received:
        if not kept or not subtask.same_as(kept[-1]):
            kept.append(subtask)
    begins = np.searchsorted(row_log_ns, [s.log_ns for s in kept], side="left")
    ends = np.r_[begins, len(row_log_ns)][1:]
    return tuple(
        SubtaskLabel(
            start_row=int(begin),
            stop_row=int(end),
            text=s.text,
            source=s.source,
            task=s.task,
            score=s.score,
            boxes=s.boxes,
            model_text=s.model_text,
            id=s.id,
        )
        for s, begin, end in zip(kept, begins, ends, strict=True)
        if s.text and begin < end
    )


def picture_boxes(messages: Sequence[Any]) -> tuple[PictureBox, ...]:
    """Convert several pi05_msgs/BoundingBox."""
    return tuple(
        PictureBox(
            camera=message.camera,
            label=message.label,
            x_min=float(message.x_min),
            y_min=float(message.y_min),
            x_max=float(message.x_max),
            y_max=float(message.y_max),
            score=known(message.score),
        )
        for message in messages
    )


def known(value: float) -> float | None:
    """A number of a message; None for NaN, which means that there is none."""
    return None if math.isnan(value) else float(value)
