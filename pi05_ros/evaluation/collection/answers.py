"""Answers of the high level, as an episode's bag tells them."""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.data.episodes.episode import PictureBox
from pi05_ros.evaluation.closed_loop import START_NS
from pi05_ros.evaluation.collection.episode_bag import EpisodeBag

EXTERNAL, HUMAN = "external", "human"  # Subtask.SOURCE_*: the expert as a planner, as a person.


class Answers:
    """Records answers, and tells what stands after them.

    Args:
        bag: The bag.
        source: Who gives them, EXTERNAL or HUMAN.

    Attributes:
        text: The subtask that stands; empty: none.
        done_at: Since when the task is said to be done [s]; None: it is not.
    """

    def __init__(self, bag: EpisodeBag, source: str) -> None:
        self.text = ""
        self.done_at: float | None = None
        self._bag, self._source = bag, source
        self._number = 0  # Id of the subtask.

    def record(
        self,
        stamp_ns: int,
        now_ns: int,
        task: str,
        prediction: SubtaskPrediction,
        boxes: Sequence[PictureBox],
    ) -> None:
        """Record an answer; after the task is done only the first one that says so.

        Args:
            stamp_ns: Stamp of its observation [ns].
            now_ns: When it was published [ns].
            task: The task that it answers to.
            prediction: The answer.
            boxes: Objects that it speaks of.
        """
        if self.done_at is not None:
            if prediction.done:
                return
            self.done_at = None  # A thing has left its place again: the task goes on.
        changed = prediction.text != self.text or not self._number
        trigger = "period" if self._number else "task"
        if self._source == HUMAN and changed:
            trigger = "operator"
        self._number += changed
        self.text = prediction.text
        if prediction.done:
            outcome, says = "done", "the task is done"
            self.done_at = (now_ns - START_NS) * 1e-9
        elif not prediction.text:
            outcome, says = "refused", "nothing can be done"
        else:
            outcome = "changed" if changed else "kept"
            says = "another subtask" if changed else "the same again"
        because = {
            "task": "the task began",
            "period": "the period was over",
            "operator": "the supervisor spoke",
        }[trigger]
        self._bag.add_answer(
            stamp_ns,
            now_ns,
            self._number,
            prediction.text,
            boxes,
            task=task,
            source=self._source,
            trigger=trigger,
            outcome=outcome,
            reason=f"asked because {because}: the expert says {says}",
        )
