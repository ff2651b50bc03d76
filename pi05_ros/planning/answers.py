"""Filter of the brain's answers: hysteresis, and a time limit on the last usable answer."""

from __future__ import annotations

import enum

from pi05_ros.planning.replanning import ReplanningSettings, Trigger

_BECAUSE = {
    Trigger.TASK: "the task began",
    Trigger.OPERATOR: "an operator returned control",
    Trigger.SUBTASK_END: "the low level saw nothing more to do",
    Trigger.STALL: "the robot made no progress",
    Trigger.PERIOD: "the period was over",
}


class AnswerVerdict(str, enum.Enum):
    """Outcome of an answer. Values are those of pi05_msgs/PlanDecision.OUTCOME_*."""

    CHANGED = "changed"
    KEPT = "kept"
    HELD_BACK = "held_back"
    REFUSED = "refused"
    DONE = "done"
    OVERRULED = "overruled"


class AnswerFilter:
    """Applies hysteresis to answers and tracks the age of the last usable one.

    A new text from a model that was queried by the period alone is accepted after `confirmations`
    equal answers in a row: a single decoding error must not change the subtask. Answers to any
    other trigger are accepted at once, and so are answers of a source that is not a model.
    """

    def __init__(self, settings: ReplanningSettings) -> None:
        self._settings = settings
        self._candidate = ("", 0)  # A new text, and how often in a row it was answered.
        self._usable_ns = 0
        self._trouble = ""

    def start_over(self, now_ns: int) -> None:
        """Discard earlier answers and restart the time limit, after an operator's input."""
        self._candidate = ("", 0)
        self._usable_ns, self._trouble = now_ns, ""

    def refused(self, trouble: str) -> tuple[AnswerVerdict, str]:
        """Handle an unusable or missing answer.

        Args:
            trouble: Reason, as one clause.

        Returns:
            The outcome, and its reason in one sentence.
        """
        self._candidate = ("", 0)
        self._trouble = trouble
        limit = f"{self._settings.hold_after_s:g} s"
        reason = f"{trouble}; the last good subtask stands for at most {limit}"
        return AnswerVerdict.REFUSED, reason

    def usable(
        self, trigger: Trigger, answer_key: str, current_key: str, source: str, now_ns: int
    ) -> tuple[AnswerVerdict, str]:
        """Decide on a usable answer.

        Args:
            trigger: Trigger of the query.
            answer_key: Comparison key of the answer; empty: the task is done.
            current_key: Comparison key of the task's present subtask; empty: none.
            source: Source of the answer: Subtask.SOURCE_*.
            now_ns: Present time [ns].

        Returns:
            The outcome, and its reason in one sentence.
        """
        self._usable_ns, self._trouble = now_ns, ""
        verdict, what = self._decide(trigger, answer_key, current_key, source)
        return verdict, f"asked because {_BECAUSE[trigger]}: the brain says {what}"

    def _decide(
        self, trigger: Trigger, answer_key: str, current_key: str, source: str
    ) -> tuple[AnswerVerdict, str]:
        """Return the outcome of `usable`, and a short description of the answer."""
        candidate, count = self._candidate
        self._candidate = ("", 0)
        if answer_key and answer_key == current_key:
            return AnswerVerdict.KEPT, "the same again"
        change = AnswerVerdict.CHANGED if answer_key else AnswerVerdict.DONE
        what = "another subtask" if answer_key else "that the task is done"
        if source != "model":
            return change, f"{what}, and its source ({source}) needs no confirmation"
        if trigger != Trigger.PERIOD:
            return change, what
        if not current_key:
            return change, f"{what}, and there was none"
        count = count + 1 if count and candidate == answer_key else 1
        needed = self._settings.confirmations
        if count >= needed:
            return change, f"{what}, {count} times in a row"
        self._candidate = (answer_key, count)
        what = f"{what}, {count} of {needed} confirmations"
        return AnswerVerdict.HELD_BACK, what

    def unfit(self, now_ns: int) -> str:
        """Reason why the robot must not move on the last usable answer; empty: it may."""
        self._usable_ns = min(self._usable_ns, now_ns)  # Time may jump back.
        age = (now_ns - self._usable_ns) * 1e-9
        if age <= self._settings.hold_after_s:
            return ""
        return f"no usable subtask for {age:.0f} s: {self._trouble or 'the brain is silent'}"
