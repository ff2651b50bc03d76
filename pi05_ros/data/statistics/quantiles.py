"""Quantiles of a stream in bounded memory, mergeable.

KLL sketches (Karnin, Lang, Liberty: "Optimal quantile approximation in streams", 2016), as Apache
DataSketches has them. Why not t-digests, and what was measured: docs/design/statistics.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from datasketches import kll_doubles_sketch

_SIZE = 4096  # KLL's k: 90 KB for a dimension.

# A quantile's rank is off by at most this, with 99 % probability, however often the sketch was
# merged: what is said to be the 1st percentile lies between the 0.93rd and the 1.07th. A sketch of
# at most 4096 values holds them all and is exact.
RANK_ERROR: float = kll_doubles_sketch(_SIZE).normalized_rank_error(False)


class Quantiles:
    """Of D dimensions."""

    def __init__(self, size: int) -> None:
        self._sketches = [kll_doubles_sketch(_SIZE) for _ in range(size)]

    def add(self, values: np.ndarray) -> None:
        """Takes values (N, D); those that are not finite are skipped."""
        for sketch, column in zip(self._sketches, values.T, strict=True):
            sketch.update(np.ascontiguousarray(column[np.isfinite(column)], dtype=np.float64))

    def merge(self, other: Quantiles) -> None:
        """Takes what another has seen."""
        for mine, its in zip(self._sketches, other._sketches, strict=True):
            mine.merge(its)

    def at(self, share: float) -> np.ndarray:
        """The least values at or below which a share of all lie, (D,) float64.

        They are values that came, never between two; NaN where none came.
        """
        return np.array(
            [np.nan if s.is_empty() else s.get_quantile(share, True) for s in self._sketches]
        )

    def share_below(self, values: np.ndarray) -> np.ndarray:
        """Which share lies below each of `values` (D,); NaN where there is nothing."""
        return self._ranks(values, inclusive=False)

    def share_above(self, values: np.ndarray) -> np.ndarray:
        """Which share lies above each of `values` (D,); NaN where there is nothing."""
        return 1.0 - self._ranks(values, inclusive=True)

    def to_bytes(self) -> list[bytes]:
        """One sketch per dimension, in DataSketches' own format."""
        return [sketch.serialize() for sketch in self._sketches]

    @classmethod
    def from_bytes(cls, parts: Sequence[bytes]) -> Quantiles:
        """The inverse of `to_bytes`.

        Raises:
            ValueError: The bytes are no sketches.
        """
        found = cls(0)
        try:
            found._sketches = [kll_doubles_sketch.deserialize(part) for part in parts]
        except (RuntimeError, IndexError) as error:
            raise ValueError(f"no quantile sketch: {error}") from error
        return found

    def _ranks(self, values: np.ndarray, inclusive: bool) -> np.ndarray:
        return np.array(
            [
                np.nan if sketch.is_empty() else sketch.get_rank(float(value), inclusive)
                for sketch, value in zip(self._sketches, values, strict=True)
            ]
        )
