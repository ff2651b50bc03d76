"""Interface of a brain, as the planner and policy nodes use it.

π0.5 factors as π(a, l̂ | o, l) = π(l̂ | o, l) · π(a | o, l̂) (paper, section IV): the high level
turns the task l into a subtask l̂, the low level turns the subtask alone into actions a. A brain
has one method for each factor, so the nodes are the same for the model and the scripted expert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from pi05_ros.brain.continuation import Continuation, ContinuationMode
from pi05_ros.brain.observation import Observation
from pi05_ros.brain.timings import Times
from pi05_ros.platforms.platform import Platform


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
    """Output of the high level."""

    text: str  # One line; empty: nothing to do.
    boxes: tuple[Box, ...] = ()
    score: float = float("nan")  # Mean token probability, 0 to 1; NaN: none given.
    done: bool = False  # The task is finished.
    problem: str = ""
    # Why text, boxes and done must not be used, as one clause, such as an answer that the token
    # limit cut; empty: they may. `text` is then for logs only.


# How a subtask ended: the low level saw nothing more to do; the high level named another one
# (after a stall: "stalled"); an operator, a stop or a fault came between.
PastOutcome = Literal["finished", "changed", "stalled", "interrupted"]


@dataclass(frozen=True)
class PastSubtask:
    """An earlier subtask of the task."""

    text: str
    outcome: PastOutcome  # As the model saw it.
    duration: float  # [s]


@dataclass(frozen=True)
class ChunkPrediction:
    """Output of the low level."""

    actions: np.ndarray  # (horizon, D) float64, absolute targets in platform units, all finite.
    times: Times | None = None  # Inference times by stage; None: not measured.


@dataclass(frozen=True)
class BrainInfo:
    """Properties and requirements of a brain."""

    name: str  # "model", "expert", "none"
    checkpoint: str  # Folder or name of the weights; empty: none.
    description: str  # For logs and status ("nano, weights drawn at random: …").
    subtask_source: str  # Subtask.source of its predictions ("model", "external").
    image_size: tuple[int, int] | None  # (height, width) of its input images; None: uses none.
    needs_scene: bool  # Whether observations must carry the ground truth of a mock home.
    horizon: int  # Rows of a chunk.
    period: float  # Time between two rows [s].
    continuations: tuple[ContinuationMode, ...] = ()
    # Supported continuation modes, in order of preference; (): none.
    max_prefix: int = 0  # Most committed rows in the mode "trained_rtc"; 0 without that mode.
    planner_cameras: tuple[str, ...] | None = None
    # Cameras of the high level; (): it reads no pictures; None: the platform's `planner_cameras`.
    policy_cameras: tuple[str, ...] | None = None  # Of the low level, likewise.
    history: int = 0  # Past subtasks that the high level reads; 0: none.
    predicts: bool = True  # False: it is never asked; an operator names the subtasks and drives.

    def cameras_of_planner(self, platform: Platform) -> tuple[str, ...]:
        """Cameras of the high level on a robot, in the order of its inputs; (): none."""
        named = self.planner_cameras
        return platform.planner_cameras if named is None else named

    def cameras_of_policy(self, platform: Platform) -> tuple[str, ...]:
        """Cameras of the low level on a robot, in the order of its inputs; (): none."""
        named = self.policy_cameras
        return platform.policy_cameras if named is None else named


class Brain(Protocol):
    """High level and low level behind one interface. Methods may be called from any thread."""

    info: BrainInfo

    def warm_up(self, continuation: ContinuationMode | None = None) -> None:
        """Do all one-time work, so that the first prediction is as fast as the others.

        Args:
            continuation: One of `info.continuations`, when chunks will be continued in that mode;
                None: they will not. A later call may warm up another mode.
        """

    def begin_task(self, task: str) -> None:
        """Discard state that belongs to an earlier task."""

    def predict_subtask(
        self, observation: Observation, task: str, history: Sequence[PastSubtask] = ()
    ) -> SubtaskPrediction:
        """High level: predict the next subtask of `task`.

        Args:
            observation: Of now.
            task: Text of the task.
            history: At most `info.history` earlier subtasks of the task, oldest first.
        """

    def predict_chunk(
        self, observation: Observation, subtask: str, continuation: Continuation | None = None
    ) -> ChunkPrediction:
        """Low level: predict the chunk of targets that carries out `subtask`.

        Args:
            observation: Row k of the chunk is due at its `stamp_ns + k * period`.
            subtask: Text of the subtask.
            continuation: The actions being executed; None: the chunk starts afresh. The first
                rows of the returned chunk equal its committed rows exactly.

        Raises:
            ContinuationError: The brain does not support this mode, or so many committed rows.
        """

    def close(self) -> None:
        """Free weights and devices. The brain must not be used afterwards."""
