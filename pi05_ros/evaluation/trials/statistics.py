"""Bootstrap intervals over homes: of a share of points, and of a difference on the same homes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
LEVEL = 0.95
_SEED = 20_160_504  # Of the resamples: equal data give equal intervals.


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval."""

    mean: float
    low: float
    high: float
    homes: int


def share_of_homes(shares: Mapping[int, Sequence[float]]) -> Estimate:
    """Return the mean over homes, with the percentile interval of resampled homes.

    Args:
        shares: Home → a share of the points for each of its trials; their mean is the home's.
    """
    values = np.array([np.mean(shares[home]) for home in sorted(shares)])
    return estimate([values])


def difference_on_homes(
    one: Mapping[int, Sequence[float]], other: Mapping[int, Sequence[float]]
) -> Estimate | None:
    """Return the mean difference over the homes that both have; None: there are none.

    Homes are resampled, and with each its difference: what two modes have in common in a home
    does not widen the interval.
    """
    homes = sorted(set(one) & set(other))
    if not homes:
        return None
    return estimate([np.array([np.mean(one[home]) - np.mean(other[home]) for home in homes])])


def estimate(groups: Sequence[np.ndarray]) -> Estimate:
    """Return the mean of the means of groups, with its interval.

    The members of each group are resampled with replacement, apart from those of the others.

    Args:
        groups: (n,) values each, n of 1 or more.
    """
    random = np.random.default_rng(_SEED)
    means = np.zeros(RESAMPLES)
    for values in groups:
        chosen = random.integers(len(values), size=(RESAMPLES, len(values)))
        means += values[chosen].mean(axis=1) / len(groups)
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    mean = float(np.mean([values.mean() for values in groups]))
    count = sum(len(values) for values in groups)
    return Estimate(round(mean, 6), round(float(low), 6), round(float(high), 6), count)
