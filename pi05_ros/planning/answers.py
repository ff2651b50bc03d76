"""Which of the brain's answers are believed, and how long the last good one counts."""

from __future__ import annotations

import enum

from pi05_ros.planning.replanning import ReplanningSettings, Trigger

_BECAUSE = {
    Trigger.TASK: "the task began",
    Trigger.OPERATOR: "an operator handed back",
    Trigger.SUBTASK_END: "the low level saw nothing more to do",
    Trigger.STALL: "the robot made no progress",
    Trigger.PERIOD: "the period was over",
}


class AnswerVerdict(str, enum.Enum):
    """What became of an answer. Values are those of pi05_msgs/PlanDecision.OUTCOME_*."""

    CHANGED = "changed"
    KEPT = "kept"
    HELD_BACK = "held_back"
    REFUSED = "refused"
    DONE = "done"
    OVERRULED = "overruled"


class AnswerFilter:
    """Hysteresis, and the age of the last usable answer.

    A model that is asked by the clock alone must say another text `confirmations` times in a row
    before it is believed: one flicker of a decoder would make a robot drop what it is doing. What
    is asked for a reason is believed at once, and so is a source that does not guess.
    """

    def __init__(self, settings: ReplanningSettings) -> None:
        self._settings = settings
        self._candidate = ("", 0)  # Another text, and how often in a row it was said.
        self._usable_ns = 0
        self._trouble = ""

    def start_over(self, now_ns: int) -> None:
        """A person spoke: what was said before counts no more, and the time runs anew."""
        self._candidate = ("", 0)
        self._usable_ns, self._trouble = now_ns, ""

    def refused(self, trouble: str) -> tuple[AnswerVerdict, str]:
        """An answer is not usable, or none came; trouble: why, as one clause."""
        self._candidate = ("", 0)
        self._trouble = trouble
        limit = f"{self._settings.hold_after:g} s"
        reason = f"{trouble}; the last good subtask stands for at most {limit}"
        return AnswerVerdict.REFUSED, reason

    def usable(
        self, trigger: Trigger, words: str, standing: str, source: str, now_ns: int
    ) -> tuple[AnswerVerdict, str]:
        """Judges a usable answer.

        Args:
            trigger: Why it was asked for.
            words: The answer as it is compared; empty: the task is done.
            standing: The present subtask of this task, likewise; empty: none.
            source: Who says it: Subtask.SOURCE_*.
            now_ns: The present [ns].

        Returns:
            What becomes of it, and why in one sentence.
        """
        self._usable_ns, self._trouble = now_ns, ""
        verdict, what = self._believe(trigger, words, standing, source)
        return verdict, f"asked because {_BECAUSE[trigger]}: the brain says {what}"

    def _believe(
        self, trigger: Trigger, words: str, standing: str, source: str
    ) -> tuple[AnswerVerdict, str]:
        """See `usable`; the verdict, and what the brain says in a few words."""
        candidate, count = self._candidate
        self._candidate = ("", 0)
        if words and words == standing:
            return AnswerVerdict.KEPT, "the same again"
        change = AnswerVerdict.CHANGED if words else AnswerVerdict.DONE
        what = "another subtask" if words else "that the task is done"
        if source != "model":
            return change, f"{what}, and its source ({source}) needs no second word"
        if trigger != Trigger.PERIOD:
            return change, what
        if not standing:
            return change, f"{what}, and there was none"
        count = count + 1 if count and candidate == words else 1
        needed = self._settings.confirmations
        if count >= needed:
            return change, f"{what}, {count} times in a row"
        self._candidate = (words, count)
        what = f"{what}, {count} of the {needed} times in a row that it must"
        return AnswerVerdict.HELD_BACK, what

    def unfit(self, now_ns: int) -> str:
        """Why the robot must not move on the last good answer, as one clause; empty: it may."""
        self._usable_ns = min(self._usable_ns, now_ns)  # Time may jump back.
        age = (now_ns - self._usable_ns) * 1e-9
        if age <= self._settings.hold_after:
            return ""
        return f"no usable subtask for {age:.0f} s: {self._trouble or 'the brain is silent'}"
