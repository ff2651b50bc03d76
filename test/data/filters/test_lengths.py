"""Bounds of lengths, computed by hand."""

import pytest

from pi05_ros.data.filters.lengths import length_bounds


def test_the_median_more_or_less_five_robust_deviations():
    # Median 60; deviations 20, 10, 0, 10, 400: median 10, 14.826 as a standard deviation.
    found = length_bounds({"wipe": [40, 50, 60, 70, 460]}, 5.0)
    assert found["wipe"] == pytest.approx((60 - 74.13, 60 + 74.13))


def test_equal_lengths_may_differ_by_a_tenth_each():
    assert length_bounds({"wipe": [60.0] * 9}, 2.0)["wipe"] == pytest.approx((48.0, 72.0))


def test_few_episodes_have_no_bounds_and_tasks_have_their_own():
    found = length_bounds({"wipe": [10] * 4, "tidy": [100] * 5}, 1.0)
    assert found == {"tidy": pytest.approx((90.0, 110.0))}
