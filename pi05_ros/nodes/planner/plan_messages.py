"""Messages of the planner: subtasks and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pi05_msgs.msg import BoundingBox, PlanDecision, Subtask
from pi05_ros.brain.interface import Box
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.planning.decisions import Decision
from pi05_ros.planning.tasks import CurrentSubtask


def subtask_message(
    subtask: CurrentSubtask, letterboxes: Mapping[str, Letterbox], now_ns: int
) -> Subtask:
    """Convert the current subtask to a message.

    Args:
        subtask: The subtask.
        letterboxes: Camera -> position of its picture in the model's input.
        now_ns: Time of publication [ns].
    """
    message = Subtask(
        id=subtask.id,
        task=subtask.task,
        text=subtask.text,
        boxes=_box_messages(subtask.boxes, letterboxes),
        source=subtask.source,
        score=subtask.score,
        latency=float("nan"),
        model_score=float("nan"),
    )
    message.header.stamp = ns_to_time(subtask.stamp_ns)
    if subtask.overruled is not None:
        message.model_text = subtask.overruled.text
        message.model_score = subtask.overruled.score
        message.model_stamp = ns_to_time(subtask.overruled.stamp_ns)
    if subtask.source != Subtask.SOURCE_HUMAN:
        message.latency = max(0.0, (now_ns - subtask.stamp_ns) * 1e-9)
    return message


def decision_message(
    decision: Decision,
    standing: CurrentSubtask | None,
    letterboxes: Mapping[str, Letterbox],
    now_ns: int,
) -> PlanDecision:
    """Convert a decision to a message.

    Args:
        decision: The decision.
        standing: Subtask after the decision.
        letterboxes: Camera -> position of its picture in the model's input.
        now_ns: Time of publication [ns].
    """
    message = PlanDecision(
        task=decision.task,
        trigger=decision.trigger.value,
        outcome=decision.verdict.value,
        answer=decision.answer,
        boxes=_box_messages(decision.boxes, letterboxes),
        score=decision.score,
        subtask_id=standing.id if standing else 0,
        subtask=standing.text if standing else "",
        loop=bool(decision.loop),
        reason=decision.reason,
        latency=max(0.0, (now_ns - decision.stamp_ns) * 1e-9),
    )
    message.header.stamp = ns_to_time(decision.stamp_ns)
    return message


def _box_messages(boxes: Sequence[Box], letterboxes: Mapping[str, Letterbox]) -> list[BoundingBox]:
    return [
        _box_message(box, letterboxes[box.camera]) for box in boxes if box.camera in letterboxes
    ]


def _box_message(box: Box, letterbox: Letterbox) -> BoundingBox:
    """Convert a box from the padded model input to the camera's picture."""
    x_min, y_min = letterbox.to_picture(box.x_min, box.y_min)
    x_max, y_max = letterbox.to_picture(box.x_max, box.y_max)
    return BoundingBox(
        camera=box.camera,
        label=box.label[:64],
        x_min=x_min,
        y_min=y_min,
        x_max=x_max,
        y_max=y_max,
        score=box.score,
    )
