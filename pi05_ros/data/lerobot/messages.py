"""Serialization of an episode's rows, subtasks and pictures as messages, without ROS."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.serializer import Serializer
from pi05_ros.data.episodes.box_messages import box_message
from pi05_ros.data.episodes.episode import SPOKEN, Plan, SubtaskLabel

STATE = "pi05_msgs/msg/RobotState"
DECISION = "pi05_msgs/msg/PlanDecision"
SUBTASK = "pi05_msgs/msg/Subtask"
IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"


class MessageMaker:
    """Makes serialized messages with the installed definitions.

    Raises:
        BagError: A definition is not installed.
    """

    def __init__(self) -> None:
        self._serializer = Serializer(STATE, SUBTASK, DECISION, IMAGE, COMPRESSED_IMAGE)

    def row(
        self,
        facts: EpisodeFacts,
        time_ns: int,
        measured: np.ndarray,
        commanded: np.ndarray,
        mode: int,
        control_source: int,
    ) -> bytes:
        """Make a RobotState; fields that a dataset lacks (chunk, reason) are unknown or empty."""
        sent = np.isfinite(commanded).any()
        return self._serializer.serialized(
            STATE,
            header=self._serializer.header(time_ns),
            platform=facts.platform,
            session=1,
            epoch=1,
            names=list(facts.names),
            measured=np.ascontiguousarray(measured, np.float64),
            commanded=np.ascontiguousarray(commanded, np.float64),
            commanded_stamp=self._serializer.time(time_ns if sent else 0),
            chunk_sequence=0,
            chunk_stamp=self._serializer.time(0),
            chunk_row=math.nan,
            mode=mode,
            reason="",
            control_source=control_source,
        )

    def subtask(self, label: SubtaskLabel, time_ns: int) -> bytes:
        """Make a Subtask with the stamp of its observation."""
        return self._subtask(
            time_ns,
            id=label.id,
            task=label.task,
            text=label.text,
            boxes=[box_message(self._serializer, box) for box in label.boxes],
            source=label.source,
            score=_or_nan(label.score),
            model_text=label.model_text,
        )

    def decision(self, plan: Plan) -> bytes:
        """Make a PlanDecision of a plan; its trigger is not known."""
        kind = "done" if plan.done else "overruled" if plan.kind == SPOKEN else "kept"
        return self._serializer.serialized(
            DECISION,
            header=self._serializer.header(plan.stamp_ns),
            task=plan.task,
            trigger="",
            outcome=kind,
            answer=plan.model_text if plan.kind == SPOKEN else plan.text,
            boxes=[box_message(self._serializer, box) for box in plan.boxes],
            score=_or_nan(plan.score),
            subtask_id=plan.subtask_id,
            subtask=plan.text,
            loop=False,
            reason="imported: the planner's reason is not known",
            latency=math.nan,
        )

    def empty_subtask(self, before: SubtaskLabel, time_ns: int) -> bytes:
        """Make a Subtask with an empty text, which ends the one before."""
        return self._subtask(
            time_ns,
            id=before.id,
            task=before.task,
            text="",
            boxes=[],
            source=before.source,
            score=math.nan,
            model_text="",
        )

    def jpeg(self, picture: np.ndarray, time_ns: int, frame: str, quality: int) -> bytes:
        """Make a CompressedImage of a (h, w, 3) uint8 rgb picture."""
        _, data = cv2.imencode(
            ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        return self._serializer.serialized(
            COMPRESSED_IMAGE,
            header=self._serializer.header(time_ns, frame),
            format="jpeg",
            data=data.ravel(),
        )

    def raw(self, picture: np.ndarray, time_ns: int, frame: str) -> bytes:
        """Make an Image of a (h, w, 3) uint8 rgb picture."""
        height, width = picture.shape[:2]
        return self._serializer.serialized(
            IMAGE,
            header=self._serializer.header(time_ns, frame),
            height=height,
            width=width,
            encoding="rgb8",
            is_bigendian=0,
            step=3 * width,
            data=np.ascontiguousarray(picture).reshape(-1),
        )

    def _subtask(self, time_ns: int, **fields: Any) -> bytes:
        return self._serializer.serialized(
            SUBTASK,
            header=self._serializer.header(time_ns),
            latency=math.nan,
            model_score=math.nan,
            model_stamp=self._serializer.time(0),
            **fields,
        )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
