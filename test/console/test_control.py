import pytest
from fakes.console_pages import TurnedClock

from pi05_ros.console.answers import Refused
from pi05_ros.console.control import ControlDesk, ControlSettings


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture
def desk(clock):
    return ControlDesk(clock)


def refused(call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.status == 409
    return str(caught.value)


def test_nobody_commands_before_somebody_takes_control(desk, clock):
    assert "take control" in refused(lambda: desk.check(1, 0, clock.now))


def test_the_holder_commands_and_the_others_watch(desk, clock):
    holder = desk.take(1, "ada", clock.now)
    desk.check(1, holder.lease, clock.now)
    assert "ada holds control" in refused(lambda: desk.check(2, holder.lease, clock.now))
    assert "ada holds control" in refused(lambda: desk.take(2, "bob", clock.now))
    assert desk.holder.name == "ada"


def test_taking_over_names_the_lease_that_it_ends(desk, clock):
    first = desk.take(1, "ada", clock.now)
    assert "ada" in refused(lambda: desk.take(2, "bob", clock.now, over=first.lease + 1))
    second = desk.take(2, "bob", clock.now, over=first.lease)
    assert second.lease == first.lease + 1
    # A third, who still sees ada, does not take it from bob.
    refused(lambda: desk.take(3, "eve", clock.now, over=first.lease))
    refused(lambda: desk.check(1, first.lease, clock.now))
    desk.check(2, second.lease, clock.now)


def test_a_command_of_an_older_lease_of_the_same_page_is_refused(desk, clock):
    old = desk.take(1, "ada", clock.now)
    desk.release(1)
    new = desk.take(1, "ada", clock.now)
    assert "has expired" in refused(lambda: desk.check(1, old.lease, clock.now))
    desk.check(1, new.lease, clock.now)


def test_taking_what_one_holds_keeps_the_lease(desk, clock):
    assert desk.take(1, "ada", clock.now).lease == desk.take(1, "ada", clock.now).lease


def test_only_the_holder_releases(desk, clock):
    desk.take(1, "ada", clock.now)
    desk.release(2)
    assert desk.holder.session == 1
    desk.release(1)
    assert desk.holder is None


def test_a_command_on_what_was_shown_long_ago_is_refused(desk, clock):
    holder = desk.take(1, "ada", clock.now)
    seen_at = clock.now
    clock.now += 2.0
    desk.seen(1, clock.now)
    desk.check(1, holder.lease, seen_at)
    clock.now += 0.01
    assert "2.0 s behind" in refused(lambda: desk.check(1, holder.lease, seen_at))
    assert "has not shown" in refused(lambda: desk.check(1, holder.lease, float("-inf")))


def test_control_cannot_be_taken_on_what_was_shown_long_ago(desk, clock):
    refused(lambda: desk.take(1, "ada", clock.now - 2.1))
    assert desk.holder is None


def test_after_a_stop_a_page_must_look_again(desk, clock):
    holder = desk.take(1, "ada", clock.now)
    before = clock.now
    clock.now += 0.1
    desk.stopped()
    assert "stop was pressed" in refused(lambda: desk.check(1, holder.lease, before))
    refused(lambda: desk.take(2, "bob", before, over=holder.lease))
    desk.check(1, holder.lease, clock.now)


def test_a_holder_who_sees_nothing_lapses(desk, clock):
    desk.take(1, "ada", clock.now)
    clock.now += 3.0
    desk.lapse()
    assert desk.holder is not None
    clock.now += 0.01
    desk.lapse()
    assert desk.holder is None
    # And who comes then needs to take it over from nobody.
    assert desk.take(2, "bob", clock.now).session == 2


def test_what_was_seen_never_goes_back(desk, clock):
    desk.take(1, "ada", clock.now)
    late = clock.now
    clock.now += 1
    desk.seen(1, clock.now)
    desk.seen(1, late)
    assert desk.holder.seen_at == clock.now
    desk.seen(2, clock.now + 1)
    assert desk.holder.seen_at == clock.now


def test_the_dead_man_switch_wants_a_holder_who_sees(desk, clock):
    assert desk.problem() == "no operator holds control"
    desk.take(1, "ada", clock.now)
    clock.now += 0.18
    assert desk.problem() == ""
    clock.now += 0.001
    assert "no response" in desk.problem()
    desk.seen(1, clock.now)
    assert desk.problem() == ""
    desk.release(1)
    assert desk.problem()


def test_answers_that_come_late_prove_nothing(desk, clock):
    """A line that delays everything by a second brings a steady stream of answers."""
    desk.take(1, "ada", clock.now)
    for _ in range(50):
        clock.now += 0.04
        desk.seen(1, clock.now - 1.0)
    assert desk.problem()


def test_times_are_checked():
    with pytest.raises(ValueError, match="dead_man_s"):
        ControlSettings(dead_man_s=5.0)


def test_a_holder_is_called_by_the_newest_name(desk, clock):
    holder = desk.take(1, "127.0.0.1", clock.now)
    desk.rename(2, "bob")
    assert desk.holder == holder
    desk.rename(1, "ada")
    assert (desk.holder.name, desk.holder.lease) == ("ada", holder.lease)
