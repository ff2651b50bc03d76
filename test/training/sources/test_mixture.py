"""The mixture: exact shares, whole epochs, and independence of the order of reading."""

import itertools

import numpy as np
import pytest

from pi05_ros.training.sources.mixture import BLOCK, Mixture

SIZES, WEIGHTS = (7, 400, 31), (0.024, 0.726, 0.25)


def test_shares_are_exact_in_every_block():
    mixture = Mixture(SIZES, WEIGHTS, seed=1)
    for blocks in (1, 2, 7, 1000):
        counts = mixture.counts(blocks * BLOCK)
        assert sum(counts) == blocks * BLOCK
        assert np.abs(np.array(counts) - np.array(WEIGHTS) * blocks * BLOCK).max() <= 1.0


def test_thirty_sources_of_which_most_are_rare():
    mixture = Mixture([3] * 30, [1.0] + [1e-4] * 29, seed=0)
    counts = [np.array(mixture.counts(block * BLOCK)) for block in range(50)]
    assert min((after - before).min() for before, after in itertools.pairwise(counts)) >= 0


def test_counts_are_those_of_the_draws():
    mixture = Mixture(SIZES, WEIGHTS, seed=1)
    drawn = [mixture.draw(g).source for g in range(2345)]
    assert mixture.counts(2345) == tuple(drawn.count(source) for source in range(3))


def test_every_sample_is_drawn_once_before_any_is_drawn_again():
    mixture = Mixture((5, 3), (0.5, 0.5), seed=0)
    draws = [mixture.draw(g) for g in range(4 * BLOCK)]
    for source, size in ((0, 5), (1, 3)):
        indices = [d.index for d in draws if d.source == source]
        for begin in range(0, len(indices) - size, size):
            assert sorted(indices[begin : begin + size]) == list(range(size))
        epochs = [d.epoch for d in draws if d.source == source]
        assert epochs == sorted(epochs) and epochs[size] == 1


def test_a_draw_does_not_depend_on_those_before():
    order = np.random.default_rng(0).permutation(3000)
    one, other = Mixture(SIZES, WEIGHTS, seed=5), Mixture(SIZES, WEIGHTS, seed=5)
    expected = [one.draw(g) for g in range(3000)]
    assert all(other.draw(int(g)) == expected[g] for g in order)
    assert one.generator(7).random() == other.generator(7).random() != one.generator(8).random()


def test_another_seed_is_another_order():
    one, other = Mixture(SIZES, WEIGHTS, seed=5), Mixture(SIZES, WEIGHTS, seed=6)
    assert [one.draw(g) for g in range(50)] != [other.draw(g) for g in range(50)]


def test_draws_far_ahead():
    mixture = Mixture(SIZES, WEIGHTS, seed=5)
    far = 280_000 * 256 + 17
    assert 0 <= mixture.draw(far).index < max(SIZES)
    assert sum(mixture.counts(far)) == far


@pytest.mark.parametrize(("sizes", "weights"), [((0, 1), (1, 1)), ((1, 1), (1, 0)), ((), ())])
def test_wrong_sizes_and_weights_are_refused(sizes, weights):
    with pytest.raises(ValueError, match="wanted"):
        Mixture(sizes, weights, seed=0)


def test_weights_of_any_size_have_finite_shares():
    assert Mixture([1, 1], [1.5e308, 1.5e308], 0).shares == (0.5, 0.5)
    assert Mixture([1, 1], [1e-300, 1.0], 0).counts(10_000) == (0, 10_000)
