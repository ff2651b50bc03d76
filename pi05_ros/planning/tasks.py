"""State of the present task, its subtask and the operator's instruction."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from pi05_ros.brain.interface import Box


class Outcome(enum.IntEnum):
    """Result of a task. Values are those of pi05_msgs/ExecuteTask."""

    DONE = 0
    CANCELED = 100
    PREEMPTED = 101
    TIMEOUT = 102
    DEACTIVATED = 103
    FAILED = 105  # It does not get on; 104 is that of a rejected goal.


@dataclass(frozen=True)
class OverruledAnswer:
    """Answer of the brain that an operator's subtask overrules."""

    text: str  # Empty: the task is done.
    score: float
    stamp_ns: int  # Of the observation.


@dataclass(frozen=True)
class CurrentSubtask:
    """The subtask that the planner publishes."""

    id: int
    task: str
    text: str
    boxes: tuple[Box, ...]
    source: str
    score: float
    stamp_ns: int  # Of the observation, or of the instruction.
    overruled: OverruledAnswer | None = None  # The brain's answer, for an operator's subtask.


@dataclass(frozen=True)
class Task:
    """An active task."""

    text: str
    started_ns: int
    limit_ns: int | None  # None: no limit.


class TaskKeeper:
    """Holds the present task, subtask and operator's instruction; starts without a task.

    Args:
        first_id: Id of the first subtask; above the ids of an earlier instance.
    """

    def __init__(self, first_id: int = 1) -> None:
        self.task: Task | None = None
        self.subtask: CurrentSubtask | None = None
        self.instruction: str = ""  # The operator's subtask; empty: the brain decides.
        self.subtask_count = 0  # Subtasks with text, for the present task.
        self.since_ns = 0  # When the present subtask began.
        self.excluded_ns = 0  # Time of the task that an operator drove.
        self.next_id = first_id

    @property
    def standing(self) -> str:
        """Text of the present subtask if it belongs to the present task, else empty."""
        subtask, task = self.subtask, self.task
        serves = subtask is not None and task is not None and subtask.task == task.text
        return subtask.text if subtask is not None and serves else ""

    def begin(self, task: str, now_ns: int, limit: float | None) -> None:
        """Begin a task in place of an earlier one.

        Args:
            task: Its text.
            now_ns: Present time [ns].
            limit: Time limit [s]; None: no limit.
        """
        limit_ns = None if limit is None else round(limit * 1e9)
        self.task = Task(task, now_ns, limit_ns)
        self.instruction = ""
        self.subtask_count = 0
        self.excluded_ns = 0

    def exclude(self, duration_ns: int) -> None:
        """Exclude the last `duration_ns` [ns] from the time of task and subtask."""
        self.excluded_ns += duration_ns
        self.since_ns += duration_ns

    def end(self, now_ns: int) -> CurrentSubtask:
        """End the task and return the empty subtask that stops the policy."""
        self.task = None
        self.instruction = ""
        return self.put("", (), "external", float("nan"), now_ns, now_ns)

    def out_of_time(self, now_ns: int) -> bool:
        """Check whether the task's time limit is exceeded."""
        task = self.task
        if task is None or task.limit_ns is None:
            return False
        return now_ns - task.started_ns - self.excluded_ns >= task.limit_ns

    def instruct(self, text: str, now_ns: int) -> CurrentSubtask | None:
        """Set the operator's subtask, or return control to the brain with an empty text.

        Returns:
            The subtask to publish; None if the brain continues the task.
        """
        self.instruction = text
        if text or self.task is None:
            return self.put(text, (), "human", float("nan"), now_ns, now_ns)
        return None

    def overrule(self, answer: OverruledAnswer) -> bool:
        """Record the brain's answer with the operator's subtask.

        Returns:
            Whether its text differs from the previous overruled answer.
        """
        assert self.subtask is not None
        before = self.subtask.overruled
        self.subtask = replace(self.subtask, overruled=answer)
        return before is None or before.text != answer.text

    def put(
        self,
        text: str,
        boxes: tuple[Box, ...],
        source: str,
        score: float,
        stamp_ns: int,
        now_ns: int,
    ) -> CurrentSubtask:
        """Set and return the present subtask. Its id rises with every change of text or task."""
        task = self.task.text if self.task else ""
        old = self.subtask
        number = old.id if old and (old.text, old.task) == (text, task) else self.next_id
        if number == self.next_id:
            self.next_id += 1
            self.subtask_count += bool(text)
            self.since_ns = now_ns
        self.subtask = CurrentSubtask(number, task, text, boxes, source, score, stamp_ns)
        return self.subtask
