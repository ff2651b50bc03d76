"""The statistics that LeRobot keeps of each feature: min, max, mean, std, count, quantiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
# Memory for the statistics of a whole dataset [byte].
MEMORY_BYTES = 512 << 20
# Every n-th pixel of a picture is sampled, along both sides.
PIXEL_STEP = 4

Statistics = dict[str, np.ndarray]


def of_rows(values: np.ndarray) -> Statistics:
    """Compute exact statistics over the rows of (K, D), each (D,) float64; count (1,) int64."""
    values = values.astype(np.float64)
    found: Statistics = {
        "min": values.min(axis=0),
        "max": values.max(axis=0),
        "mean": values.mean(axis=0),
        "std": values.std(axis=0),
        "count": np.array([len(values)]),
    }
    for name, value in zip(
        QUANTILES, np.quantile(values, list(QUANTILES.values()), axis=0), strict=True
    ):
        found[name] = value
    return found


def of_dataset(batches: Callable[[], Iterator[np.ndarray]], rows: int, width: int) -> Statistics:
    """Compute exact statistics over all rows of a dataset, a group of entries at a time.

    Args:
        batches: Yields all rows, (K, width) at a time; called once for each group.
        rows: Number of rows to count, from the first on.
        width: Entries of a row.
    """
    at_once = max(1, int(MEMORY_BYTES // (8 * rows)))
    parts = []
    for first in range(0, width, at_once):
        part = slice(first, min(width, first + at_once))
        values = np.empty((rows, part.stop - first))
        filled = 0
        for batch in batches():
            taken = batch[: rows - filled, part]
            values[filled : filled + len(taken)] = taken
            filled += len(taken)
        if filled < rows:
            raise ValueError(f"{filled} rows came, {rows} were promised")
        parts.append(of_rows(values))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return joined | {"count": np.array([rows])}


class PixelStatistics:
    """Statistics of a camera's pixels by channel, as fractions of full brightness, (3, 1, 1)."""

    def __init__(self) -> None:
        self._histogram = np.zeros((3, 256), np.int64)
        self._pictures = 0

    def add(self, picture: np.ndarray, times: int) -> None:
        """Add a (h, w, 3) uint8 picture that `times` rows have."""
        sample = picture[::PIXEL_STEP, ::PIXEL_STEP].reshape(-1, 3)
        for channel in range(3):
            self._histogram[channel] += times * np.bincount(sample[:, channel], minlength=256)
        self._pictures += times

    def result(self) -> Statistics:
        """Return the statistics, exact for the sampled pixels."""
        levels = np.arange(256) / 255.0
        weight = self._histogram / self._histogram.sum(axis=1, keepdims=True)
        mean = weight @ levels
        found: dict[str, np.ndarray] = {
            "min": np.array([levels[np.flatnonzero(row)[0]] for row in weight]),
            "max": np.array([levels[np.flatnonzero(row)[-1]] for row in weight]),
            "mean": mean,
            "std": np.sqrt(np.maximum((weight @ levels**2) - mean**2, 0.0)),
        }
        below = np.cumsum(weight, axis=1)
        for name, rank in QUANTILES.items():
            found[name] = np.array([levels[int(np.searchsorted(row, rank))] for row in below])
        shaped = {name: value.reshape(3, 1, 1) for name, value in found.items()}
        return shaped | {"count": np.array([self._pictures])}


def pooled(parts: Iterable[Mapping[str, np.ndarray]]) -> Statistics:
    """Pool the pixel statistics of several episodes.

    Minimum, maximum, mean and deviation are exact. A quantile is the outermost one: the lowest
    for ranks up to 0.5 and the highest above, as LeRobot does when it merges datasets.
    """
    parts = list(parts)
    counts = [float(part["count"][0]) for part in parts]
    total = math.fsum(counts)
    shares = [count / total for count in counts]
    mean = sum(share * part["mean"] for share, part in zip(shares, parts, strict=True))
    variance = sum(
        share * (part["std"] ** 2 + (part["mean"] - mean) ** 2)
        for share, part in zip(shares, parts, strict=True)
    )
    found: Statistics = {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": np.asarray(mean),
        "std": np.sqrt(np.asarray(variance)),
        "count": np.array([int(total)]),
    }
    for name, rank in QUANTILES.items():
        outermost = np.min if rank <= 0.5 else np.max
        found[name] = outermost([part[name] for part in parts], axis=0)
    return found
