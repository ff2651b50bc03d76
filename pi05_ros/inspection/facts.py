"""Inputs of the inspector as dataclasses, independent of ROS messages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.data.episodes.episode import CONTROL_NONE, PictureBox


@dataclass(frozen=True)
class SubtaskFacts:
    """The present subtask (pi05_msgs/Subtask)."""

    stamp_ns: int  # Of the observation [ns]; of a human's subtask, of the instruction.
    id: int
    task: str
    text: str  # Empty: nothing to do.
    source: str  # Subtask.SOURCE_*
    score: float  # 0 to 1; NaN: none given.
    latency: float  # [s]; NaN: not applicable.
    boxes: tuple[PictureBox, ...] = ()
    model_text: str = ""  # The model's answer while a human's subtask stands.


@dataclass(frozen=True)
class DecisionFacts:
    """Decision of the planner on an answer (pi05_msgs/PlanDecision)."""

    stamp_ns: int
    trigger: str
    outcome: str
    answer: str
    reason: str


@dataclass(frozen=True, eq=False)
class ChunkFacts:
    """A predicted chunk of actions (pi05_msgs/ActionChunk), checked against the platform."""

    stamp_ns: int  # Of the observation [ns].
    start_ns: int  # Of row 0 [ns].
    sequence: int
    subtask_id: int
    actions: np.ndarray  # (horizon, D) float64, finite, platform units.
    committed: int  # First rows that repeat the chunk being executed.
    latency: float  # From the observation to publication [s].


@dataclass(frozen=True, eq=False)
class StateFacts:
    """Measured and commanded state of the robot (pi05_msgs/RobotState)."""

    stamp_ns: int
    measured: np.ndarray  # (D,) float64
    commanded: np.ndarray  # (D,) float64; NaN: nothing sent yet.
    mode: int  # RobotState.MODE_*
    reason: str  # Reason of the mode; empty: none.
    chunk_sequence: int  # Of the chunk that `commanded` follows; 0: none.
    chunk_row: float  # Its row at that time, between two rows a fraction; NaN: none.
    control_source: int = CONTROL_NONE  # RobotState.CONTROL_*


@dataclass(frozen=True)
class TeleopFacts:
    """What the node teleop says (pi05_msgs/TeleopCommand), without its chunk."""

    state: str  # "released", "aligning" or "engaged".
    device: str  # Empty: none.
    reason: str  # Why it does not follow; empty when engaged.
    error: (
        float  # Largest distance of a joint of the device from the robot [rad or m]; NaN: unknown.
    )
