"""Normalisation by quantiles, by hand and as laws."""

import numpy as np
import pytest

from pi05_ros.model.normalization import DimensionStats, NormStats, pad

STATS = NormStats(
    (
        DimensionStats("joint", "rad", -2.0, 2.0, -1.0, 3.0),
        DimensionStats("gripper", "fraction", 0.0, 1.0, 0.0, 1.0),
        DimensionStats("lift", "m", 0.0, 0.5, -0.1, 0.1, relative=True),
    )
)


def test_quantiles_become_plus_and_minus_one():
    low, high = np.array([-2.0, 0.0, 0.0]), np.array([2.0, 1.0, 0.5])
    np.testing.assert_allclose(STATS.normalize_state(low), [-1, -1, -1])
    np.testing.assert_allclose(STATS.normalize_state(high), [1, 1, 1], atol=1e-5)
    np.testing.assert_allclose(STATS.normalize_state((low + high) / 2), [0, 0, 0], atol=1e-5)
    # Not clipped: a value outside is said to be outside.
    assert STATS.normalize_state(np.array([4.0, 0.0, 0.0]))[0] == pytest.approx(2.0, abs=1e-5)


def test_actions_by_hand():
    state = np.array([0.5, 0.5, 0.3])
    actions = np.array([[3.0, 0.0, 0.4], [1.0, 0.5, 0.3]])  # Absolute, as the robot takes them.
    normalized = STATS.normalize_actions(actions, state)
    # The lift is relative: 0.4 is 0.1 above the state, its 99th percentile.
    np.testing.assert_allclose(normalized, [[1, -1, 1], [0, 0, 0]], atol=2e-5)


def test_actions_come_back():
    draw = np.random.default_rng(0)
    state, actions = draw.normal(size=(4, 3)), draw.normal(size=(4, 50, 3))
    again = STATS.unnormalize_actions(STATS.normalize_actions(actions, state), state)
    np.testing.assert_allclose(again, actions, atol=1e-12)


def test_from_limits():
    stats = NormStats.from_limits(
        ["a", "b"], ["rad", "m"], np.array([-1.0, 0]), np.array([3.0, 1])
    )
    assert stats.names == ("a", "b")
    assert stats.units == ("rad", "m")
    np.testing.assert_allclose(stats.normalize_state(np.array([1.0, 0.5])), 0, atol=1e-6)
    whole = stats.unnormalize_actions(np.array([[-1.0, -1.0], [1.0, 1.0]]), np.zeros(2))
    np.testing.assert_allclose(whole, [[-1, 0], [3, 1]], atol=2e-6)


def test_statistics_that_are_none():
    with pytest.raises(
        ValueError, match="joint: state_q01 2.0 and state_q99 1.0 are no quantiles"
    ):
        DimensionStats("joint", "rad", 2.0, 1.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="joint: action_q01 nan"):
        DimensionStats("joint", "rad", 0.0, 1.0, float("nan"), 1.0)
    with pytest.raises(ValueError, match="'joint' stands twice"):
        NormStats((STATS.dimensions[0], STATS.dimensions[0]))


def test_padding():
    np.testing.assert_array_equal(pad(np.ones((2, 3)), 5), [[1, 1, 1, 0, 0]] * 2)
    with pytest.raises(ValueError, match="3 entries do not fit into 2"):
        pad(np.ones(3), 2)
