"""Statistics of one kind of vector: moments, quantiles and non-finite values."""

from __future__ import annotations

import numpy as np

from pi05_ros.data.statistics.quantiles import Quantiles
from pi05_ros.data.statistics.spread import Spread


class VectorStatistics:
    """Statistics of vectors of D dimensions.

    Args:
        size: D.

    Attributes:
        spread: Count, mean, standard deviation, minimum and maximum.
        quantiles: KLL sketches.
        not_finite: Number of NaN and infinite values that were skipped, (D,) int64.
    """

    def __init__(self, size: int) -> None:
        self.spread = Spread(size)
        self.quantiles = Quantiles(size)
        self.not_finite = np.zeros(size, np.int64)

    def add(self, values: np.ndarray) -> None:
        """Add vectors (N, D)."""
        self.spread.add(values)
        self.quantiles.add(values)
        self.not_finite += (~np.isfinite(values)).sum(axis=0)

    def merge(self, other: VectorStatistics) -> None:
        """Add all vectors of another instance."""
        self.spread.merge(other.spread)
        self.quantiles.merge(other.quantiles)
        self.not_finite += other.not_finite

    @property
    def seen(self) -> np.ndarray:
        """Least and greatest value, (2, D) float64; +inf and -inf where nothing was counted."""
        return np.stack([self.spread.least, self.spread.greatest])

    def summary(self) -> list[dict[str, float | int | None]]:
        """Count, mean, std, min, max, q01 and q99 of each dimension; None: no finite value."""
        spread = self.spread
        columns = {
            "mean": spread.mean,
            "std": spread.deviation,
            "min": spread.least,
            "max": spread.greatest,
            "q01": self.quantiles.at(0.01),
            "q99": self.quantiles.at(0.99),
        }
        return [
            {
                "count": int(count),
                **{k: float(column[i]) if count else None for k, column in columns.items()},
            }
            for i, count in enumerate(spread.count)
        ]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return arrays that `numpy.savez` writes without pickling."""
        sketches = self.quantiles.to_bytes()
        spread = self.spread
        return {
            "count": spread.count,
            "mean": spread.mean,
            "squares": spread.squares,
            "least": spread.least,
            "greatest": spread.greatest,
            "not_finite": self.not_finite,
            "sketches": np.frombuffer(b"".join(sketches), np.uint8),
            "sketch_ends": np.cumsum([len(sketch) for sketch in sketches], dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> VectorStatistics:
        """The inverse of `to_arrays`.

        Raises:
            KeyError, ValueError: The arrays are not those of `to_arrays`.
        """
        found = cls(len(arrays["count"]))
        spread = found.spread
        spread.count, spread.mean = arrays["count"], arrays["mean"]
        spread.squares = arrays["squares"]
        spread.least, spread.greatest = arrays["least"], arrays["greatest"]
        found.not_finite = arrays["not_finite"]
        ends = arrays["sketch_ends"]
        parts = np.split(arrays["sketches"], ends[:-1]) if len(ends) else []
        found.quantiles = Quantiles.from_bytes([part.tobytes() for part in parts])
        return found
