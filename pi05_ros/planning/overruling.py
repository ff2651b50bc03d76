"""The brain's answer while an operator's subtask stands."""

from __future__ import annotations

from pi05_ros.brain.instructions import clean
from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.planning.answers import prediction_problem
from pi05_ros.planning.tasks import OverruledAnswer, TaskKeeper


def note_overruled(
    keeper: TaskKeeper, prediction: SubtaskPrediction, stamp_ns: int
) -> tuple[str, bool]:
    """Record an answer with the operator's subtask that overrules it, if it is usable.

    Args:
        keeper: Holds the operator's subtask.
        prediction: The answer.
        stamp_ns: Of the observation [ns].

    Returns:
        The reason of the decision, one sentence; and whether the subtask must be published.
    """
    trouble = prediction_problem(prediction)
    if trouble:
        return f"an operator's subtask stands, and the answer is unusable: {trouble}", False
    text = "" if prediction.done else clean(prediction.text)
    what = f"'{text}'" if text else "that the task is done"
    answer = OverruledAnswer(text, prediction.score, stamp_ns)
    why = f"an operator's subtask stands; the brain would have said {what}"
    return why, keeper.overrule(answer)
