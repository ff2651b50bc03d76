"""Platform units to numbers of one size for all dimensions, as a checkpoint's statistics do."""

from __future__ import annotations

import numpy as np

from pi05_ros.platforms.platform import Platform


class Units:
    """1 is 0.22 s at a joint's greatest velocity (0.4 rad), or 0.15 of the base's."""

    def __init__(self, platform: Platform) -> None:
        fraction = np.array([d.unit == "fraction" for d in platform.dimensions])
        base = platform.is_velocity
        self.scale: np.ndarray = platform.max_velocity * np.where(base, 0.15, 0.22)
        self.scale[fraction] = 0.4
        room = 1.2 * self.scale
        centre = np.clip(platform.home, platform.lower + room, platform.upper - room)
        self.centre: np.ndarray = np.where(base, 0.0, np.where(fraction, 0.5, centre))
        self._lower, self._upper = platform.lower, platform.upper

    def to_model(self, values: np.ndarray) -> np.ndarray:
        """(..., D) platform units to the policy's."""
        return (values - self.centre) / self.scale

    def to_robot(self, values: np.ndarray) -> np.ndarray:
        """(..., D) the policy's units to the platform's, inside its limits."""
        return np.clip(values * self.scale + self.centre, self._lower, self._upper)
