"""Smooth transition to a chunk that begins away from the current command."""

from __future__ import annotations

import numpy as np

from pi05_ros.platforms.platform import Platform

# Share of the velocity and acceleration limits for blending; the rest is the chunk's.
_SHARE = 0.5
# Maximum slope and curvature of the smooth step 10x³ − 15x⁴ + 6x⁵ on [0, 1].
_SLOPE, _CURVATURE = 1.875, 10.0 / 3.0**0.5


class Blend:
    """Offsets that fade out: current motion − target at the seam, 0 at the end of the fade.

    A fade is a minimum-jerk step, so that velocity and acceleration stay continuous. Its duration
    is what the joint with the largest offset of a group needs at `_SHARE` of the limits; all
    joints of a group fade together. Base velocities and grippers do not blend: their limits
    suffice, and the closing of a gripper must not be delayed.

    A chunk that arrives during a fade adds only the offset at its own seam and the earlier fades
    continue. Restarted with every chunk, a fade would never end when chunks arrive often.

    Args:
        platform: The robot.
    """

    def __init__(self, platform: Platform) -> None:
        self._velocity = _SHARE * platform.max_velocity
        self._acceleration = _SHARE * platform.max_acceleration
        self._blends = ~(platform.is_velocity | platform.is_gripper)
        self._groups = tuple(platform.slices.values())
        # Active fades, (N, D) and (N,), the oldest first.
        self._offsets: np.ndarray = np.zeros((0, platform.size))
        self._durations: np.ndarray = np.zeros((0, platform.size))  # [s]
        self._begins_ns: np.ndarray = np.zeros(0, dtype=np.int64)

    def begin(self, coasting: np.ndarray, target: np.ndarray, now_ns: int) -> None:
        """Begin the fade of a new chunk.

        Args:
            coasting: Values that the current motion leads to now, (D,) float64.
            target: Target of the chunk now, (D,) float64.
            now_ns: Current time [ns].
        """
        offset = np.where(self._blends, coasting - target - self.offset(now_ns), 0.0)
        distance = np.abs(offset)
        duration = np.maximum(
            _SLOPE * distance / self._velocity,
            np.sqrt(_CURVATURE * distance / self._acceleration),
        )
        for group in self._groups:
            duration[group] = duration[group].max()
        age = (now_ns - self._begins_ns) * 1e-9
        keep = age < self._durations.max(axis=1, initial=0.0)
        self._offsets = np.vstack([self._offsets[keep], offset])
        self._durations = np.vstack([self._durations[keep], duration])
        self._begins_ns = np.append(self._begins_ns[keep], now_ns)

    def offset(self, now_ns: int) -> np.ndarray:
        """Return the offset to add to the target now, (D,) float64."""
        if not len(self._begins_ns):
            return np.zeros(len(self._blends))
        elapsed = np.maximum(0.0, (now_ns - self._begins_ns) * 1e-9)[:, None]
        x = np.clip(elapsed / np.maximum(self._durations, 1e-9), 0.0, 1.0)
        left = self._offsets * (1.0 - x**3 * (10.0 - 15.0 * x + 6.0 * x**2))
        return np.asarray(left.sum(axis=0))

    def clear(self) -> None:
        """End all fades."""
        self._offsets, self._durations = self._offsets[:0], self._durations[:0]
        self._begins_ns = self._begins_ns[:0]
