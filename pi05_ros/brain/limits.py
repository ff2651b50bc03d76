"""Texts that a brain cannot read, found when they are given and not at every query."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pi05_ros.brain.interface import Brain


@runtime_checkable
class LimitsTexts(Protocol):
    """A brain whose prompts have a limited length; one without these methods has no limit."""

    def task_problem(self, task: str) -> str:
        """Reason why a task fits into no prompt, as one clause; empty if it fits."""

    def subtask_problem(self, subtask: str) -> str:
        """Reason why a subtask fits into no prompt of the low level; empty if it fits."""


def task_problem(brain: Brain, task: str) -> str:
    """Reason why `brain` cannot read a task, as one clause; empty if it can."""
    return brain.task_problem(task) if isinstance(brain, LimitsTexts) else ""


def subtask_problem(brain: Brain, subtask: str) -> str:
    """Reason why `brain` cannot read a subtask, as one clause; empty if it can."""
    return brain.subtask_problem(subtask) if isinstance(brain, LimitsTexts) else ""
