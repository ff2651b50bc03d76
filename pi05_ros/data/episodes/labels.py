"""From the planner's messages to spans of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pi05_ros.data.episodes.episode import PictureBox, SubtaskLabel


@dataclass(frozen=True)
class Saying:
    """One Subtask message, from the time on at which it came."""

    log_ns: int
    text: str  # "": nothing to do.
    source: str
    task: str = ""
    score: float | None = None
    boxes: tuple[PictureBox, ...] = ()
    model_text: str = ""
    id: int = 0

    @classmethod
    def of(cls, log_ns: int, message: Any) -> Saying:
        """Of a pi05_msgs/Subtask; one that was recorded before `model_text` was there will do."""
        return cls(
            log_ns=log_ns,
            text=message.text,
            source=message.source,
            task=message.task,
            score=_known(message.score),
            boxes=tuple(_box(box) for box in message.boxes),
            model_text=getattr(message, "model_text", ""),
            id=int(message.id),
        )

    def same_as(self, other: Saying) -> bool:
        """Whether nothing was said anew. A planner repeats itself, each time a little surer."""
        return replace(self, log_ns=0, score=None) == replace(other, log_ns=0, score=None)


def spans(row_log_ns: np.ndarray, sayings: Sequence[Saying]) -> tuple[SubtaskLabel, ...]:
    """Labels of the rows.

    A subtask holds from the moment at which it was heard, which is when the policy heard it too:
    what the robot did while the planner was still thinking belongs to the subtask before.

    Args:
        row_log_ns: When each row came, (T,) int64 [ns], rising.
        sayings: In the order in which they came, on the same clock.

    Returns:
        Spans that hold at least one row, in order.
    """
    kept: list[Saying] = []
    for saying in sayings:
        if not kept or not saying.same_as(kept[-1]):
            kept.append(saying)
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


def _box(message: Any) -> PictureBox:
    """A pi05_msgs/BoundingBox."""
    return PictureBox(
        camera=message.camera,
        label=message.label,
        x_min=float(message.x_min),
        y_min=float(message.y_min),
        x_max=float(message.x_max),
        y_max=float(message.y_max),
        score=_known(message.score),
    )


def _known(value: float) -> float | None:
    """A number of a message; None where NaN says that there is none."""
    return None if math.isnan(value) else float(value)
