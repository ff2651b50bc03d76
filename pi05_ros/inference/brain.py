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

from pi05_ros.inference.observation import Observation


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


class Brain(Protocol):
    """High level and low level behind one interface. Methods may be called from any thread."""

    info: BrainInfo

    def warm_up(self) -> None:
        """Does all one-time work, so that the first prediction is as fast as the others."""

    def begin_task(self, task: str) -> None:
        """Forgets what belongs to an earlier task."""

    def predict_subtask(self, observation: Observation, task: str) -> SubtaskPrediction:
        """High level: which subtask serves `task` now?"""

    def predict_chunk(self, observation: Observation, subtask: str) -> np.ndarray:
        """Low level: (horizon, D) float64 action targets in platform units, all finite.

        Row k is meant for `observation.stamp_ns + k * period`.
        """

    def close(self) -> None:
        """Frees weights and devices. The brain is not used afterwards."""
