"""Sketches of merged parts: their quantiles are those of all the data, within the stated error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.data.statistics.quantiles import RANK_ERROR, Quantiles

# Distributions of robots: mostly at rest, two positions of a gripper, far outliers.
SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "at rest": lambda rng, n: np.where(rng.random(n) < 0.9, 0.0, rng.normal(size=n)),
    "gripper": lambda rng, n: np.where(rng.random(n) < 0.03, 1.0, rng.normal(0, 1e-3, n)),
    "outliers": lambda rng, n: rng.standard_cauchy(n),
    "sweep": lambda rng, n: np.sin(np.arange(n) / 700.0),
}


def sketch(values):
    found = Quantiles(1)
    found.add(values[:, None])
    return found


def rank_error(values, share, found):
    """Distance of a quantile's rank from the wanted one."""
    ordered = np.sort(values)
    low = np.searchsorted(ordered, found, "left") / len(values)
    high = np.searchsorted(ordered, found, "right") / len(values)
    return max(0.0, low - share, share - high)


@given(
    shape=st.sampled_from(sorted(SHAPES)),
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.sampled_from([1, 7, 300, 5000, 40_000, 200_000]), min_size=1, max_size=6),
)
@settings(max_examples=40, deadline=None)
def test_merged_parts_of_very_unequal_sizes_have_the_quantiles_of_all(shape, seed, sizes):
    rng = np.random.default_rng(seed)
    # The parts lie at different places, as different datasets do.
    parts = [SHAPES[shape](rng, n) + 3 * index for index, n in enumerate(sizes)]
    whole = Quantiles(1)
    for part in parts:
        whole.merge(sketch(part))
    values = np.concatenate(parts)
    for share in (0.01, 0.5, 0.99):
        # The sketch samples at random: the bound holds with 99 %, its double nearly always.
        assert rank_error(values, share, whole.at(share)[0]) <= 2 * RANK_ERROR + 1 / len(values)


def test_the_stated_error_is_small_enough_for_a_percentile():
    assert RANK_ERROR < 0.001


def test_few_values_are_exact():
    values = np.random.default_rng(0).permutation(4000).astype(float)
    found = sketch(values)
    assert found.at(0.01) == 39.0 and found.at(0.99) == 3959.0
    assert found.share_below(np.array([1000.0])) == 0.25
    assert found.share_above(np.array([999.0])) == 0.75


def test_a_share_outside_does_not_count_values_on_the_border():
    found = sketch(np.array([0.0, 0.0, 1.0, 1.0]))
    assert found.share_below(np.array([0.0])) == 0.0
    assert found.share_above(np.array([1.0])) == 0.0


def test_values_that_are_not_finite_are_skipped():
    assert sketch(np.array([np.nan, 1.0, np.inf, -np.inf])).at(0.5) == 1.0


def test_without_values_the_statistics_are_nan():
    assert np.isnan(Quantiles(2).at(0.5)).all()
    assert np.isnan(Quantiles(2).share_below(np.zeros(2))).all()


def test_bytes_round_trip():
    found = sketch(np.random.default_rng(0).normal(size=50_000))
    back = Quantiles.from_bytes(found.to_bytes())
    assert back.at(0.01) == found.at(0.01) and back.at(0.99) == found.at(0.99)


@pytest.mark.parametrize("bad", [b"", b"abc", b"x" * 100])
def test_other_bytes_are_refused(bad):
    with pytest.raises(ValueError, match="sketch|corruption"):
        Quantiles.from_bytes([bad])
