"""Which task is being carried out, which subtask serves it, and whether an operator overrules."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from pi05_ros.brain.interface import Box


class Outcome(enum.IntEnum):
    """How a task ended. Values are those of pi05_msgs/ExecuteTask."""

    DONE = 0
    CANCELED = 100
    PREEMPTED = 101
    TIMEOUT = 102
    DEACTIVATED = 103


@dataclass(frozen=True)
class OverruledAnswer:
    """What the brain would have said while an operator's subtask stands."""

    text: str  # Empty: that the task is done.
    score: float
    stamp_ns: int  # Of the observation.


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
    overruled: OverruledAnswer | None = None  # The brain's answer that it stands against.


@dataclass(frozen=True)
class Task:
    """A task that is being carried out."""

    text: str
    started_ns: int
    limit_ns: int | None  # None: no limit.


class TaskKeeper:
    """The planner's memory: one task at most, one subtask, and an operator who may overrule."""

    def __init__(self, first_id: int = 1) -> None:
        """Starts without a task. first_id: of the first subtask; above those of an earlier one."""
        self.task: Task | None = None
        self.subtask: CurrentSubtask | None = None
        self.instruction: str = ""  # What an operator said; empty: the brain decides.
        self.subtask_count = 0  # Subtasks with text, for the present task.
        self.since_ns = 0  # When the present subtask became another one than before.
        self.next_id = first_id

    def begin(self, task: str, now_ns: int, limit: float | None) -> None:
        """Begins a task; an earlier one is forgotten. limit: at most this long [s], or None."""
        limit_ns = None if limit is None else round(limit * 1e9)
        self.task = Task(task, now_ns, limit_ns)
        self.instruction = ""
        self.subtask_count = 0

    def end(self, now_ns: int) -> CurrentSubtask:
        """Ends the task; returns the empty subtask that tells the policy to stop."""
        self.task = None
        self.instruction = ""
        return self.put("", (), "external", float("nan"), now_ns, now_ns)

    def out_of_time(self, now_ns: int) -> bool:
        """Whether the task's time limit has run out."""
        task = self.task
        if task is None or task.limit_ns is None:
            return False
        return now_ns - task.started_ns >= task.limit_ns

    def instruct(self, text: str, now_ns: int) -> CurrentSubtask | None:
        """An operator says a subtask, or hands back with an empty text.

        Returns:
            The subtask to publish; None when the brain goes on by itself.
        """
        self.instruction = text
        if text or self.task is None:
            return self.put(text, (), "human", float("nan"), now_ns, now_ns)
        return None

    def overrule(self, answer: OverruledAnswer) -> bool:
        """Keeps the brain's answer beside what an operator said.

        Returns:
            Whether it is another text than the one before.
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
        """Makes this the present subtask. Its id rises with every change of text or task."""
        task = self.task.text if self.task else ""
        old = self.subtask
        number = old.id if old and (old.text, old.task) == (text, task) else self.next_id
        if number == self.next_id:
            self.next_id += 1
            self.subtask_count += bool(text)
            self.since_ns = now_ns
        self.subtask = CurrentSubtask(number, task, text, boxes, source, score, stamp_ns)
        return self.subtask
