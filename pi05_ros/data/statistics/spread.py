"""Count, mean, deviation and extremes of vectors, in one pass and mergeable.

Welford's recurrence over batches, and Chan, Golub and LeVeque's rule for two parts ("Algorithms
for computing the sample variance", 1983). Merging parts equals counting all the data at once,
up to float64 rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Spread:
    """Moments and extremes of D dimensions, each with its own count of finite values."""

    size: int  # D.
    count: np.ndarray = field(init=False)  # (D,) int64.
    mean: np.ndarray = field(init=False)  # (D,) float64; 0 where nothing was counted.
    squares: np.ndarray = field(init=False)  # (D,) float64, sum of (x - mean)².
    least: np.ndarray = field(init=False)  # (D,) float64; +inf where nothing was counted.
    greatest: np.ndarray = field(init=False)  # (D,) float64; -inf where nothing was counted.

    def __post_init__(self) -> None:
        self.count = np.zeros(self.size, np.int64)
        self.mean = np.zeros(self.size)
        self.squares = np.zeros(self.size)
        self.least = np.full(self.size, np.inf)
        self.greatest = np.full(self.size, -np.inf)

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation of the population, (D,) float64; NaN where nothing was counted."""
        with np.errstate(invalid="ignore"):
            return np.sqrt(self.squares / self.count)

    def add(self, values: np.ndarray) -> None:
        """Add values (N, D); non-finite values are skipped."""
        finite = np.isfinite(values)
        part = Spread(self.size)
        part.count = finite.sum(axis=0)
        counted = np.maximum(part.count, 1)
        part.mean = np.where(finite, values, 0.0).sum(axis=0) / counted
        part.squares = np.square(np.where(finite, values - part.mean, 0.0)).sum(axis=0)
        part.least = np.where(finite, values, np.inf).min(axis=0, initial=np.inf)
        part.greatest = np.where(finite, values, -np.inf).max(axis=0, initial=-np.inf)
        self.merge(part)

    def merge(self, other: Spread) -> None:
        """Add all values of another instance."""
        total = self.count + other.count
        share = other.count / np.maximum(total, 1)
        distance = other.mean - self.mean
        self.squares = self.squares + other.squares + distance**2 * self.count * share
        self.mean = self.mean + distance * share
        self.count = total
        self.least = np.minimum(self.least, other.least)
        self.greatest = np.maximum(self.greatest, other.greatest)
