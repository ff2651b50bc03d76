"""Mergeable quantiles of a stream in bounded memory.

KLL sketches (Karnin, Lang, Liberty: "Optimal quantile approximation in streams", 2016) as
implemented by Apache DataSketches. docs/design/statistics.md compares them with t-digests.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from datasketches import kll_doubles_sketch

_SIZE = 4096  # KLL's k: 90 KB for a dimension.

# Bound on the error of a quantile's rank, with 99 % probability and after any number of merges: a
# reported 1st percentile lies between the 0.93rd and the 1.07th. A sketch of at most 4096 values
# keeps all of them and is exact.
RANK_ERROR: float = kll_doubles_sketch(_SIZE).normalized_rank_error(False)


class Quantiles:
    """One KLL sketch for each of D dimensions.

    Args:
        size: D.
    """

    def __init__(self, size: int) -> None:
        self._sketches = [kll_doubles_sketch(_SIZE) for _ in range(size)]

    def add(self, values: np.ndarray) -> None:
        """Add values (N, D); non-finite values are skipped."""
        for sketch, column in zip(self._sketches, values.T, strict=True):
            sketch.update(np.ascontiguousarray(column[np.isfinite(column)], dtype=np.float64))

    def merge(self, other: Quantiles) -> None:
        """Add all values of another instance."""
        for mine, its in zip(self._sketches, other._sketches, strict=True):
            mine.merge(its)

    def at(self, share: float) -> np.ndarray:
        """Quantile of each dimension, (D,) float64: the least value with that share up to it.

        Always a value that was added, never an interpolation; NaN for an empty dimension.
        """
        return np.array(
            [np.nan if s.is_empty() else s.get_quantile(share, True) for s in self._sketches]
        )

    def share_below(self, values: np.ndarray) -> np.ndarray:
        """Share of the values below each of `values` (D,); NaN for an empty dimension."""
        return self._ranks(values, inclusive=False)

    def share_above(self, values: np.ndarray) -> np.ndarray:
        """Share of the values above each of `values` (D,); NaN for an empty dimension."""
        return 1.0 - self._ranks(values, inclusive=True)

    def to_bytes(self) -> list[bytes]:
        """Serialize one sketch per dimension, in the format of DataSketches."""
        return [sketch.serialize() for sketch in self._sketches]

    @classmethod
    def from_bytes(cls, parts: Sequence[bytes]) -> Quantiles:
        """The inverse of `to_bytes`.

        Raises:
            ValueError: The bytes are not sketches.
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
