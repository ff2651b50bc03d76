"""Bootstrap intervals over homes, on data small enough to compute by hand."""

import numpy as np
import pytest

from pi05_ros.evaluation.trials.statistics import (
    Estimate,
    difference_on_homes,
    estimate,
    share_of_homes,
)


def test_equal_homes_leave_no_doubt():
    assert share_of_homes({1: [0.5], 2: [0.5], 3: [0.5]}) == Estimate(0.5, 0.5, 0.5, 3)
    assert share_of_homes({7: [0.25]}) == Estimate(0.25, 0.25, 0.25, 1)


def test_two_homes_give_the_three_means_that_their_resamples_have():
    # Resamples are (0, 0), (0, 1), (1, 0), (1, 1): 0 and 1 have a quarter each, above 2.5 %.
    assert share_of_homes({1: [0.0], 2: [1.0]}) == Estimate(0.5, 0.0, 1.0, 2)


def test_a_rare_resample_is_outside_the_interval():
    # One home of four with 1: no such home in (3/4)^4 = 32 % of the resamples, so the lower end
    # is 0; three or four of them in (4*3 + 1)/256 = 5.1 %, four in 0.4 %: the upper end is 3/4.
    assert share_of_homes({1: [1.0], 2: [0.0], 3: [0.0], 4: [0.0]}) == Estimate(0.25, 0.0, 0.75, 4)


def test_trials_of_a_home_count_as_one():
    many = share_of_homes({1: [0.0, 0.5, 1.0], 2: [0.5]})
    assert many == Estimate(0.5, 0.5, 0.5, 2)


def test_a_difference_is_that_of_the_same_homes():
    one = {1: [1.0], 2: [0.5], 3: [0.0]}
    other = {1: [0.75], 2: [0.25], 4: [1.0]}
    # The homes differ by 0.5 among themselves, the two modes by 0.25 in each of them.
    assert difference_on_homes(one, other) == Estimate(0.25, 0.25, 0.25, 2)
    assert difference_on_homes(other, one).mean == -0.25
    assert difference_on_homes({1: [1.0]}, {2: [1.0]}) is None


def test_the_mean_of_tasks_weighs_them_equally():
    found = estimate([np.array([1.0, 1.0, 1.0]), np.array([0.0])])
    assert found == Estimate(0.5, 0.5, 0.5, 4)


def test_the_order_of_homes_makes_no_difference():
    shares = {home: [share] for home, share in enumerate(np.linspace(0, 1, 7).tolist())}
    backwards = dict(reversed(shares.items()))
    assert share_of_homes(shares) == share_of_homes(backwards)


def test_with_many_homes_the_interval_is_that_of_the_normal_distribution():
    values = np.random.default_rng(3).random(400)
    found = estimate([values])
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found.high - found.mean == pytest.approx(half, rel=0.06)
    assert found.mean - found.low == pytest.approx(half, rel=0.06)
