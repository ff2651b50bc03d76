"""Counts of the actions that FAST targets cut off."""

from __future__ import annotations

import numpy as np

from pi05_ros.data.statistics.robot import RobotStatistics
from pi05_ros.model.normalization import CLIP, NormStats


def clipped_counts(statistics: RobotStatistics, norm_stats: NormStats) -> np.ndarray:
    """Count the actions beyond ±`CLIP` after normalisation.

    Args:
        statistics: Statistics of the data.
        norm_stats: Statistics that normalise them, of the same entries.

    Returns:
        (D,) int64: rows of an absolute action, and of a relative one the values of all chunks.
        Exact up to 4096 values and where none is beyond; else within RANK_ERROR of all values.
    """
    low = np.array([d.action_q01 for d in norm_stats.dimensions])
    high = np.array([d.action_q99 for d in norm_stats.dimensions])
    middle, half = (low + high) / 2, (high - low) / 2
    # The bounds themselves are inside, whatever the rounding of the division.
    half = half * (1 + 1e-9)
    counts = []
    for vectors in (statistics.actions, statistics.relative):
        share = vectors.quantiles.share_below(middle - CLIP * half)
        share = share + vectors.quantiles.share_above(middle + CLIP * half)
        counts.append(np.rint(np.nan_to_num(share) * vectors.spread.count).astype(np.int64))
    absolute, relative = counts
    return np.where(norm_stats.relative, relative, absolute)
