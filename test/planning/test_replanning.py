"""Triggers of queries and their minimum intervals."""

import pytest

from pi05_ros.planning.replanning import Replanner, ReplanningSettings, Trigger

S = 1_000_000_000
MS = 1_000_000


def asked_within(r: Replanner, seconds: float, flood: Trigger | None, step_ms: int = 20):
    """Stamps [s] and triggers of the queries; `flood` is requested at every observation."""
    asked = []
    for stamp in range(0, round(seconds * 1000), step_ms):
        if flood is not None:
            r.request(flood)
        trigger = r.due(stamp * MS)
        if trigger is not None:
            r.mark_asked(trigger, stamp * MS)
            asked.append((stamp / 1000, trigger))
    return asked


def test_the_period_alone_asks_once_a_second():
    asked = asked_within(Replanner(ReplanningSettings()), 5.0, None)
    assert asked == [(t, Trigger.PERIOD) for t in (0.0, 1.0, 2.0, 3.0, 4.0)]


@pytest.mark.parametrize(
    ("trigger", "most"),
    [
        (Trigger.TASK, 101),
        (Trigger.OPERATOR, 101),
        (Trigger.SUBTASK_END, 21),
        (Trigger.STALL, 3),
    ],
)
def test_a_flood_of_one_trigger_is_spaced(trigger, most):
    stamps = [t for t, why in asked_within(Replanner(ReplanningSettings()), 10.0, trigger)]
    of_it = [
        t
        for t, why in asked_within(Replanner(ReplanningSettings()), 10.0, trigger)
        if why == trigger
    ]
    spacing = ReplanningSettings().spacing_ns(trigger) / S
    assert 0.9 * most <= len(of_it) <= most
    assert min(b - a for a, b in zip(of_it, of_it[1:], strict=False)) >= spacing - 1e-9
    # The period still asks where nothing else did.
    assert max(b - a for a, b in zip(stamps, stamps[1:], strict=False)) <= 1.0 + 1e-9


def test_an_operator_is_answered_at_once_even_on_the_same_picture():
    r = Replanner(ReplanningSettings())
    r.mark_asked(Trigger.PERIOD, S)
    r.request(Trigger.OPERATOR)
    assert r.due(S) == Trigger.OPERATOR


def test_other_triggers_need_a_new_observation():
    r = Replanner(ReplanningSettings())
    r.mark_asked(Trigger.PERIOD, S)
    r.request(Trigger.SUBTASK_END)
    assert r.due(S) is None
    assert r.due(S + 20 * MS) == Trigger.SUBTASK_END


def test_a_person_who_waits_for_the_spacing_is_not_answered_in_the_name_of_the_period():
    r = Replanner(ReplanningSettings(operator_spacing_s=2.0))
    r.mark_asked(Trigger.OPERATOR, 0)
    r.request(Trigger.OPERATOR)
    assert r.due(1500 * MS) is None
    assert r.due(2 * S) == Trigger.OPERATOR


def test_one_answer_serves_task_and_operator():
    r = Replanner(ReplanningSettings())
    r.request(Trigger.OPERATOR)
    r.request(Trigger.TASK)
    assert r.due(S) == Trigger.TASK
    r.mark_asked(Trigger.TASK, S)
    assert r.due(S + 500 * MS) is None


def test_what_is_withdrawn_is_not_asked():
    r = Replanner(ReplanningSettings())
    r.mark_asked(Trigger.PERIOD, 0)
    r.request(Trigger.STALL)
    r.withdraw(Trigger.STALL)
    assert r.due(500 * MS) is None


def test_any_question_starts_the_period_anew():
    r = Replanner(ReplanningSettings())
    r.mark_asked(Trigger.PERIOD, 0)
    r.mark_asked(Trigger.SUBTASK_END, 900 * MS)
    assert r.due(1800 * MS) is None and r.due(1900 * MS) == Trigger.PERIOD


def test_time_that_jumps_back_asks_at_once_and_forgets_the_spacings():
    r = Replanner(ReplanningSettings())
    r.mark_asked(Trigger.STALL, 100 * S)
    assert r.due(5 * S) == Trigger.PERIOD
    r.request(Trigger.STALL)
    assert r.due(5 * S) == Trigger.STALL


@pytest.mark.parametrize("name", ["period_s", "confirmations", "hold_after_s", "stall_spacing_s"])
def test_settings_must_be_above_zero(name):
    with pytest.raises(ValueError, match=f"{name} must be above 0, found 0"):
        ReplanningSettings(**{name: 0})
