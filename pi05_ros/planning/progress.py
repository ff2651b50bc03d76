"""How a task gets on: its subtasks so far, stalls, loops, and what is tried against them."""

from __future__ import annotations

from pi05_ros.brain.instructions import comparison_key
from pi05_ros.brain.interface import PastOutcome
from pi05_ros.planning.ending import EndingSettings, Retries, Step
from pi05_ros.planning.history import SubtaskHistory
from pi05_ros.planning.loops import LoopDetector
from pi05_ros.planning.replanning import ReplanningSettings, Trigger
from pi05_ros.planning.tasks import Task


class TaskProgress:
    """Watches the changes of the subtask and the stalls of one task.

    Args:
        settings: Times and counts of replanning.
        ending: Conditions under which a task ends.

    Attributes:
        history: Subtasks of the task so far.
    """

    def __init__(self, settings: ReplanningSettings, ending: EndingSettings) -> None:
        self.history = SubtaskHistory()
        self._loops = LoopDetector(settings.loop_repeats, settings.loop_window_s)
        self._retries = Retries(ending, settings.loop_repeats)
        self._time_budget = ending.time_budget_s  # [s]; 0: none.
        self._discouraged: set[str] = set()  # Comparison keys that must be predicted once more.

    @property
    def request(self) -> str:
        """What an operator is asked, one sentence; empty: nothing."""
        return self._retries.request

    def failure_of(self, task: Task | None, now_ns: int) -> str:
        """Why the task has failed and must end, in one sentence; empty: it has not.

        Args:
            task: The present task; None: there is none.
            now_ns: Present time [ns].
        """
        if task is None:
            return ""
        budget = self._time_budget
        if budget and task.limit_ns is None and (now_ns - task.started_ns) * 1e-9 >= budget:
            return f"not done within the time budget of {budget:g} s (time_budget_s)"
        return self._retries.failure

    def start_over(self) -> None:
        """Forget stalls and loops, after a new task or an operator's input."""
        self._loops.clear()
        self._retries.start_over()
        self._discouraged.clear()

    def stalled(self, moves: int, subtask: str) -> None:
        """Count a stall; see Retries.stalled."""
        self.history.stalled()
        if self._retries.stalled(moves, subtask) == Step.DISCOURAGE:
            self._discouraged.add(comparison_key(subtask))

    def changed(self, trigger: Trigger, subtask: str, now_ns: int) -> None:
        """Record a change of the subtask to an accepted answer of the brain.

        Args:
            trigger: Trigger of the query.
            subtask: The new one.
            now_ns: Present time [ns].
        """
        outcome: PastOutcome = "changed"
        if trigger == Trigger.SUBTASK_END:
            outcome = "finished"
            self._retries.finished_subtask()
        elif trigger == Trigger.OPERATOR:  # The subtask that ends was the operator's.
            outcome = "interrupted"
        self.history.change(subtask, outcome, now_ns)
        key = comparison_key(subtask)
        self._loops.add(key, now_ns)
        cycle = self._loops.cycle(now_ns)
        if self._retries.looped(cycle) == Step.DISCOURAGE:
            self._discouraged.update(set(cycle) - {key})

    def cycle(self, now_ns: int) -> tuple[str, ...]:
        """Return the subtasks of the present loop; see LoopDetector.cycle."""
        return self._loops.cycle(now_ns)

    def is_discouraged(self, key: str) -> bool:
        """Check, once for each, whether a subtask must be predicted again. key: comparison key."""
        if not key or key not in self._discouraged:
            return False
        self._discouraged.discard(key)
        return True
