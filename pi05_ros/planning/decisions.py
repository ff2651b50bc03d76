"""Queries to the brain, and decisions on its answers and on operators' instructions."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.brain.interface import Box, PastSubtask
from pi05_ros.planning.answers import AnswerVerdict
from pi05_ros.planning.replanning import Trigger
from pi05_ros.planning.tasks import Task


@dataclass(frozen=True)
class Question:
    """A query to the brain for a subtask."""

    trigger: Trigger
    task: Task
    instruction: str = ""  # The operator's subtask that overrules the answer; empty: none.
    history: tuple[PastSubtask, ...] = ()  # Earlier subtasks of the task, oldest first.


@dataclass(frozen=True)
class Decision:
    """Decision on one answer of the brain or one instruction of an operator."""

    trigger: Trigger
    verdict: AnswerVerdict
    task: str  # Empty: no task is active.
    answer: str  # Cleaned.
    score: float
    stamp_ns: int  # Of the observation, or of the instruction.
    publish: bool  # Whether the present subtask must be published (new text or new boxes).
    loop: tuple[str, ...]  # Subtasks of the present cycle; empty: there is no cycle.
    reason: str  # One sentence.
    boxes: tuple[Box, ...] = ()  # Objects that the answer speaks of.
