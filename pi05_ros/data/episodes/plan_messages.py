"""Conversion of the planner's messages to plans: which answer belongs to which observation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from pi05_ros.brain.label_text import DONE
from pi05_ros.data.episodes.episode import PLAN, SPOKEN, Plan
from pi05_ros.data.episodes.labels import known, picture_boxes

# Subtask.SOURCE_* and PlanDecision.OUTCOME_*; data imports no generated messages.
_HUMAN, _MODEL = "human", "model"
_CHANGED, _KEPT, _DONE, _OVERRULED = "changed", "kept", "done", "overruled"


class PlanCollector:
    """Collects Subtask and PlanDecision messages of an episode, in any order.

    A Subtask is published for each answer that changes or confirms it, with the stamp of its
    observation. Decisions add that a task is done, the answers that an operator overruled, and
    answers whose Subtask was lost. Held back and refused answers are no plans: what would have
    been right is not known.
    """

    def __init__(self) -> None:
        # By `_key`: a task may end and the next one begin at the same picture.
        self._plans: dict[tuple[bool, int, str], Plan] = {}
        self._decisions: list[Any] = []
        # Subtask.id -> stamps and sources: an operator who says what stands keeps its id.
        self._sources: dict[int, list[tuple[int, str]]] = defaultdict(list)
        # Of a spoken subtask's id: usable answers of the model with their stamps.
        self._answers: dict[int, list[tuple[int, str]]] = defaultdict(list)

    def add_subtask(self, message: Any) -> None:
        """Add a pi05_msgs/Subtask."""
        stamp_ns, spoken = _time_ns(message.header.stamp), message.source == _HUMAN
        if not message.text or not stamp_ns:
            return
        self._sources[int(message.id)].append((stamp_ns, message.source))
        if spoken:
            model_ns = _time_ns(getattr(message, "model_stamp", None))
            text = getattr(message, "model_text", "")
            if model_ns or text:
                self._answers[int(message.id)].append((model_ns, text or DONE))
        plan = Plan(
            stamp_ns,
            message.task,
            message.text,
            message.source,
            SPOKEN if spoken else PLAN,
            boxes=picture_boxes(message.boxes),
            score=known(message.score),
            subtask_id=int(message.id),
        )
        self._plans.setdefault(_key(plan), plan)

    def add_decision(self, message: Any) -> None:
        """Add a pi05_msgs/PlanDecision."""
        if message.outcome in (_CHANGED, _KEPT, _DONE, _OVERRULED):
            self._decisions.append(message)

    def plans(self) -> tuple[Plan, ...]:
        """Plans of the messages so far, in the order of their stamps."""
        found = dict(self._plans)
        for message in self._decisions:
            plan = self._of_decision(message)
            if plan is not None and plan.stamp_ns:
                found.setdefault(_key(plan), plan)
        plans = sorted(found.values(), key=lambda plan: plan.stamp_ns)
        return tuple(self._with_model_text(plan) for plan in plans)

    def _of_decision(self, message: Any) -> Plan | None:
        number, stamp_ns = int(message.subtask_id), _time_ns(message.header.stamp)
        plan = Plan(
            stamp_ns,
            message.task,
            message.subtask or message.answer or DONE,
            self._source_at(number, stamp_ns),
            boxes=picture_boxes(getattr(message, "boxes", ())),
            score=known(message.score),
            subtask_id=number,
        )
        if message.outcome == _DONE:
            return replace(plan, text="", done=True, source=self._source_before(plan))
        if message.outcome == _OVERRULED:
            # The boxes and the score are those of the model's answer, not of the spoken text.
            plan = replace(plan, source=_HUMAN, kind=SPOKEN, boxes=(), score=None)
            # An unusable answer is recorded as well, but was never published as model_text.
            answer = DONE if message.answer.casefold() in ("", DONE) else message.answer
            is_usable = answer in [text for _, text in self._answers[number]]
            return (
                replace(plan, model_text=answer if is_usable else "") if message.subtask else None
            )
        if not message.answer:  # An operator returned control.
            return None
        return replace(plan, kind=SPOKEN) if plan.source == _HUMAN else plan

    def _source_at(self, number: int, stamp_ns: int) -> str:
        """Source of a subtask at a time [ns]: that of its newest message of then or before.

        Where that message was lost, it is not an operator's: his words are later.
        """
        stamped = sorted(self._sources[number])
        before = [source for at_ns, source in stamped if at_ns <= stamp_ns]
        later = [source for _, source in stamped if source != _HUMAN]
        return before[-1] if before else (later or [_MODEL])[0]

    def _source_before(self, done: Plan) -> str:
        """Source of the newest plan of a task before its end; the model's if there is none."""
        before = [
            plan
            for (spoken, stamp_ns, _), plan in self._plans.items()
            if not spoken and stamp_ns <= done.stamp_ns and plan.task == done.task
        ]
        return max(before, key=lambda plan: plan.stamp_ns).source if before else _MODEL

    def _with_model_text(self, plan: Plan) -> Plan:
        """Add the model's first answer while a spoken subtask stood, unless it has its own."""
        if plan.kind != SPOKEN or plan.model_text or _key(plan) not in self._plans:
            return plan
        answers = self._answers[plan.subtask_id]
        first = min(answers, key=lambda answer: answer[0], default=(0, ""))
        return replace(plan, model_text=first[1])


def _key(plan: Plan) -> tuple[bool, int, str]:
    """What no two plans share: whether it was spoken, its stamp, and its task."""
    return plan.kind == SPOKEN, plan.stamp_ns, plan.task


def _time_ns(stamp: Any) -> int:
    """A builtin_interfaces/Time [ns]; 0: there is none."""
    return 0 if stamp is None else int(stamp.sec) * 10**9 + int(stamp.nanosec)
