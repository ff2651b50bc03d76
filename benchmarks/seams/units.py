"""Normalisation of platform units, as a checkpoint's statistics do it."""

from __future__ import annotations

import numpy as np

from pi05_ros.platforms.platform import Platform


class Units:
    """Scale and centre of each dimension.

    1 is 0.22 s at a joint's greatest velocity (0.4 rad), or 0.15 of the base's velocity.

    Args:
        platform: The robot's platform.
    """

    def __init__(self, platform: Platform) -> None:
        fraction = np.array([d.unit == "fraction" for d in platform.dimensions])
        base = platform.is_velocity
        self.scale: np.ndarray = platform.max_velocity * np.where(base, 0.15, 0.22)
        self.scale[fraction] = 0.4
        margin = 1.2 * self.scale
        centre = np.clip(platform.home, platform.lower + margin, platform.upper - margin)
        self.centre: np.ndarray = np.where(base, 0.0, np.where(fraction, 0.5, centre))
        self._lower, self._upper = platform.lower, platform.upper

    def to_model(self, values: np.ndarray) -> np.ndarray:
        """Convert (..., D) from platform units to the policy's."""
        return (values - self.centre) / self.scale

    def to_robot(self, values: np.ndarray) -> np.ndarray:
        """Convert (..., D) from the policy's units to the platform's, inside its limits."""
        return np.clip(values * self.scale + self.centre, self._lower, self._upper)
