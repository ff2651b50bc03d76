"""Serialization of a simulated episode's messages, as the nodes of the graph publish them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.data.bags.serializer import Serializer
from pi05_ros.data.episodes.box_messages import box_message
from pi05_ros.data.episodes.episode import PictureBox

STATE = "pi05_msgs/msg/RobotState"
SUBTASK = "pi05_msgs/msg/Subtask"
DECISION = "pi05_msgs/msg/PlanDecision"
PICTURE = "sensor_msgs/msg/CompressedImage"


class SimulatedMessages:
    """Makes serialized messages with the installed definitions.

    Args:
        platform: Name of the platform.
        base_frame: Frame of robot_state.

    Raises:
        BagError: A definition is not installed.
    """

    def __init__(self, platform: str, base_frame: str) -> None:
        self._platform, self._base_frame = platform, base_frame
        self._serializer = Serializer(STATE, SUBTASK, DECISION, PICTURE)

    def state(self, state: StateSample, reason: str, control_source: int) -> bytes:
        """Make a RobotState."""
        return self._serializer.serialized(
            STATE,
            header=self._serializer.header(state.stamp_ns, self._base_frame),
            platform=self._platform,
            session=state.session,
            epoch=state.epoch,
            names=list(state.names),
            measured=np.ascontiguousarray(state.measured, np.float64),
            commanded=np.ascontiguousarray(state.commanded, np.float64),
            commanded_stamp=self._serializer.time(state.commanded_ns),
            chunk_sequence=state.chunk_sequence,
            chunk_stamp=self._serializer.time(state.chunk_stamp_ns),
            chunk_row=state.chunk_row,
            mode=state.mode,
            reason=reason,
            control_source=control_source,
        )

    def subtask(
        self,
        stamp_ns: int,
        latency: float,
        number: int,
        task: str,
        text: str,
        boxes: Sequence[PictureBox],
        source: str,
    ) -> bytes:
        """Make a Subtask.

        Args:
            stamp_ns: Stamp of its observation [ns].
            latency: From there to its publication [s].
            number: Its id.
            task: The task.
            text: The subtask; empty: nothing to do.
            boxes: Objects that it speaks of.
            source: One of Subtask.SOURCE_*.
        """
        return self._serializer.serialized(
            SUBTASK,
            header=self._serializer.header(stamp_ns),
            id=number,
            task=task,
            text=text,
            boxes=[box_message(self._serializer, box) for box in boxes],
            source=source,
            score=math.nan,
            latency=latency,
            model_text="",
            model_score=math.nan,
            model_stamp=self._serializer.time(0),
        )

    def decision(
        self,
        stamp_ns: int,
        latency: float,
        number: int,
        task: str,
        *,
        trigger: str,
        outcome: str,
        answer: str,
        subtask: str,
        boxes: Sequence[PictureBox],
        reason: str,
    ) -> bytes:
        """Make a PlanDecision; for the arguments see `subtask` and the message."""
        return self._serializer.serialized(
            DECISION,
            header=self._serializer.header(stamp_ns),
            task=task,
            trigger=trigger,
            outcome=outcome,
            answer=answer,
            boxes=[box_message(self._serializer, box) for box in boxes],
            score=math.nan,
            subtask_id=number,
            subtask=subtask,
            loop=False,
            reason=reason,
            latency=latency,
        )

    def picture(self, jpeg: np.ndarray, stamp_ns: int, frame: str) -> bytes:
        """Make a CompressedImage of the bytes of a JPEG file, (n,) uint8."""
        return self._serializer.serialized(
            PICTURE, header=self._serializer.header(stamp_ns, frame), format="jpeg", data=jpeg
        )
