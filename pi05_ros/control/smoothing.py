"""Jerk limit by a moving average, which keeps all other limits."""

from __future__ import annotations

import numpy as np

from pi05_ros.platforms.platform import Platform


class Smoothing:
    """A moving average of each dimension, long enough for its `max_jerk`.

    The mean of n commands lies inside every convex limit that each of them keeps: position,
    velocity, acceleration. Its acceleration changes by (a_k − a_{k−n})/n in a period, at most
    2·a_max/n, so n = 2·a_max/(j_max·dt) limits the jerk. The delay is (n − 1)/2 periods
    (finite-impulse-response filters for trajectories: Biagiotti and Melchiorri, "Trajectory
    Planning for Automatic Machines and Robots", section 4.6).

    Args:
        platform: The robot.
    """

    def __init__(self, platform: Platform) -> None:
        self._lengths = platform.smoothing_periods
        newest_first = np.arange(int(self._lengths.max()))[:, None]
        self._weights = np.where(newest_first < self._lengths, 1.0 / self._lengths, 0.0)
        self._recent = np.zeros_like(self._weights)  # (N, D), newest first.

    @property
    def values(self) -> np.ndarray:
        """Current mean, (D,) float64."""
        return self._mean()

    @property
    def at_rest(self) -> bool:
        """True if all commands within the averages are equal."""
        differs = np.abs(self._recent - self._recent[0]) > 1e-12
        return not (differs & (self._weights > 0)).any()

    def reset(self, values: np.ndarray, where: np.ndarray | None = None) -> None:
        """Restart from `values` (D,), everywhere or in the dimensions `where` (D,) bool."""
        self._recent[:] = values if where is None else np.where(where, values, self._recent)

    def push(self, values: np.ndarray) -> np.ndarray:
        """Add the next command (D,) and return the smoothed one (D,)."""
        self._recent[1:] = self._recent[:-1]
        self._recent[0] = values
        return self._mean()

    def _mean(self) -> np.ndarray:
        newest = self._recent[0]
        # Relative to the newest: the mean of equal numbers is then exact.
        mean = newest + (self._weights * (self._recent - newest)).sum(axis=0)
        return np.clip(mean, self._recent.min(axis=0), self._recent.max(axis=0))
