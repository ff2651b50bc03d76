"""Floors for the spans that normalisation divides by.

The span of an entry is the distance from its 1st to its 99th percentile. An entry that rests in
98 % of the rows has a span of noise, and its movements would be normalised to 40 instead of 1.
docs/design/statistics.md gives the reasons for the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.model.normalization import CLIP
from pi05_ros.platforms.platform import Platform

# Of robots without known limits, by unit. Positions: least span. Velocities: the range from minus
# this to plus this is always inside [-1, 1]. An entry of another unit has no floor.
POSITION_FLOORS = {"rad": 0.1, "m": 0.02, "fraction": 0.1}
VELOCITY_FLOORS = {"m/s": 0.1, "rad/s": 0.2}


@dataclass(frozen=True)
class SpanFloors:
    """Least spans, as shares of an entry's range."""

    # Positions: least span, of the range from the lower to the upper limit.
    position_share: float = 0.05
    # Velocities: [-1, 1] contains this share of the greatest velocity in both directions, so rest
    # is always inside, and no velocity within the limits is beyond 1 / velocity_share.
    velocity_share: float = 1 / CLIP
    # Normalised magnitude of the farthest value of the data that the limits allow.
    reach: float = CLIP

    def __post_init__(self) -> None:
        for name in ("position_share", "velocity_share"):
            share = getattr(self, name)
            if not 0 <= share < 1:
                raise ValueError(f"{name} {share:g}: wanted a share from 0 to 1 (exclusive)")
        if not self.reach >= 1:
            raise ValueError(f"reach {self.reach:g}: wanted at least 1")


@dataclass(frozen=True, eq=False)
class Ranges:
    """Units and limits of a vector's entries."""

    units: tuple[str, ...]
    lower: np.ndarray  # (D,) float64, in the entry's unit; -inf: no limit is known.
    upper: np.ndarray  # (D,) float64; +inf: no limit is known.

    @classmethod
    def of_platform(cls, platform: Platform) -> Ranges:
        """The usual ranges of a robot: limits, one turn of a continuous joint."""
        lower, upper = platform.usual_range
        return cls(tuple(str(d.unit) for d in platform.dimensions), lower, upper)

    @classmethod
    def of_units(cls, units: Sequence[str]) -> Ranges:
        """The ranges of a robot whose limits are not known."""
        return cls(tuple(units), np.full(len(units), -np.inf), np.full(len(units), np.inf))


def floored(
    ends: np.ndarray,
    seen: np.ndarray,
    ranges: Ranges,
    is_difference: np.ndarray,
    floors: SpanFloors,
) -> np.ndarray:
    """Move percentiles apart where their span is below a floor.

    Args:
        ends: 1st and 99th percentile of each entry, (2, D) float64.
        seen: Least and greatest value of each entry in the data, (2, D) float64.
        ranges: Units and limits of the entries.
        is_difference: Entries that are differences of two values, (D,) bool: they reach from minus
            the range to plus the range.
        floors: The floors.

    Returns:
        (2, D) float64; entries with a sufficient span keep their percentiles exactly.
    """
    low, high = ends
    span = ranges.upper - ranges.lower
    is_limited = np.isfinite(span)
    is_velocity = np.array([unit in VELOCITY_FLOORS for unit in ranges.units], bool)

    top = np.maximum(np.abs(ranges.lower), np.abs(ranges.upper))
    by_unit = np.array([VELOCITY_FLOORS.get(unit, 0.0) for unit in ranges.units])
    inside = np.where(is_limited, floors.velocity_share * np.where(is_limited, top, 0.0), by_unit)
    low = np.where(is_velocity, np.minimum(low, -inside), low)
    high = np.where(is_velocity, np.maximum(high, inside), high)

    by_unit = np.array([POSITION_FLOORS.get(unit, 0.0) for unit in ranges.units])
    least = np.where(is_limited, floors.position_share * np.where(is_limited, span, 0.0), by_unit)
    low, high = _at_least(low, high, np.where(is_velocity, 0.0, least))

    # A value beyond the limits is a fault of the data: it must not decide the scale.
    first = np.where(is_difference, -span, ranges.lower)
    last = np.where(is_difference, span, ranges.upper)
    middle = (low + high) / 2
    far = np.maximum(np.minimum(seen[1], last) - middle, middle - np.maximum(seen[0], first))
    return np.stack(_at_least(low, high, np.where(is_limited, 2 * far / floors.reach, 0.0)))


def _at_least(
    low: np.ndarray, high: np.ndarray, span: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Widen about the middle where the span (D,) is not reached."""
    middle, short = (low + high) / 2, high - low < span
    return (
        np.where(short, middle - span / 2, low),
        np.where(short, middle + span / 2, high),
    )
