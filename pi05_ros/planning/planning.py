"""Logic of the planner node without ROS: queries to the brain, decisions on answers, warnings.

docs/design/planning.md describes the rules. Not thread-safe; the node holds one lock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from pi05_ros.brain.instructions import clean, comparison_key
from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.planning.answers import AnswerFilter, AnswerVerdict, prediction_problem
from pi05_ros.planning.decisions import Decision, Question
from pi05_ros.planning.ending import EndingSettings
from pi05_ros.planning.operator_warnings import operator_warnings
from pi05_ros.planning.overruling import note_overruled
from pi05_ros.planning.progress import TaskProgress
from pi05_ros.planning.replanning import Replanner, ReplanningSettings, Trigger
from pi05_ros.planning.robot_watch import RobotMode, RobotWatch, Suspension
from pi05_ros.planning.tasks import CurrentSubtask, TaskKeeper
from pi05_ros.platforms.platform import Platform


class Planning:
    """State of task, subtask and operator input, with triggers, hysteresis and loop detection.

    Args:
        platform: The robot.
        settings: Times and counts of the rules.
        first_id: Id of the first subtask; above the ids of an earlier instance.
        ending: Conditions under which a task ends; None: the defaults.
        asks: Whether a brain is queried; otherwise only operators name subtasks.

    Attributes:
        keeper: Task, subtask and instruction.
        progress: History, stalls and loops of the task.
        counts: Number of decisions by outcome, and of answers that were not whole ("cut off").
        suspended: Why the task is suspended, as one clause; empty: it is not.
    """

    def __init__(
        self,
        platform: Platform,
        settings: ReplanningSettings,
        first_id: int = 1,
        ending: EndingSettings | None = None,
        asks: bool = True,
    ) -> None:
        self._asks = asks
        self.keeper = TaskKeeper(first_id)
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.suspended = ""
        ending = ending or EndingSettings()
        self._replanner = Replanner(settings)
        self._answers = AnswerFilter(settings, ending)
        self._robot = RobotWatch(platform, self._replanner, settings.stall_after_s)
        self._suspension = Suspension()
        self.progress = TaskProgress(settings, ending)

    # Tasks and operators.

    def begin(self, task: str, now_ns: int, limit: float | None) -> None:
        """Begin a task.

        Args:
            task: Its text.
            now_ns: Present time [ns].
            limit: Time limit [s]; None: no limit.
        """
        self.keeper.begin(task, now_ns, limit)
        self.progress.history.clear()
        self._start_over(now_ns, first_look=True)
        self._replanner.request(Trigger.TASK)

    def end(self, now_ns: int) -> CurrentSubtask:
        """End the task and return the empty subtask that stops the policy."""
        self._start_over(now_ns)
        self.progress.history.clear()
        return self.keeper.end(now_ns)

    def resume(self, now_ns: int) -> CurrentSubtask | None:
        """Go on with a suspended task, at an operator's word.

        Returns:
            The subtask to publish; None: the brain is asked for one.
        """
        self._start_over(now_ns)
        if self.keeper.instruction:
            return self.keeper.instruct(self.keeper.instruction, now_ns)
        self._replanner.request(Trigger.OPERATOR)
        return None

    def instruct(self, text: str, now_ns: int) -> Decision:
        """Set the operator's subtask, or return control to the brain with an empty text."""
        before = self.keeper.subtask
        subtask = self.keeper.instruct(text, now_ns)
        self._start_over(now_ns)
        if text:
            reason = "an operator said so"
        elif subtask is None:
            reason = "the operator returned control: the brain is queried"
            self._replanner.request(Trigger.OPERATOR)
        else:
            reason = "the operator's subtask was withdrawn, and there is no task"
        changed = subtask is not None and (before is None or subtask.id != before.id)
        if changed:
            self.progress.history.change(text, "interrupted", now_ns)
        verdict = AnswerVerdict.CHANGED if changed else AnswerVerdict.KEPT
        publish = subtask is not None
        scored = (text, float("nan"))
        return self._decision(Trigger.OPERATOR, verdict, reason, scored, now_ns, publish)

    # Inputs.

    def on_state(
        self,
        stamp_ns: int,
        measured: np.ndarray,
        commanded: np.ndarray,
        running: bool,
        by_operator: bool = False,
    ) -> None:
        """Handle a robot state.

        While an operator drives, no stall and no time counts against the task. When the robot is
        given back the brain is asked at once, since the scene has changed.

        Args:
            stamp_ns: Time of measurement [ns].
            measured: (D,) platform units.
            commanded: (D,) platform units; NaN: nothing was sent.
            running: Whether the bridge follows a chunk.
            by_operator: Whether the chunk is an operator's.
        """
        was_by_operator = self._robot.is_by_operator(stamp_ns)
        self.keeper.exclude(
            self._robot.on_state(stamp_ns, measured, commanded, running, by_operator)
        )
        if was_by_operator and not by_operator:
            self.progress.start_over()
            self._robot.start_over()
            self._replanner.request(Trigger.OPERATOR)

    def on_mode(self, mode: RobotMode, now_ns: int) -> CurrentSubtask | None:
        """Handle the bridge's mode: a robot that is not armed any more suspends the task.

        Returns:
            The subtask to publish, if it changed.
        """
        change = self._suspension.on_mode(mode)
        if change is False and self.suspended:
            return self.resume(now_ns)
        return self.suspend(f"the robot was {mode.name.lower()}", now_ns) if change else None

    def suspend(self, why: str, now_ns: int) -> CurrentSubtask | None:
        """Suspend the task, or an operator's subtask without a task, until `resume`.

        Args:
            why: Reason, as one clause.
            now_ns: Present time [ns].

        Returns:
            The subtask to publish, if it changed.
        """
        keeper = self.keeper
        has_work = keeper.task is not None or (keeper.subtask is not None and keeper.subtask.text)
        if not has_work or self.suspended:
            return None
        self.progress.history.change("", "interrupted", now_ns)
        self._start_over(now_ns)
        self.suspended = why
        return keeper.put("", (), "external", float("nan"), now_ns, now_ns)

    def on_chunk(self, subtask_id: int, actions: np.ndarray) -> None:
        """Handle a chunk of the low level, (H, D) platform units."""
        subtask = self.keeper.subtask
        if subtask is not None and subtask_id == subtask.id:
            self._robot.on_chunk(actions)

    # The brain.

    def question(self, stamp_ns: int) -> Question | None:
        """Return the query that is due at the observation of `stamp_ns`; None: none is due.

        A returned query counts as sent, whatever its result. While an operator's subtask stands,
        the brain is still queried: the pair of its answer and the operator's correction is
        training data.
        """
        task = self.keeper.task
        if task is None or self.suspended or not self._asks:
            return None
        if self.keeper.instruction:  # Motion under an operator's subtask triggers no query.
            self._replanner.withdraw(Trigger.SUBTASK_END, Trigger.STALL)
        trigger = self._replanner.due(stamp_ns)
        if trigger is None:
            return None
        self._replanner.mark_asked(trigger, stamp_ns)
        if trigger == Trigger.STALL:
            self.progress.stalled(self._robot.moves, self.keeper.standing)
        history = self.progress.history.shown(stamp_ns)
        return Question(trigger, task, self.keeper.instruction, history)

    def on_answer(
        self,
        question: Question,
        prediction: SubtaskPrediction,
        source: str,
        stamp_ns: int,
        now_ns: int,
    ) -> Decision | None:
        """Handle the brain's answer. The caller ends the task when the verdict is DONE.

        Args:
            question: The query.
            prediction: The answer.
            source: Source of the answer: Subtask.SOURCE_*.
            stamp_ns: Of the observation [ns].
            now_ns: Present time [ns].

        Returns:
            None if the answer is obsolete: another task or an operator's instruction came first.
        """
        if question.instruction:
            return self._overrule(question, prediction, stamp_ns)
        trouble = prediction_problem(prediction)
        if trouble:
            self.counts["cut off"] += bool(prediction.problem)
            trouble = f"the answer is refused: {trouble}"
            scored = (clean(prediction.text), prediction.score)
            return self._refuse(question, trouble, scored, stamp_ns, now_ns)
        if not self._is_awaited(question):
            return None
        answer = "" if prediction.done else clean(prediction.text)
        standing = self.keeper.standing
        words = comparison_key(answer)
        if source == "model" and self.progress.is_discouraged(words):
            verdict, reason = self._answers.discouraged(now_ns)
        else:
            verdict, reason = self._answers.usable(
                question.trigger,
                words,
                comparison_key(standing),
                source,
                now_ns,
                prediction.score,
                self._hindrance(standing, now_ns),
            )
        if verdict in (AnswerVerdict.CHANGED, AnswerVerdict.KEPT):
            # The first wording is kept: for the policy, another text is another subtask.
            text = standing if verdict == AnswerVerdict.KEPT else answer
            self.keeper.put(text, prediction.boxes, source, prediction.score, stamp_ns, now_ns)
        if verdict == AnswerVerdict.CHANGED:
            self.progress.changed(question.trigger, answer, now_ns)
            self._robot.start_over()
        loop = self.progress.cycle(now_ns)
        if loop:
            reason += f"; the same {len(loop)} subtasks repeat"
        publish = verdict in (AnswerVerdict.CHANGED, AnswerVerdict.KEPT)
        scored = (answer, prediction.score)
        decision = self._decision(
            question.trigger, verdict, reason, scored, stamp_ns, publish, loop
        )
        return replace(decision, boxes=prediction.boxes)

    def on_failure(
        self, question: Question, why: str, stamp_ns: int, now_ns: int
    ) -> Decision | None:
        """Handle a failed query.

        Args:
            question: The query.
            why: Reason, as one clause.
            stamp_ns: Of the observation [ns].
            now_ns: Present time [ns].

        Returns:
            None if the query is obsolete, or an operator's subtask stands.
        """
        if question.instruction:
            return None  # The operator's subtask stands with or without it.
        trouble = f"the brain gave no answer: {why}"
        return self._refuse(question, trouble, ("", float("nan")), stamp_ns, now_ns)

    # Outputs.

    def unfit(self, now_ns: int) -> str:
        """Reason why the robot must not move on the present subtask; empty: it may."""
        keeper = self.keeper
        brain_decides = keeper.task is not None and not keeper.instruction and not self.suspended
        brain_decides = brain_decides and self._asks
        return self._answers.unfit(now_ns) if brain_decides else ""

    def warnings(self, now_ns: int) -> dict[str, str]:
        """Warnings for the operator by kind ("suspended", "loop", …), one sentence each."""
        return operator_warnings(
            self.keeper, self.progress, self.suspended, self.settings.same_after_s, now_ns
        )

    def failure(self, now_ns: int) -> str:
        """Why the task has failed and must end, in one sentence; empty: it has not."""
        if self._robot.is_by_operator(now_ns):
            return ""
        return self.progress.failure_of(self.keeper.task, now_ns - self.keeper.excluded_ns)

    def _hindrance(self, standing: str, now_ns: int) -> str:
        """Why the task cannot be done now, as one clause; empty: it can."""
        if self._robot.is_by_operator(now_ns):
            return "an operator drives"
        return self._suspension.hindrance(self._robot.is_running(now_ns), standing)

    def _is_awaited(self, question: Question) -> bool:
        keeper = self.keeper
        if self.suspended or keeper.task is not question.task:
            return False
        return keeper.instruction == question.instruction

    def _start_over(self, now_ns: int, first_look: bool = False) -> None:
        """Discard earlier answers of the brain, after a new task or an operator's input."""
        self.suspended = ""
        self.progress.start_over()
        self._answers.start_over(now_ns, first_look)
        self._robot.start_over()

    def _overrule(
        self, question: Question, prediction: SubtaskPrediction, stamp_ns: int
    ) -> Decision | None:
        """Record an answer that an operator's subtask overrules; see `on_answer`."""
        if not self._is_awaited(question):
            return None
        why, publish = note_overruled(self.keeper, prediction, stamp_ns)
        scored = (clean(prediction.text), prediction.score)
        decision = self._decision(
            question.trigger, AnswerVerdict.OVERRULED, why, scored, stamp_ns, publish
        )
        return replace(decision, boxes=() if prediction.problem else prediction.boxes)

    def _refuse(
        self,
        question: Question,
        trouble: str,
        scored: tuple[str, float],
        stamp_ns: int,
        now_ns: int,
    ) -> Decision | None:
        if not self._is_awaited(question):
            return None
        verdict, reason = self._answers.refused(trouble)
        loop = self.progress.cycle(now_ns)
        return self._decision(question.trigger, verdict, reason, scored, stamp_ns, False, loop)

    def _decision(
        self,
        trigger: Trigger,
        verdict: AnswerVerdict,
        reason: str,
        scored: tuple[str, float],  # Answer and score.
        stamp_ns: int,
        publish: bool,
        loop: tuple[str, ...] = (),
    ) -> Decision:
        task = self.keeper.task.text if self.keeper.task else ""
        self.counts[verdict.value] += 1
        return Decision(trigger, verdict, task, *scored, stamp_ns, publish, loop, reason)
