"""When a task ends without success: stalls, loops and time, each after some retries."""

from __future__ import annotations

import enum
from collections.abc import Hashable
from dataclasses import dataclass

from pi05_ros.foundation.settings import setting


@dataclass(frozen=True)
class EndingSettings:
    """Conditions under which a task ends."""

    done_score: float = setting(
        0.5,
        "Smallest mean token probability of a model's answer 'done' that counts; 0.0: any.",
        minimum=0.0,
        maximum=1.0,
    )
    max_stalls: int = setting(
        5,
        "Stalls in a row (see stall_after_s), without progress in between, that use up one retry "
        "of the task.",
        minimum=1,
        maximum=1000,
    )
    retries: int = setting(
        3,
        "Retries of a task that stalls or whose subtasks repeat in a loop, before it ends as "
        "failed. At the first one the repeated subtask must be predicted once more, at the others "
        "an operator is asked.",
        minimum=0,
        maximum=1000,
    )
    time_budget_s: float = setting(
        3600.0,
        "A task without a time limit of its own ends as failed after this long [s]; 0.0: never.",
        minimum=0.0,
        maximum=1e6,
    )


_STALL = "stall"  # The kind of trouble that is no loop.


class Step(enum.Enum):
    """What to do about a task that does not get on."""

    NONE = "none"
    DISCOURAGE = "discourage"  # The repeated subtask must be predicted once more.
    ASK = "ask"  # Ask the operator.
    FAIL = "fail"  # End the task.


class Retries:
    """Counts stalls and loops of a task, and spends its retries on them.

    Args:
        settings: The limits.
        repeats: Repetitions of a cycle of subtasks that make it a loop.
    """

    def __init__(self, settings: EndingSettings, repeats: int) -> None:
        self._settings = settings
        self._repeats = repeats
        self.start_over()

    def start_over(self) -> None:
        """Forget everything, after a new task or an operator's input."""
        self._stalls = 0  # In a row.
        self._moves = -1  # Progress count at the last stall.
        self._spent: dict[Hashable, int] = {}  # Kind of trouble → times that it occurred.
        self._changes_until_loop = 0  # Changes of the subtask until a loop counts again.
        self.request = ""  # What an operator is asked, one sentence; empty: nothing.
        self._asked: Hashable = None  # Kind of trouble that `request` is about.
        self.failure = ""  # Why the task failed, one sentence; empty: it did not.

    def finished_subtask(self) -> None:
        """Take note that a subtask came to its end: the task gets on."""
        self._stalls = 0
        self._spent.pop(_STALL, None)
        if self._asked == _STALL:
            self.request = ""

    def stalled(self, moves: int, subtask: str) -> Step:
        """Count a stall.

        Args:
            moves: Progress so far; see RobotWatch.moves.
            subtask: The present subtask.
        """
        self._stalls = self._stalls + 1 if moves == self._moves else 1
        self._moves = moves
        if self._stalls < self._settings.max_stalls:
            return Step.NONE
        what = f"{self._stalls} stalls in a row without progress, at '{subtask}'"
        self._stalls = 0
        return self._spend(_STALL, what)

    def looped(self, cycle: tuple[str, ...]) -> Step:
        """Count a change of the subtask within a loop; `cycle` empty: there is none."""
        if not cycle:
            self._changes_until_loop = 0
            return Step.NONE
        self._changes_until_loop -= 1
        if self._changes_until_loop > 0:
            return Step.NONE
        self._changes_until_loop = len(cycle) * self._repeats
        return self._spend(frozenset(cycle), "the same subtasks in a loop: " + ", ".join(cycle))

    def _spend(self, kind: Hashable, what: str) -> Step:
        count = self._spent[kind] = self._spent.get(kind, 0) + 1
        if count > self._settings.retries:
            tries = f"{count - 1} retries" if count > 1 else "no retry allowed (retries)"
            self.failure = f"{what}; {tries}"
            return Step.FAIL
        if count == 1:
            return Step.DISCOURAGE
        self._asked = kind
        self.request = (
            f"the task does not get on ({what}): help the robot and hand back, say a subtask, or "
            "cancel the task"
        )
        return Step.ASK
