"""Filter of the brain's answers: hysteresis, and a time limit on the last usable answer."""

from __future__ import annotations

import enum

from pi05_ros.brain.instructions import answer_problem
from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.planning.ending import EndingSettings
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


def prediction_problem(prediction: SubtaskPrediction) -> str:
    """Reason why a prediction is not usable, as one clause; empty if it is.

    Weighed before `done`: the word "done" at the end of what a limit cut off says nothing.
    """
    if prediction.problem or prediction.done:
        return prediction.problem
    return answer_problem(prediction.text)


class AnswerFilter:
    """Applies hysteresis to answers and tracks the age of the last usable one.

    A new text from a model that was queried by the period alone is accepted after `confirmations`
    equal answers in a row: a single decoding error must not change the subtask. Answers to any
    other trigger are accepted at once, and so are answers of a source that is not a model.

    "Done" ends the task, so more is demanded: while the robot does not run it does not count, from
    any source; from a model it needs `confirmations` answers in a row with `done_score`, whatever
    triggered them, the first look of a task not counted.

    Args:
        settings: Times and counts of replanning.
        ending: Conditions under which a task ends.
    """

    def __init__(self, settings: ReplanningSettings, ending: EndingSettings | None = None) -> None:
        self._settings = settings
        self._ending = ending or EndingSettings()
        self._is_first_look = False
        self._candidate = ("", 0)  # A new text, and how often in a row it was answered.
        self._usable_ns = 0
        self._trouble = ""

    def start_over(self, now_ns: int, first_look: bool = False) -> None:
        """Discard earlier answers and restart the time limit, after an operator's input.

        Args:
            now_ns: Present time [ns].
            first_look: Whether the next usable answer is the first one of a task.
        """
        self._is_first_look = first_look
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

    def discouraged(self, now_ns: int) -> tuple[AnswerVerdict, str]:
        """Handle an answer that names a subtask again that stalled or belongs to a loop.

        Returns:
            The outcome, and its reason in one sentence.
        """
        self._usable_ns, self._trouble = now_ns, ""
        self._candidate = ("", 0)
        self._is_first_look = False
        reason = "the brain names a subtask that did not help before: it must say so once more"
        return AnswerVerdict.HELD_BACK, reason

    def usable(
        self,
        trigger: Trigger,
        answer_key: str,
        current_key: str,
        source: str,
        now_ns: int,
        score: float = float("nan"),
        hindrance: str = "",
    ) -> tuple[AnswerVerdict, str]:
        """Decide on a usable answer.

        Args:
            trigger: Trigger of the query.
            answer_key: Comparison key of the answer; empty: the task is done.
            current_key: Comparison key of the task's present subtask; empty: none.
            source: Source of the answer: Subtask.SOURCE_*.
            now_ns: Present time [ns].
            score: Mean token probability of the answer; NaN: none given.
            hindrance: Why the task cannot be done now, as one clause ("the robot is stopped");
                empty: it can.

        Returns:
            The outcome, and its reason in one sentence.
        """
        self._usable_ns, self._trouble = now_ns, ""
        if answer_key:
            verdict, what = self._decide(trigger, answer_key, current_key, source)
        else:
            verdict, what = self._decide_done(source, score, hindrance)
        self._is_first_look = False
        return verdict, f"asked because {_BECAUSE[trigger]}: the brain says {what}"

    def _decide(
        self, trigger: Trigger, answer_key: str, current_key: str, source: str
    ) -> tuple[AnswerVerdict, str]:
        """Return the outcome of a subtask in `usable`, and a short description of the answer."""
        changed, what = AnswerVerdict.CHANGED, "another subtask"
        if answer_key == current_key:
            self._candidate = ("", 0)
            return AnswerVerdict.KEPT, "the same again"
        at_once = ""
        if source != "model":
            at_once = f"{what}, and its source ({source}) needs no confirmation"
        elif trigger != Trigger.PERIOD:
            at_once = what
        elif not current_key:
            at_once = f"{what}, and there was none"
        if at_once:
            self._candidate = ("", 0)
            return changed, at_once
        return self._repeated(answer_key, changed, what)

    def _decide_done(self, source: str, score: float, hindrance: str) -> tuple[AnswerVerdict, str]:
        """Return the outcome of "done" in `usable`, and a short description of the answer."""
        what, ignored = "that the task is done", "that the task is done, which does not count: "
        if hindrance:  # Neither counted nor a gap in the row.
            return AnswerVerdict.HELD_BACK, ignored + hindrance
        if source != "model":
            what += f", and its source ({source}) needs no confirmation"
            return AnswerVerdict.DONE, what
        if self._is_first_look:
            return AnswerVerdict.HELD_BACK, f"{ignored}this is the first look of the task"
        if score < self._ending.done_score:  # False for NaN: no score was given.
            self._candidate = ("", 0)
            limit = f"its score {score:.2f} is below {self._ending.done_score:g} (done_score)"
            return AnswerVerdict.HELD_BACK, ignored + limit
        return self._repeated("", AnswerVerdict.DONE, what)

    def _repeated(
        self, answer_key: str, change: AnswerVerdict, what: str
    ) -> tuple[AnswerVerdict, str]:
        """Accept a change that was answered often enough in a row."""
        candidate, count = self._candidate
        count = count + 1 if count and candidate == answer_key else 1
        needed = self._settings.confirmations
        if count >= needed:
            self._candidate = ("", 0)
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
