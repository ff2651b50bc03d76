"""Acceptance of answers, and the time limit on the last usable one."""

import pytest

from pi05_ros.planning.answers import AnswerFilter, AnswerVerdict
from pi05_ros.planning.replanning import ReplanningSettings, Trigger

S = 1_000_000_000
CUP, FORK, PLATE = "pick up the cup", "pick up the fork", "pick up the plate"


def make_filter(**settings) -> AnswerFilter:
    made = AnswerFilter(ReplanningSettings(**settings))
    made.start_over(0)
    return made


def verdicts(j: AnswerFilter, *answers: str, standing=CUP, source="model", why=Trigger.PERIOD):
    """Verdicts of the answers, one a second."""
    return [
        j.usable(why, words, standing, source, (k + 1) * S)[0].value
        for k, words in enumerate(answers)
    ]


def test_a_model_must_repeat_a_new_text():
    assert verdicts(make_filter(), CUP, FORK, FORK) == ["kept", "held_back", "changed"]
    assert verdicts(make_filter(), FORK, CUP, FORK, CUP) == [
        "held_back",
        "kept",
        "held_back",
        "kept",
    ]
    assert verdicts(make_filter(), FORK, PLATE, FORK, PLATE) == ["held_back"] * 4
    assert verdicts(make_filter(confirmations=1), FORK) == ["changed"]
    assert verdicts(make_filter(confirmations=3), FORK, FORK, FORK) == ["held_back"] * 2 + [
        "changed"
    ]


def test_after_a_change_the_next_one_must_be_repeated_again():
    j = make_filter()
    assert verdicts(j, FORK, FORK) == ["held_back", "changed"]
    assert verdicts(j, CUP, standing=FORK) == ["held_back"]


def test_garbage_in_between_breaks_the_row():
    j = make_filter()
    assert verdicts(j, FORK) == ["held_back"]
    assert j.refused("it is empty")[0] == AnswerVerdict.REFUSED
    assert verdicts(j, FORK, FORK) == ["held_back", "changed"]


@pytest.mark.parametrize("why", [t for t in Trigger if t != Trigger.PERIOD])
def test_an_answer_to_a_trigger_is_accepted_at_once_with_its_reason(why):
    verdict, reason = make_filter().usable(why, FORK, CUP, "model", S)
    assert verdict == AnswerVerdict.CHANGED
    reasons = {
        "task": "task began",
        "operator": "returned control",
        "subtask_end": "nothing more to do",
    }
    assert reasons.get(why.value, "no progress") in reason


@pytest.mark.parametrize("source", ["external", "implicit"])
def test_a_source_that_is_no_model_is_accepted_at_once(source):
    assert verdicts(make_filter(), FORK, CUP, source=source) == ["changed", "kept"]


def test_the_first_subtask_needs_no_second_word():
    assert verdicts(make_filter(), FORK, standing="") == ["changed"]


def test_done_is_a_change_like_any_other():
    assert verdicts(make_filter(), "", "") == ["held_back", "done"]
    assert verdicts(make_filter(), "", CUP, "") == ["held_back", "kept", "held_back"]
    assert verdicts(make_filter(), "", source="external") == ["done"]


@pytest.mark.parametrize("why", list(Trigger))
@pytest.mark.parametrize("standing", [CUP, ""])
def test_done_must_be_repeated_whatever_triggered_the_query(why, standing):
    assert verdicts(make_filter(), "", "", why=why, standing=standing) == ["held_back", "done"]


def test_done_at_the_first_look_of_a_task_does_not_count():
    j = make_filter()
    j.start_over(0, first_look=True)
    assert verdicts(j, "", "", "", standing="") == ["held_back", "held_back", "done"]
    j.start_over(0, first_look=True)
    assert verdicts(j, CUP, "", "", standing="") == ["changed", "held_back", "done"]
    j.start_over(0, first_look=True)
    _, reason = j.usable(Trigger.TASK, "", "", "model", S)
    assert reason.endswith("which does not count: this is the first look of the task")


def test_done_with_a_low_score_does_not_count():
    j = make_filter()

    def done(score):
        return j.usable(Trigger.PERIOD, "", CUP, "model", S, score)

    assert done(0.9)[0] == "held_back"
    verdict, reason = done(0.49)
    assert verdict == "held_back" and "its score 0.49 is below 0.5 (done_score)" in reason
    assert [done(score)[0] for score in (0.5, 0.5)] == ["held_back", "done"]


@pytest.mark.parametrize("source", ["model", "external"])
def test_done_does_not_count_while_the_robot_cannot_run(source):
    j = make_filter()
    for _ in range(5):
        verdict, reason = j.usable(Trigger.PERIOD, "", CUP, source, S, 0.9, "it is stopped")
        assert verdict == "held_back" and reason.endswith("does not count: it is stopped")
    counts = 1 if source == "external" else 2
    last = [j.usable(Trigger.PERIOD, "", CUP, source, S, 0.9)[0] for _ in range(counts)]
    assert last[-1] == "done" and "done" not in last[:-1]


def test_the_last_good_answer_stands_for_five_seconds():
    j = make_filter()
    verdicts(j, CUP)
    j.refused("the answer is refused: it is empty")
    assert j.unfit(6 * S) == ""
    assert j.unfit(7 * S) == "no usable subtask for 6 s: the answer is refused: it is empty"
    verdicts(j, FORK)  # Held back, and yet a sign that the brain makes sense.
    assert j.unfit(2 * S) == ""


def test_a_silent_brain_is_unfit_too_and_a_person_gives_it_time():
    j = make_filter()
    assert j.unfit(5 * S) == "" and "the brain is silent" in j.unfit(6 * S)
    j.start_over(6 * S)
    assert j.unfit(11 * S) == "" and j.unfit(12 * S)


def test_time_that_jumps_back_counts_from_there():
    j = make_filter()
    j.start_over(100 * S)
    assert j.unfit(10 * S) == "" and j.unfit(15 * S) == "" and j.unfit(16 * S)
