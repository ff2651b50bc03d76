"""Statistics against numpy over all the values."""

import numpy as np
import pytest

from pi05_ros.data.lerobot import statistics

NAMES = ("min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99")


def test_of_rows_by_hand():
    found = statistics.of_rows(np.array([[0.0, 5], [1, 5], [2, 5], [3, 5], [4, 5]]))
    assert tuple(sorted(found)) == tuple(sorted(NAMES))
    assert found["q50"].tolist() == [2, 5]
    assert found["q10"].tolist() == pytest.approx([0.4, 5])
    assert found["std"].tolist() == pytest.approx([2**0.5, 0])
    assert found["count"].tolist() == [5]


@pytest.mark.parametrize("memory", [1 << 20, 8 * 1000 * 2, 1])
def test_statistics_in_groups_of_entries_equal_those_of_all_at_once(monkeypatch, memory):
    monkeypatch.setattr(statistics, "MEMORY_BYTES", memory)
    values = np.random.default_rng(0).normal(size=(1000, 5)) ** 3
    reads = []

    def batches():
        reads.append(1)
        yield from np.array_split(values, 7)
        yield values[:50] + 100  # Behind the rows that are counted.

    found = statistics.of_dataset(batches, 1000, 5)
    wanted = statistics.of_rows(values)
    for name in NAMES:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-12, err_msg=name)
    assert len(reads) == {1 << 20: 1, 16000: 3, 1: 5}[memory]


def test_a_dataset_with_fewer_rows_than_stated_is_refused():
    with pytest.raises(ValueError, match="2 rows came, 3 were promised"):
        statistics.of_dataset(lambda: iter([np.zeros((2, 1))]), 3, 1)


def test_pixels_against_numpy_with_repeated_pictures():
    random = np.random.default_rng(0)
    pictures = random.integers(0, 200, (3, 17, 20, 3), dtype=np.uint8)
    times = (1, 4, 2)
    counted = statistics.PixelStatistics()
    for picture, repeats in zip(pictures, times, strict=True):
        counted.add(picture, repeats)
    found = counted.result()
    sample = np.repeat(pictures[:, ::4, ::4], times, axis=0).reshape(-1, 3) / 255
    for name, wanted in {
        "min": sample.min(0),
        "max": sample.max(0),
        "mean": sample.mean(0),
        "std": sample.std(0),
        "q10": np.quantile(sample, 0.1, axis=0, method="inverted_cdf"),
        "q90": np.quantile(sample, 0.9, axis=0, method="inverted_cdf"),
    }.items():
        assert found[name].shape == (3, 1, 1)
        np.testing.assert_allclose(found[name].ravel(), wanted, rtol=1e-12, err_msg=name)
    assert found["count"].tolist() == [7]


def test_pooled_pixels_are_those_of_all_episodes():
    random = np.random.default_rng(1)
    parts, whole = [], statistics.PixelStatistics()
    for level in (60, 200):
        part = statistics.PixelStatistics()
        for _ in range(level // 20):
            picture = random.integers(0, level, (8, 8, 3), dtype=np.uint8)
            part.add(picture, 1)
            whole.add(picture, 1)
        parts.append(part.result())
    found, wanted = statistics.pooled(parts), whole.result()
    for name in ("min", "max", "mean", "std", "count"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, err_msg=name)
    np.testing.assert_array_equal(found["q01"], np.minimum(parts[0]["q01"], parts[1]["q01"]))
    np.testing.assert_array_equal(found["q99"], np.maximum(parts[0]["q99"], parts[1]["q99"]))
