"""The witness, the checks and the line, each against faults that it must report."""

import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from system.checks import Checks, chance_of_as_many, percentile
from system.relay import LineFaults, Relay
from system.witness import Command, Witness, base_timeout

PLATFORM = load_platform("mobile_18dof")
MS = 1_000_000
PERIOD = 20 * MS


def stream(group, rows, start=0, first=1):
    """Return a witness that received `rows` of a group, one a period."""
    witness = Witness(PLATFORM)
    for index, row in enumerate(rows):
        witness.add(group, Command(start + index * PERIOD, first + index, 0, np.array(row, float)))
    return witness


def torso(*values):
    return stream("torso", [[value] for value in values])


def test_a_command_within_the_limits_is_no_fault():
    # v_max 0.25 m/s, a_max 0.8 m/s²: 16 mm/s more a period.
    speeds = np.minimum(np.arange(20) * 0.016, 0.25)
    assert torso(*(0.1 + np.cumsum(speeds * 0.02))).faults() == []


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.1, np.nan), "not finite"),
        ((0.1, 0.1, 0.51), "0.01 outside"),
        ((0.1, 0.1051), "speed 1.02 of its limit"),
        ((0.1, 0.1, 0.10033), "acceleration 1.031 of its limit"),
    ],
)
def test_each_limit_is_judged(values, text):
    assert text in "; ".join(torso(*values).faults())


def test_a_lost_message_or_a_pause_is_no_jump():
    witness = Witness(PLATFORM)
    for arrival, sequence, value in ((0, 1, 0.1), (1, 2, 0.1), (3, 4, 0.11), (400, 5, 0.2)):
        witness.add("torso", Command(arrival * PERIOD, sequence, 0, np.array([value])))
    assert witness.faults() == []


def test_the_base_may_brake_harder_than_it_accelerates():
    # a_max 1 m/s²: 0.02 a period; braking 0.5 m/s in 80 ms: 0.125 a period.
    assert stream("base", [[0.2, 0, 0], [0.08, 0, 0], [0, 0, 0]]).faults() == []
    assert "acceleration" in stream("base", [[0.08, 0, 0], [0.2, 0, 0]]).faults()[0]
    assert "acceleration" in stream("base", [[0.06, 0, 0], [-0.06, 0, 0]]).faults()[0]


def test_the_base_stands_when_it_is_commanded_to_or_when_commands_time_out():
    assert base_timeout(PLATFORM) == 0.2
    stopped = stream("base", [[0.1, 0, 0], [0.1, 0, 0], [0, 0, 0]])
    assert stopped.standing_since(0, 100 * PERIOD) == 2 * PERIOD
    assert stopped.standing_since(3 * PERIOD, 100 * PERIOD) == 3 * PERIOD
    silent = stream("base", [[0.1, 0, 0], [0.1, 0, 0]])
    assert silent.standing_since(0, 100 * PERIOD) == PERIOD + 200 * MS
    assert silent.standing_since(0, 5 * PERIOD) is None
    assert silent.base_speed(2 * PERIOD) == 0.1
    assert silent.base_speed(PERIOD + 201 * MS) == 0.0


def test_drift_is_from_where_the_joint_was():
    witness = torso(0.1, 0.12, 0.14, 0.13)
    assert witness.drift(PERIOD, 10 * PERIOD) == pytest.approx(0.02)


def test_what_was_never_measured_fails():
    checks = Checks()
    assert not checks.passed  # There is no check.
    checks.at_most("a", None, 1.0, "ms")
    checks.at_most("b", float("nan"), 1.0)
    checks.at_most("c", 1.0, 1.0, "ms")
    assert [check.passed for check in checks.found] == [False, False, True]
    assert checks.found[0].measured == "never" and checks.found[2].wanted == "≤ 1 ms"


def test_percentile_is_a_value_that_came():
    assert percentile([float(n) for n in range(1, 201)], 0.99) == 198.0
    assert np.isnan(percentile([], 0.5))


def test_a_line_without_faults_hands_on_at_once_and_in_order():
    relay = Relay(LineFaults(), seed=1)
    for number in range(5):
        relay.put(number, 0.0)
    assert relay.take(0.0) == [0, 1, 2, 3, 4]


def test_a_bad_line_has_its_faults_and_is_reproducible():
    faults = LineFaults(drop=0.2, double=0.1, delay=0.05, spread=0.03)

    def run():
        relay = Relay(faults, seed=3)
        arrived = []
        for number in range(1000):
            now = number * 0.01
            relay.put(number, now)
            late = relay.take(now)
            assert all(now - sent * 0.01 >= 0.02 for sent in late)
            arrived += late
        return arrived + relay.take(11.0), relay.counts

    order, counts = run()
    assert (order, counts) == run()
    assert counts["dropped"] == 1000 - len(set(order))
    assert 150 < counts["dropped"] < 250 and 50 < counts["doubled"] < 110
    assert len(order) - len(set(order)) == counts["doubled"]
    assert order != sorted(order)  # ± 30 ms at 10 ms apart: some overtake others.


@pytest.mark.parametrize(
    ("after", "before", "chance"),
    [
        # Binomial upper tails of a fair coin.
        (1, 0, 1 / 2),
        (0, 5, 1.0),
        (5, 0, 1 / 32),
        (3, 1, 5 / 16),
        (0, 0, 1.0),
    ],
)
def test_as_many_late_ticks_as_before_are_likely(after, before, chance):
    assert chance_of_as_many(after, 400, before, 400) == pytest.approx(chance)


def test_a_longer_span_may_hold_more_events():
    assert chance_of_as_many(10, 4000, 1, 400) > 0.5
    assert chance_of_as_many(20, 400, 1, 400) < 1e-4
    assert chance_of_as_many(1, 0, 1, 400) == 0.0
