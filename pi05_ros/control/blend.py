"""Takes a chunk in smoothly that begins away from what is commanded."""

from __future__ import annotations

import numpy as np

from pi05_ros.platforms.platform import Platform

# Blending may use so much of what velocity and acceleration limits allow; the rest is the chunk's.
_SHARE = 0.5
# Greatest slope and curvature of the smooth step 10x³ − 15x⁴ + 6x⁵ on [0, 1].
_SLOPE, _CURVATURE = 1.875, 10.0 / 3.0**0.5


class Blend:
    """Offsets that fade: where the robot is headed − target at the seam, 0 a little later.

    A fade is a minimum-jerk step, so that it begins and ends without a jump of velocity or
    acceleration. It lasts as long as `_SHARE` of the limits needs for the farthest joint of a
    group, and all joints of a group fade together. Base velocities and grippers do not blend:
    their limits do it, and a gripper's closing is not to be delayed.

    A chunk that comes while another still fades in adds only what is new at its own seam, and what
    fades goes on fading: begun anew with every chunk, a fade would never end where chunks come
    often.
    """

    def __init__(self, platform: Platform) -> None:
        self._velocity = _SHARE * platform.max_velocity
        self._acceleration = _SHARE * platform.max_acceleration
        self._blends = np.array([d.unit in ("rad", "m") for d in platform.dimensions])
        self._groups = tuple(platform.slices.values())
        # The fades under way, (N, D) and (N,), the oldest first.
        self._offsets: np.ndarray = np.zeros((0, platform.size))
        self._durations: np.ndarray = np.zeros((0, platform.size))  # [s]
        self._begins_ns: np.ndarray = np.zeros(0, dtype=np.int64)

    def begin(self, coasting: np.ndarray, target: np.ndarray, now_ns: int) -> None:
        """A chunk begins.

        Args:
            coasting: Where the command would be now if it only went on, (D,) float64.
            target: What the chunk wants now, (D,) float64.
            now_ns: [ns]
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
        """What to add to the target now, (D,) float64."""
        elapsed = np.maximum(0.0, (now_ns - self._begins_ns) * 1e-9)[:, None]
        x = np.clip(elapsed / np.maximum(self._durations, 1e-9), 0.0, 1.0)
        left = self._offsets * (1.0 - x**3 * (10.0 - 15.0 * x + 6.0 * x**2))
        return np.asarray(left.sum(axis=0))

    def clear(self) -> None:
        """Nothing fades any more."""
        self._offsets, self._durations = self._offsets[:0], self._durations[:0]
        self._begins_ns = self._begins_ns[:0]
