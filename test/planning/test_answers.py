"""Which answers are believed, and for how long."""

import pytest

from pi05_ros.planning.answers import AnswerFilter, AnswerVerdict
from pi05_ros.planning.replanning import ReplanningSettings, Trigger

S = 1_000_000_000
CUP, FORK, PLATE = "pick up the cup", "pick up the fork", "pick up the plate"


def judge(**settings) -> AnswerFilter:
    made = AnswerFilter(ReplanningSettings(**settings))
    made.start_over(0)
    return made


def said(j: AnswerFilter, *answers: str, standing=CUP, source="model", why=Trigger.PERIOD):
    """Verdicts of the answers, one a second."""
    return [
        j.usable(why, words, standing, source, (k + 1) * S)[0].value
        for k, words in enumerate(answers)
    ]


def test_a_model_must_say_another_text_twice_in_a_row():
    assert said(judge(), CUP, FORK, FORK) == ["kept", "held_back", "changed"]
    assert said(judge(), FORK, CUP, FORK, CUP) == ["held_back", "kept", "held_back", "kept"]
    assert said(judge(), FORK, PLATE, FORK, PLATE) == ["held_back"] * 4
    assert said(judge(confirmations=1), FORK) == ["changed"]
    assert said(judge(confirmations=3), FORK, FORK, FORK) == ["held_back"] * 2 + ["changed"]


def test_after_a_change_the_next_one_must_be_said_twice_again():
    j = judge()
    assert said(j, FORK, FORK) == ["held_back", "changed"]
    assert said(j, CUP, standing=FORK) == ["held_back"]


def test_garbage_in_between_breaks_the_row():
    j = judge()
    assert said(j, FORK) == ["held_back"]
    assert j.refused("it is empty")[0] == AnswerVerdict.REFUSED
    assert said(j, FORK, FORK) == ["held_back", "changed"]


@pytest.mark.parametrize("why", [t for t in Trigger if t != Trigger.PERIOD])
def test_what_is_asked_for_a_reason_is_believed_at_once_and_the_reason_is_told(why):
    verdict, reason = judge().usable(why, FORK, CUP, "model", S)
    assert verdict == AnswerVerdict.CHANGED
    told = {"task": "task began", "operator": "handed back", "subtask_end": "nothing more to do"}
    assert told.get(why.value, "no progress") in reason


@pytest.mark.parametrize("source", ["external", "implicit"])
def test_a_source_that_does_not_guess_is_believed_at_once(source):
    assert said(judge(), FORK, CUP, source=source) == ["changed", "kept"]


def test_the_first_subtask_needs_no_second_word():
    assert said(judge(), FORK, standing="") == ["changed"]


def test_done_is_a_change_like_any_other():
    assert said(judge(), "", "") == ["held_back", "done"]
    assert said(judge(), "", CUP, "") == ["held_back", "kept", "held_back"]
    assert said(judge(), "", why=Trigger.SUBTASK_END) == ["done"]
    assert said(judge(), "", source="external") == ["done"]
    assert said(judge(), "", standing="") == ["done"]


def test_the_last_good_answer_stands_for_five_seconds():
    j = judge()
    said(j, CUP)
    j.refused("the answer is refused: it is empty")
    assert j.unfit(6 * S) == ""
    assert j.unfit(7 * S) == "no usable subtask for 6 s: the answer is refused: it is empty"
    said(j, FORK)  # Held back, and yet a sign that the brain makes sense.
    assert j.unfit(2 * S) == ""


def test_a_silent_brain_is_unfit_too_and_a_person_gives_it_time():
    j = judge()
    assert j.unfit(5 * S) == "" and "the brain is silent" in j.unfit(6 * S)
    j.start_over(6 * S)
    assert j.unfit(11 * S) == "" and j.unfit(12 * S)


def test_time_that_jumps_back_counts_from_there():
    j = judge()
    j.start_over(100 * S)
    assert j.unfit(10 * S) == "" and j.unfit(15 * S) == "" and j.unfit(16 * S)
