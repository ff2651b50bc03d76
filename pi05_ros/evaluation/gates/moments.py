"""Choice of recorded moments, and the observation that a brain would have had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pi05_ros.brain.observation import Observation
from pi05_ros.platforms.platform import Platform


def evenly(indices: Sequence[int], count: int) -> list[int]:
    """Return at most `count` of the indices, spread evenly over them."""
    count = min(max(0, count), len(indices))
    if count == 0:
        return []
    places = (np.arange(count) + 0.5) * len(indices) / count
    return [indices[int(place)] for place in places]


def observation_of(
    platform: Platform,
    images: Mapping[str, np.ndarray],
    state: np.ndarray,
    times_ns: Mapping[str, int],
) -> Observation:
    """Make the observation of a sample; what was commanded before is no part of samples.

    Args:
        platform: The robot.
        images: Camera -> picture of the model's size.
        state: (D,) measured.
        times_ns: Camera -> acquisition time of its picture [ns].
    """
    nothing = np.full(platform.size, np.nan)
    return Observation(min(times_ns.values()), platform.names, state, nothing, images)
