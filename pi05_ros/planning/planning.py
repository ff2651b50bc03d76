"""The planner without ROS: when it asks the brain, what it makes of the answer, what it tells.

The policy is stated in docs/design/planning.md. Not thread-safe; its node holds one lock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.instructions import answer_problem, clean, comparison_key
from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.planning.answers import AnswerFilter, AnswerVerdict
from pi05_ros.planning.loops import LoopDetector
from pi05_ros.planning.motion import ProgressMonitor, stands_still
from pi05_ros.planning.replanning import Replanner, ReplanningSettings, Trigger
from pi05_ros.planning.tasks import CurrentSubtask, OverruledAnswer, Task, TaskKeeper
from pi05_ros.platforms.platform import Platform


@dataclass(frozen=True)
class Question:
    """What the brain is asked."""

    trigger: Trigger
    task: Task
    instruction: str = ""  # What an operator said, against which the answer will be kept.


@dataclass(frozen=True)
class Decision:
    """What was said, what came of it, and why."""

    trigger: Trigger
    verdict: AnswerVerdict
    task: str  # Empty: none is being carried out.
    answer: str  # Cleaned.
    score: float
    stamp_ns: int  # Of the observation, or of the moment it was said.
    publish: bool  # Whether the present subtask is to be published, anew or with new boxes.
    loop: tuple[str, ...]  # Subtasks that come again and again; empty: none do.
    reason: str  # One sentence.


class Planning:
    """Task, subtask and operator; triggers, hysteresis and loops.

    Args:
        platform: The robot.
        settings: The policy in numbers.
        first_id: Id of the first subtask; above those of an earlier planning.
    """

    def __init__(
        self, platform: Platform, settings: ReplanningSettings, first_id: int = 1
    ) -> None:
        self.keeper = TaskKeeper(first_id)
        self.settings = settings
        self._platform = platform
        self._replanner = Replanner(settings)
        self._answers = AnswerFilter(settings)
        self._progress = ProgressMonitor(platform)
        self._loops = LoopDetector(settings.loop_repeats, settings.loop_window)
        self._commanded: np.ndarray | None = None  # (D,); measured where nothing was sent.
        self._still = False  # The newest chunk of the present subtask stands still.

    # People.

    def begin(self, task: str, now_ns: int, limit: float | None) -> None:
        """Begins a task. limit: at most this long [s], or None."""
        self.keeper.begin(task, now_ns, limit)
        self._start_over(now_ns)
        self._replanner.request(Trigger.TASK)

    def end(self, now_ns: int) -> CurrentSubtask:
        """Ends the task; returns the empty subtask that tells the policy to stop."""
        self._start_over(now_ns)
        return self.keeper.end(now_ns)

    def instruct(self, text: str, now_ns: int) -> Decision:
        """An operator says a subtask, or hands back with an empty text."""
        before = self.keeper.subtask
        subtask = self.keeper.instruct(text, now_ns)
        self._start_over(now_ns)
        if text:
            reason = "an operator said so"
        elif subtask is None:
            reason = "an operator handed back: the brain is asked"
            self._replanner.request(Trigger.OPERATOR)
        else:
            reason = "an operator took it back, and there is no task: nothing is to be done"
        changed = subtask is not None and (before is None or subtask.id != before.id)
        verdict = AnswerVerdict.CHANGED if changed else AnswerVerdict.KEPT
        publish = subtask is not None
        said = (text, float("nan"))
        return self._decision(Trigger.OPERATOR, verdict, reason, said, now_ns, publish)

    # What is seen.

    def on_state(
        self, stamp_ns: int, measured: np.ndarray, commanded: np.ndarray, running: bool
    ) -> None:
        """Takes a robot state.

        Args:
            stamp_ns: When it was measured [ns].
            measured: (D,) platform units.
            commanded: (D,) platform units; NaN: nothing was sent.
            running: Whether the bridge follows a chunk.
        """
        self._commanded = np.where(np.isfinite(commanded), commanded, measured)
        if not running or self._still:
            self._progress.reset()  # It need not move now.
        else:
            self._progress.add(stamp_ns, measured)
        if self._progress.idle >= self.settings.stall_after:
            self._replanner.request(Trigger.STALL)
        else:
            self._replanner.withdraw(Trigger.STALL)

    def on_chunk(self, subtask_id: int, actions: np.ndarray) -> None:
        """Takes a chunk of the low level, (H, D) platform units."""
        subtask = self.keeper.subtask
        if self._commanded is None or subtask is None or subtask_id != subtask.id:
            return
        self._still = stands_still(actions, self._commanded, self._platform)
        if self._still:
            self._replanner.request(Trigger.SUBTASK_END)
        else:
            self._replanner.withdraw(Trigger.SUBTASK_END)

    # The brain.

    def question(self, stamp_ns: int) -> Question | None:
        """What the brain is to be asked about the observation of `stamp_ns`; None: nothing.

        A question that is given out counts as asked, whatever becomes of it. While an operator's
        subtask stands the brain is asked on: the pair of what it would have said and what a person
        said instead is what it learns from.
        """
        task = self.keeper.task
        if task is None:
            return None
        if self.keeper.instruction:  # What the low level makes of it is no reason to ask.
            self._replanner.withdraw(Trigger.SUBTASK_END, Trigger.STALL)
        trigger = self._replanner.due(stamp_ns)
        if trigger is None:
            return None
        self._replanner.mark_asked(trigger, stamp_ns)
        return Question(trigger, task, self.keeper.instruction)

    def on_answer(
        self,
        question: Question,
        prediction: SubtaskPrediction,
        source: str,
        stamp_ns: int,
        now_ns: int,
    ) -> Decision | None:
        """Takes the brain's answer. A verdict DONE is for the caller to carry out.

        Args:
            question: What it was asked.
            prediction: What it said.
            source: Who says it: Subtask.SOURCE_*.
            stamp_ns: Of the observation [ns].
            now_ns: The present [ns].

        Returns:
            None when nobody waits for it any more: another task began, or an operator spoke.
        """
        if question.instruction:
            return self._overrule(question, prediction, stamp_ns)
        trouble = "" if prediction.done else answer_problem(prediction.text)
        if trouble:
            trouble = f"the answer is refused: {trouble}"
            said = (clean(prediction.text), prediction.score)
            return self._refuse(question, trouble, said, stamp_ns, now_ns)
        if not self._is_awaited(question):
            return None
        answer = "" if prediction.done else clean(prediction.text)
        standing = self._standing()
        words = comparison_key(answer)
        verdict, reason = self._answers.usable(
            question.trigger, words, comparison_key(standing), source, now_ns
        )
        if verdict in (AnswerVerdict.CHANGED, AnswerVerdict.KEPT):
            # The words stay as they were first said: to the policy another text is another task.
            text = standing if verdict == AnswerVerdict.KEPT else answer
            self.keeper.put(text, prediction.boxes, source, prediction.score, stamp_ns, now_ns)
        if verdict == AnswerVerdict.CHANGED:
            self._changed()
            self._loops.add(words, now_ns)
        loop = self._loops.cycle(now_ns)
        if loop:
            reason += f"; the same {len(loop)} subtasks come again and again"
        publish = verdict in (AnswerVerdict.CHANGED, AnswerVerdict.KEPT)
        said = (answer, prediction.score)
        return self._decision(question.trigger, verdict, reason, said, stamp_ns, publish, loop)

    def on_failure(
        self, question: Question, why: str, stamp_ns: int, now_ns: int
    ) -> Decision | None:
        """The brain gave no answer; why, as one clause. None: nobody waits for it."""
        if question.instruction:
            return None  # The operator's subtask stands with or without it.
        trouble = f"the brain gave no answer: {why}"
        return self._refuse(question, trouble, ("", float("nan")), stamp_ns, now_ns)

    # What is told.

    def unfit(self, now_ns: int) -> str:
        """Why the robot must not move on the present subtask, as one clause; empty: it may."""
        return self._answers.unfit(now_ns) if self._brain_decides() else ""

    def warnings(self, now_ns: int) -> dict[str, str]:
        """What people should know, a sentence for each kind of trouble."""
        said = {}
        loop = self._loops.cycle(now_ns)
        if loop:
            said["loop"] = "the same subtasks come again and again: " + ", ".join(loop)
        subtask = self.keeper.subtask
        same = (now_ns - self.keeper.since_ns) * 1e-9
        if subtask is None or not subtask.text or same < self.settings.same_after:
            return said
        # A model that says no subtasks passes the task on: it stays the same by design.
        if subtask.source != "implicit":
            said["same"] = f"the subtask has been the same for {same:.0f} s: {subtask.text}"
        return said

    def _brain_decides(self) -> bool:
        return self.keeper.task is not None and not self.keeper.instruction

    def _is_awaited(self, question: Question) -> bool:
        keeper = self.keeper
        return keeper.task is question.task and keeper.instruction == question.instruction

    def _standing(self) -> str:
        """The present subtask, if it serves the present task."""
        subtask, task = self.keeper.subtask, self.keeper.task
        serves = subtask is not None and task is not None and subtask.task == task.text
        return subtask.text if subtask is not None and serves else ""

    def _start_over(self, now_ns: int) -> None:
        """A person spoke: what the brain said before counts no more."""
        self._loops.clear()
        self._answers.start_over(now_ns)
        self._changed()

    def _changed(self) -> None:
        """Another subtask is carried out: what was seen belongs to the one before."""
        self._still = False
        self._progress.reset()
        self._replanner.withdraw(Trigger.SUBTASK_END, Trigger.STALL)

    def _overrule(
        self, question: Question, prediction: SubtaskPrediction, stamp_ns: int
    ) -> Decision | None:
        """Keeps an answer beside the operator's subtask; see `on_answer`."""
        if not self._is_awaited(question):
            return None
        said = (clean(prediction.text), prediction.score)
        trouble = "" if prediction.done else answer_problem(prediction.text)
        if trouble:
            why, publish = (
                f"an operator's subtask stands, and the answer is none: {trouble}",
                False,
            )
        else:
            text = "" if prediction.done else said[0]
            what = f"'{text}'" if text else "that the task is done"
            why = f"an operator's subtask stands; the brain would have said {what}"
            publish = self.keeper.overrule(OverruledAnswer(text, prediction.score, stamp_ns))
        return self._decision(
            question.trigger, AnswerVerdict.OVERRULED, why, said, stamp_ns, publish
        )

    def _refuse(
        self, question: Question, trouble: str, said: tuple[str, float], stamp_ns: int, now_ns: int
    ) -> Decision | None:
        if not self._is_awaited(question):
            return None
        verdict, reason = self._answers.refused(trouble)
        loop = self._loops.cycle(now_ns)
        return self._decision(question.trigger, verdict, reason, said, stamp_ns, False, loop)

    def _decision(
        self,
        trigger: Trigger,
        verdict: AnswerVerdict,
        reason: str,
        said: tuple[str, float],  # Answer and score.
        stamp_ns: int,
        publish: bool,
        loop: tuple[str, ...] = (),
    ) -> Decision:
        task = self.keeper.task.text if self.keeper.task else ""
        return Decision(trigger, verdict, task, *said, stamp_ns, publish, loop, reason)
