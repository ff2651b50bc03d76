"""Bounds of the lengths of a task's episodes, which a few odd ones do not move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

# Fewer episodes of a task have no bounds: a median of four says little.
LEAST_EPISODES = 5
# The median absolute deviation of normally distributed lengths, times this, is their standard
# deviation.
_NORMAL = 1.4826
# Least deviation, as a share of the median: scripted episodes are all of the same length.
LEAST_DEVIATION = 0.1


def length_bounds(
    lengths: Mapping[str, Sequence[float]], deviations: float
) -> dict[str, tuple[float, float]]:
    """Bounds of usual lengths: the median, more or less some robust deviations.

    Args:
        lengths: Lengths of the episodes of each task [s].
        deviations: Number of deviations, each 1.4826 times the median absolute deviation and at
            least a tenth of the median.

    Returns:
        Least and greatest usual length [s] of each task that has enough episodes.
    """
    found = {}
    for task, seconds in lengths.items():
        if len(seconds) < LEAST_EPISODES:
            continue
        median = float(np.median(seconds))
        deviation = _NORMAL * float(np.median(np.abs(np.array(seconds) - median)))
        half = deviations * max(deviation, LEAST_DEVIATION * median)
        found[task] = (median - half, median + half)
    return found
