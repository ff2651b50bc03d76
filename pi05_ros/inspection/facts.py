"""What the inspector hears, without messages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.data.episodes.episode import PictureBox


@dataclass(frozen=True)
class SubtaskFacts:
    """What the robot is doing next (pi05_msgs/Subtask)."""

    stamp_ns: int  # Of the observation [ns]; of a human's: when it was said.
    id: int
    task: str
    text: str  # Empty: nothing to do.
    source: str  # Subtask.SOURCE_*
    score: float  # NaN: the source gives none.
    latency: float  # [s]; NaN: not applicable.
    boxes: tuple[PictureBox, ...] = ()
    model_text: str = ""  # What the model would have said while a human's subtask stands.


@dataclass(frozen=True)
class DecisionFacts:
    """Why the planner asked, and what became of the answer (pi05_msgs/PlanDecision)."""

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
    committed: int  # Rows at the beginning that repeat what was being executed.
    latency: float  # From the observation to publication [s].


@dataclass(frozen=True, eq=False)
class StateFacts:
    """Measured and commanded state of the robot (pi05_msgs/RobotState)."""

    stamp_ns: int
    measured: np.ndarray  # (D,) float64
    commanded: np.ndarray  # (D,) float64; NaN: nothing sent yet.
    mode: int  # RobotState.MODE_*
    reason: str  # Why the mode is what it is; empty: nothing to say.
    chunk_sequence: int  # Of the chunk that `commanded` follows; 0: none.
    chunk_row: float  # Its row at that time, between two rows a fraction; NaN: none.
