import pytest
from fakes.console_pages import TurnedClock

from pi05_ros.console.answers import Refused
from pi05_ros.console.control import ControlArbiter, ControlSettings


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture
def control(clock):
    return ControlArbiter(clock)


def refused(call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.status == 409
    return str(caught.value)


def test_nobody_commands_before_somebody_takes_control(control, clock):
    assert "take control" in refused(lambda: control.check(1, 0, clock.now))


def test_the_holder_commands_and_the_others_watch(control, clock):
    holder = control.take(1, "ada", clock.now)
    control.check(1, holder.lease, clock.now)
    assert "ada holds control" in refused(lambda: control.check(2, holder.lease, clock.now))
    assert "ada holds control" in refused(lambda: control.take(2, "bob", clock.now))
    assert control.holder.name == "ada"


def test_taking_over_names_the_lease_that_it_ends(control, clock):
    first = control.take(1, "ada", clock.now)
    assert "ada" in refused(lambda: control.take(2, "bob", clock.now, over=first.lease + 1))
    second = control.take(2, "bob", clock.now, over=first.lease)
    assert second.lease == first.lease + 1
    # A third, who still sees ada, does not take it from bob.
    refused(lambda: control.take(3, "eve", clock.now, over=first.lease))
    refused(lambda: control.check(1, first.lease, clock.now))
    control.check(2, second.lease, clock.now)


def test_a_command_of_an_older_lease_of_the_same_page_is_refused(control, clock):
    old = control.take(1, "ada", clock.now)
    control.release(1)
    new = control.take(1, "ada", clock.now)
    assert "has expired" in refused(lambda: control.check(1, old.lease, clock.now))
    control.check(1, new.lease, clock.now)


def test_taking_what_one_holds_keeps_the_lease(control, clock):
    assert control.take(1, "ada", clock.now).lease == control.take(1, "ada", clock.now).lease


def test_only_the_holder_releases(control, clock):
    control.take(1, "ada", clock.now)
    control.release(2)
    assert control.holder.session == 1
    control.release(1)
    assert control.holder is None


def test_a_command_on_what_was_shown_long_ago_is_refused(control, clock):
    holder = control.take(1, "ada", clock.now)
    seen_at = clock.now
    clock.now += 2.0
    control.seen(1, clock.now)
    control.check(1, holder.lease, seen_at)
    clock.now += 0.01
    assert "2.0 s behind" in refused(lambda: control.check(1, holder.lease, seen_at))
    assert "has not shown" in refused(lambda: control.check(1, holder.lease, float("-inf")))


def test_control_cannot_be_taken_on_what_was_shown_long_ago(control, clock):
    refused(lambda: control.take(1, "ada", clock.now - 2.1))
    assert control.holder is None


def test_after_a_stop_a_page_must_look_again(control, clock):
    holder = control.take(1, "ada", clock.now)
    before = clock.now
    clock.now += 0.1
    control.stopped()
    assert "stop was pressed" in refused(lambda: control.check(1, holder.lease, before))
    refused(lambda: control.take(2, "bob", before, over=holder.lease))
    control.check(1, holder.lease, clock.now)


def test_a_holder_who_sees_nothing_lapses(control, clock):
    control.take(1, "ada", clock.now)
    clock.now += 3.0
    control.lapse()
    assert control.holder is not None
    clock.now += 0.01
    control.lapse()
    assert control.holder is None
    # And who comes then needs to take it over from nobody.
    assert control.take(2, "bob", clock.now).session == 2


def test_what_was_seen_never_goes_back(control, clock):
    control.take(1, "ada", clock.now)
    late = clock.now
    clock.now += 1
    control.seen(1, clock.now)
    control.seen(1, late)
    assert control.holder.seen_at == clock.now
    control.seen(2, clock.now + 1)
    assert control.holder.seen_at == clock.now


def test_the_dead_man_switch_wants_a_holder_who_sees(control, clock):
    assert control.problem() == "no operator holds control"
    control.take(1, "ada", clock.now)
    clock.now += 0.18
    assert control.problem() == ""
    clock.now += 0.001
    assert "no response" in control.problem()
    control.seen(1, clock.now)
    assert control.problem() == ""
    control.release(1)
    assert control.problem()


def test_answers_that_come_late_prove_nothing(control, clock):
    """A line that delays everything by a second brings a steady stream of answers."""
    control.take(1, "ada", clock.now)
    for _ in range(50):
        clock.now += 0.04
        control.seen(1, clock.now - 1.0)
    assert control.problem()


def test_times_are_checked():
    with pytest.raises(ValueError, match="dead_man_s"):
        ControlSettings(dead_man_s=5.0)


def test_a_holder_is_called_by_the_newest_name(control, clock):
    holder = control.take(1, "127.0.0.1", clock.now)
    control.rename(2, "bob")
    assert control.holder == holder
    control.rename(1, "ada")
    assert (control.holder.name, control.holder.lease) == ("ada", holder.lease)
