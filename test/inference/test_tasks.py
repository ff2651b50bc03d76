"""The planner's memory, without ROS."""

import pytest

from pi05_ros.inference.brain import SubtaskPrediction
from pi05_ros.inference.instructions import clean, problem
from pi05_ros.inference.tasks import TaskKeeper

S = 1_000_000_000


def keeper() -> TaskKeeper:
    made = TaskKeeper(period=1.0)
    made.begin("dishes", 10 * S, None)
    return made


def test_prediction_is_due_once_a_period_by_stamps():
    k = keeper()
    assert k.is_due(10 * S)
    k.predicted(SubtaskPrediction("pick up the cup"), "model", 10 * S)
    assert not k.is_due(10 * S + S // 2) and k.is_due(11 * S)
    assert k.is_due(5 * S)  # Time jumped back.


def test_id_rises_when_the_text_changes_and_only_then():
    k = keeper()
    first = k.predicted(SubtaskPrediction("pick up the cup"), "model", 10 * S)
    again = k.predicted(SubtaskPrediction("pick up the cup"), "model", 11 * S)
    other = k.predicted(SubtaskPrediction("put the cup in the sink"), "model", 12 * S)
    assert (first.id, again.id, other.id) == (1, 1, 2)
    assert again.stamp_ns == 11 * S and k.subtask_count == 2


def test_an_operator_overrules_until_he_hands_back():
    k = keeper()
    said = k.instruct("pick up the fork", 10 * S)
    assert (said.text, said.source, said.task) == ("pick up the fork", "human", "dishes")
    assert not k.is_due(20 * S)
    assert k.predicted(SubtaskPrediction("pick up the cup"), "model", 11 * S) is None
    assert k.instruct("", 21 * S) is None
    assert k.is_due(21 * S)


def test_an_operator_can_speak_without_a_task_and_take_it_back():
    k = TaskKeeper(1.0)
    assert k.instruct("pick up the fork", S).task == ""
    assert k.instruct("", 2 * S).text == ""


def test_an_empty_answer_keeps_the_last_subtask_unless_the_task_is_done():
    k = keeper()
    k.predicted(SubtaskPrediction("pick up the cup"), "model", 10 * S)
    assert k.predicted(SubtaskPrediction(" \n"), "model", 11 * S) is None
    assert k.subtask.text == "pick up the cup"
    assert k.predicted(SubtaskPrediction("", done=True), "model", 12 * S).text == ""


def test_end_says_an_empty_subtask_so_that_the_policy_stops():
    k = keeper()
    k.predicted(SubtaskPrediction("pick up the cup"), "model", 10 * S)
    assert k.end(12 * S).text == "" and k.task is None
    assert k.predicted(SubtaskPrediction("late"), "model", 12 * S) is None


def test_time_limit():
    k = TaskKeeper(1.0)
    k.begin("dishes", 10 * S, 2.5)
    assert not k.out_of_time(12 * S) and k.out_of_time(13 * S)
    assert not keeper().out_of_time(10_000 * S)


@pytest.mark.parametrize(
    ("said", "cleaned"),
    [
        ("pick up the cup", "pick up the cup"),
        ("  pick\tup\nthe \x07 cup\u2028", "pick up the cup"),
        ("nimm die Tasse – 拿起杯子", "nimm die Tasse – 拿起杯子"),
        ("x" * 300, "x" * 256),
    ],
)
def test_text_becomes_one_printable_line(said, cleaned):
    assert clean(said) == cleaned


def test_what_is_wrong_with_an_instruction_is_said():
    assert problem("pick up the cup") == ""
    assert problem("x" * 257) == "it has 257 characters, at most 256 are allowed"
    assert "one line" in problem("a\nb")
