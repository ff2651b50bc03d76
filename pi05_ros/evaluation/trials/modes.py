"""Modes of the high level (π0.5 paper, section 4.6), and what speaks in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from pi05_ros.brain.interface import Brain, PastSubtask, SubtaskPrediction
from pi05_ros.brain.observation import Observation


@dataclass(frozen=True)
class Mode:
    """A source of subtasks for the low level."""

    name: str
    description: str  # One clause, for the report.
    speaks_task: bool = False  # The task is the subtask, and no high level is asked.


MODES: Mapping[str, Mode] = MappingProxyType(
    {
        mode.name: mode
        for mode in (
            Mode("full", "the model's own high level names the subtasks"),
            Mode("implicit", "the task is the subtask; for weights trained with subtasks", True),
            Mode("no_hl", "the task is the subtask; for weights trained without subtasks", True),
            Mode("human", "a scripted oracle that knows the home names the subtasks"),
            Mode("external", "another planner names the subtasks"),
        )
    }
)


class HighLevel(Protocol):
    """What names the subtasks of a trial.

    Attributes:
        source: Subtask.source of its answers; answers of "model" need confirmation.
        history: Past subtasks that it reads; 0: none.
        image_size: (height, width) of its pictures; None: those of the low level, if any.
    """

    source: str
    history: int
    image_size: tuple[int, int] | None

    def begin_task(self, task: str) -> None:
        """Discard what belongs to an earlier task."""

    def predict(
        self, observation: Observation, task: str, history: Sequence[PastSubtask]
    ) -> SubtaskPrediction:
        """Predict the next subtask.

        Raises:
            Pi05Error: There is no answer.
        """


class BrainHighLevel:
    """The high level of a brain: of the model in mode full, of the expert in mode human.

    Args:
        brain: The brain.
    """

    def __init__(self, brain: Brain) -> None:
        self._brain = brain
        self.source = brain.info.subtask_source
        self.history = brain.info.history
        self.image_size = brain.info.image_size

    def begin_task(self, task: str) -> None:
        """Discard what belongs to an earlier task."""
        self._brain.begin_task(task)

    def predict(
        self, observation: Observation, task: str, history: Sequence[PastSubtask]
    ) -> SubtaskPrediction:
        """Predict the next subtask; see Brain.predict_subtask."""
        options = {"history": history} if history else {}
        return self._brain.predict_subtask(observation, task, **options)
