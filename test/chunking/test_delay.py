"""The estimate of a chunk's delay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi05_ros.chunking.delay import DelayEstimator

WINDOW = 10


def estimator(delays, initial=7.0):
    made = DelayEstimator(initial, WINDOW)
    for delay in delays:
        made.add(delay)
    return made


def test_before_a_measurement_it_is_the_initial_estimate():
    assert estimator([]).rows == 7.0
    assert estimator([3.0]).rows == 3.0


def test_a_warm_up_is_used_only_until_there_is_a_measurement():
    made = estimator([])
    made.add(12.0, is_warm_up=True)
    assert made.rows == 12.0
    made.add(3.0)
    assert made.rows == 3.0
    made.add(30.0, is_warm_up=True)
    assert made.rows == 3.0 and made.measured == 1
    made = estimator([])
    made.add(2.0, is_warm_up=True)
    assert made.rows == 7.0  # It may have been luck.


def test_it_is_the_greatest_of_the_window():
    assert estimator([4.0, 6.0, 5.0]).rows == 6.0
    assert estimator([6.0] + [4.0] * WINDOW).rows == 4.0


def test_one_stall_is_excluded_and_a_slower_machine_is_not():
    assert estimator([4.0] * 5 + [40.0]).rows == 4.0
    assert estimator([4.0] * 8 + [40.0, 40.0]).rows == 4.0
    assert estimator([4.0] * 7 + [20.0, 20.0, 20.0]).rows == 20.0
    # A stall among them is still one.
    assert estimator([4.0] * 5 + [20.0, 20.0, 20.0, 90.0]).rows == 20.0


def test_just_above_is_no_stall():
    assert estimator([4.0] * 5 + [11.0]).rows == 11.0  # 2 · 4 + 3
    assert estimator([4.0] * 5 + [11.1]).rows == 4.0


def test_what_is_no_delay_is_refused():
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="0 rows or more"):
            estimator([]).add(wrong)


DELAYS = st.floats(0, 50)


@given(st.lists(DELAYS, min_size=1, max_size=30))
def test_it_lies_between_median_and_maximum_of_the_window(delays):
    window = sorted(delays[-WINDOW:])
    found = estimator(delays).rows
    assert found in window
    assert window[(len(window) - 1) // 2] <= found <= window[-1]


@given(st.lists(DELAYS, max_size=20), DELAYS)
def test_what_was_before_the_window_is_forgotten(before, delay):
    assert estimator([*before, *[delay] * WINDOW]).rows == delay


@given(st.floats(0, 20), st.floats(60, 1000), st.integers(0, WINDOW - 1))
def test_a_stall_among_steady_delays_changes_nothing(delay, stall, place):
    delays = [delay] * WINDOW
    delays[place] = stall
    assert estimator(delays).rows == delay
