"""What the planner and policy nodes ask of whatever thinks for the robot.

π0.5 factors as π(a, l̂ | o, l) = π(l̂ | o, l) · π(a | o, l̂) (paper, section IV): the high level
turns the task l into a subtask l̂, the low level turns the subtask alone into actions a. A brain
has one method for each factor, so that the nodes are the same for the model and for a scripted
expert.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pi05_ros.brain.continuation import Continuation, ContinuationMode
from pi05_ros.brain.observation import Observation
from pi05_ros.brain.timings import Times


@dataclass(frozen=True)
class Box:
    """An object in a model-size picture; corners are fractions of it, x right, y down."""

    camera: str
    label: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    score: float = float("nan")  # 0 to 1; NaN: none given.


@dataclass(frozen=True)
class SubtaskPrediction:
    """The high level's answer."""

    text: str  # One line; empty: nothing to do.
    boxes: tuple[Box, ...] = ()
    score: float = float("nan")  # Mean token probability, 0 to 1; NaN: none given.
    done: bool = False  # The task is finished.


@dataclass(frozen=True)
class ChunkPrediction:
    """The low level's answer."""

    actions: np.ndarray  # (horizon, D) float64, absolute targets in platform units, all finite.
    times: Times | None = None  # Where the time went; None: the brain does not say.


@dataclass(frozen=True)
class BrainInfo:
    """What a brain is and needs."""

    name: str  # "model", "expert"
    checkpoint: str  # Folder or name of the weights; empty: none.
    description: (
        str  # For logs and people ("nano, weights drawn at random: it has learned nothing").
    )
    subtask_source: str  # Subtask.source of its predictions ("model", "external").
    image_size: tuple[int, int] | None  # (height, width) of its pictures; None: it looks at none.
    needs_scene: bool  # Whether observations must carry the ground truth of a mock home.
    horizon: int  # Rows of a chunk.
    period: float  # Time between two rows [s].
    continuations: tuple[ContinuationMode, ...] = ()
    # Modes in which it goes on from a chunk, the best first; (): it does not.
    max_prefix: int = 0  # Most committed rows in the mode "trained_rtc"; 0 without that mode.


class Brain(Protocol):
    """High level and low level behind one interface. Methods may be called from any thread."""

    info: BrainInfo

    def warm_up(self, continuation: ContinuationMode | None = None) -> None:
        """Does all one-time work, so that the first prediction is as fast as the others.

        Args:
            continuation: One of `info.continuations`, where chunks will go on from others in that
                mode; None: they will not. It may be asked for after a first warm-up.
        """

    def begin_task(self, task: str) -> None:
        """Forgets what belongs to an earlier task."""

    def predict_subtask(self, observation: Observation, task: str) -> SubtaskPrediction:
        """High level: which subtask serves `task` now?"""

    def predict_chunk(
        self, observation: Observation, subtask: str, continuation: Continuation | None = None
    ) -> ChunkPrediction:
        """Low level: which targets serve `subtask` now?

        Args:
            observation: What the robot sees. Row k is meant for `stamp_ns + k * period`.
            subtask: What to do, in words.
            continuation: What is being executed; None: the chunk starts afresh. Its committed
                rows are the first of the answer, exactly.

        Raises:
            ContinuationError: The brain does not go on from chunks in this mode, or not this far.
        """

    def close(self) -> None:
        """Frees weights and devices. The brain is not used afterwards."""
