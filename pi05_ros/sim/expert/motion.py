"""Motion towards a goal within velocity and acceleration limits, one command period at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# A stop rarely takes a whole number of periods. Then its last step is up to 1.125 times as hard.
_BRAKING = 1 / 1.125


class LimitedMotion:
    """Steps groups of coordinates to a goal so that those of a group arrive together.

    Each step picks the greatest velocity from which the goal can still be reached without
    overshoot (a trapezoidal profile, found again at each step), so that goal and state may change
    at any time. The coordinates of a group share one time scale: from rest they move on a straight
    line.

    Args:
        max_velocity: (n,) [unit/s].
        max_acceleration: (n,) [unit/s²].
        period: Time of a step [s].
        groups: First index of each group, rising from 0. By default all are one group.
    """

    def __init__(
        self,
        max_velocity: np.ndarray,
        max_acceleration: np.ndarray,
        period: float,
        groups: Sequence[int] = (0,),
    ) -> None:
        self._max_velocity = np.asarray(max_velocity, dtype=np.float64)
        self._max_acceleration = np.asarray(max_acceleration, dtype=np.float64)
        self._period = period
        self._groups = np.array(groups)
        self._sizes = np.diff([*groups, len(self._max_velocity)])

    def velocity(self, error: np.ndarray, velocity: np.ndarray) -> np.ndarray:
        """The velocity to hold during the next step.

        Args:
            error: Goal minus position, (n,) [unit].
            velocity: During the last step, (n,) [unit/s].

        Returns:
            (n,) [unit/s], within reach of `velocity`, and within the limits if `velocity` was.
        """
        dt = self._period
        distance = np.abs(error)
        # One time scale for a group: the coordinate that needs longest sets it.
        far = np.maximum(distance, 1e-9)
        top = self._slowest(self._max_velocity / far) * distance
        rise = self._slowest(self._max_acceleration / far) * distance
        # v²/(2a) + v·dt/2 is the way of a stop from v in steps of a·dt.
        braking = rise * _BRAKING
        half = 0.5 * braking * dt
        stopping = np.sqrt(half * half + 2.0 * braking * distance) - half
        speed = np.minimum(np.minimum(top, stopping), distance / dt)
        # Speeding up keeps the shared time scale; slowing down may use all that the limits give.
        along = np.maximum(np.sign(error) * velocity, 0.0)
        wanted = np.sign(error) * np.minimum(speed, along + rise * dt)
        step = self._max_acceleration * dt
        wanted = np.clip(wanted, -self._max_velocity, self._max_velocity)
        return np.clip(wanted, velocity - step, velocity + step)

    def _slowest(self, rate: np.ndarray) -> np.ndarray:
        """The least rate of each group, for each of its coordinates, (n,)."""
        return np.repeat(np.minimum.reduceat(rate, self._groups), self._sizes)
