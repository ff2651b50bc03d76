"""Which task is being carried out, which subtask serves it, and when to ask for the next."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pi05_ros.inference.brain import Box, SubtaskPrediction
from pi05_ros.inference.instructions import clean


class Outcome(enum.IntEnum):
    """How a task ended. Values are those of pi05_msgs/ExecuteTask."""

    DONE = 0
    CANCELED = 100
    PREEMPTED = 101
    TIMEOUT = 102
    DEACTIVATED = 103


@dataclass(frozen=True)
class CurrentSubtask:
    """What the planner publishes."""

    id: int
    task: str
    text: str
    boxes: tuple[Box, ...]
    source: str
    score: float
    stamp_ns: int  # Of the observation, or of the moment it was said.


@dataclass(frozen=True)
class Task:
    """A task that is being carried out."""

    text: str
    started_ns: int
    limit_ns: int | None  # None: no limit.


class TaskKeeper:
    """The planner's memory: one task at most, one subtask, and an operator who may overrule.

    Not thread-safe; its node holds one lock.
    """

    def __init__(self, period: float, first_id: int = 1) -> None:
        """Starts without a task.

        Args:
            period: Time between two predictions [s].
            first_id: Id of the first subtask; above those of an earlier keeper.
        """
        self.task: Task | None = None
        self.subtask: CurrentSubtask | None = None
        self.instruction: str = ""  # What an operator said; empty: the brain decides.
        self.subtask_count = 0  # Subtasks with text, for the present task.
        self._period_ns = round(period * 1e9)
        self.next_id = first_id
        self._predicted_ns: int | None = None

    def begin(self, task: str, now_ns: int, limit: float | None) -> None:
        """Begins a task; an earlier one is forgotten. limit: at most this long [s], or None."""
        limit_ns = None if limit is None else round(limit * 1e9)
        self.task = Task(task, now_ns, limit_ns)
        self.instruction = ""
        self.subtask_count = 0
        self._predicted_ns = None

    def end(self, now_ns: int) -> CurrentSubtask:
        """Ends the task; returns the empty subtask that tells the policy to stop."""
        self.task = None
        self.instruction = ""
        return self._set("", (), "external", float("nan"), now_ns)

    def out_of_time(self, now_ns: int) -> bool:
        """Whether the task's time limit has run out."""
        task = self.task
        if task is None or task.limit_ns is None:
            return False
        return now_ns - task.started_ns >= task.limit_ns

    def is_due(self, stamp_ns: int) -> bool:
        """Whether the brain should be asked, given the stamp of the newest observation."""
        if self.task is None or self.instruction:
            return False
        if self._predicted_ns is None or stamp_ns < self._predicted_ns:
            return True
        return stamp_ns - self._predicted_ns >= self._period_ns

    def predicted(
        self, prediction: SubtaskPrediction, source: str, stamp_ns: int
    ) -> CurrentSubtask | None:
        """Takes the brain's answer; returns the subtask to publish, or None.

        An empty text that is not the end of the task keeps the last subtask.
        """
        self._predicted_ns = stamp_ns
        if self.task is None or self.instruction:
            return None  # The task ended, or an operator spoke, while the brain was thinking.
        text = clean(prediction.text)
        if not text and not prediction.done:
            return None
        return self._set(text, prediction.boxes, source, prediction.score, stamp_ns)

    def instruct(self, text: str, now_ns: int) -> CurrentSubtask | None:
        """An operator says a subtask, or hands back with an empty text.

        Returns:
            The subtask to publish; None when the brain goes on by itself.
        """
        self.instruction = text
        if text:
            return self._set(text, (), "human", float("nan"), now_ns)
        self._predicted_ns = None
        if self.task is None:
            return self._set("", (), "human", float("nan"), now_ns)
        return None

    def _set(
        self, text: str, boxes: tuple[Box, ...], source: str, score: float, stamp_ns: int
    ) -> CurrentSubtask:
        task = self.task.text if self.task else ""
        old = self.subtask
        number = old.id if old and (old.text, old.task) == (text, task) else self.next_id
        if number == self.next_id:
            self.next_id += 1
            self.subtask_count += bool(text)
        self.subtask = CurrentSubtask(number, task, text, boxes, source, score, stamp_ns)
        return self.subtask
