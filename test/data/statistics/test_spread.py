"""Mean, deviation and extremes: numpy's over all the data, however they were split."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.data.statistics.spread import Spread


def spread_of(values, cuts=()):
    whole = Spread(values.shape[1])
    for part in np.split(values, cuts):
        one = Spread(values.shape[1])
        one.add(part)
        whole.merge(one)
    return whole


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 3000),
    cuts=st.lists(st.integers(0, 3000), max_size=6),
    offset=st.sampled_from([0.0, 1e6, -1e8]),
)
@settings(max_examples=150, deadline=None)
def test_parts_of_any_size_merge_to_the_whole(seed, rows, cuts, offset):
    values = np.random.default_rng(seed).normal(offset, 2.0, (rows, 3))
    found = spread_of(values, sorted(cuts))
    assert found.count.tolist() == [rows] * 3
    np.testing.assert_allclose(found.mean, values.mean(axis=0), rtol=1e-12, atol=1e-12)
    # A float64 near 1e8 has a resolution of 1.5e-8, which bounds the deviation's error.
    np.testing.assert_allclose(found.deviation, values.std(axis=0), rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(found.least, values.min(axis=0))
    np.testing.assert_array_equal(found.greatest, values.max(axis=0))


def test_values_that_are_not_finite_are_skipped_by_entry():
    found = spread_of(np.array([[1.0, 5.0], [np.nan, 7.0], [3.0, np.inf]]))
    assert found.count.tolist() == [2, 2]
    assert found.mean.tolist() == [2.0, 6.0]
    assert found.deviation.tolist() == [1.0, 1.0]
    assert found.greatest.tolist() == [3.0, 7.0]


def test_without_values_the_statistics_are_nan():
    found = spread_of(np.zeros((0, 1)))
    assert found.count.tolist() == [0] and np.isnan(found.deviation).all()
    found.add(np.array([[2.0]]))
    assert (found.mean, found.deviation, found.least) == (2.0, 0.0, 2.0)


def test_dimensions_must_agree():
    with pytest.raises(ValueError, match="broadcast"):
        Spread(2).merge(Spread(3))
