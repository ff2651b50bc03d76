"""Online trajectory generation within velocity and acceleration limits, one period at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# A stop rarely takes a whole number of periods; its last step brakes up to 1.125 times harder.
_BRAKING = 1 / 1.125


class LimitedMotion:
    """Moves groups of coordinates to a goal so that those of a group arrive together.

    Each step uses the largest velocity from which the goal can be reached without overshoot. This
    is a trapezoidal profile, recomputed at each step, so goal and state may change at any time.
    The coordinates of a group share one time scale: from rest they move on a straight line.

    Args:
        max_velocity: (n,) [unit/s].
        max_acceleration: (n,) [unit/s²].
        period: Duration of a step [s].
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
        """Compute the velocity of the next step.

        Args:
            error: Goal minus position, (n,) [unit].
            velocity: Velocity of the last step, (n,) [unit/s].

        Returns:
            (n,) [unit/s], reachable from `velocity` within the acceleration limits, and within
            the velocity limits if `velocity` is.
        """
        dt = self._period
        distance = np.abs(error)
        # One time scale for a group, set by its slowest coordinate.
        far = np.maximum(distance, 1e-9)
        top = self._slowest(self._max_velocity / far) * distance
        rise = self._slowest(self._max_acceleration / far) * distance
        # v²/(2a) + v·dt/2 is the stopping distance from v in steps of a·dt.
        braking = rise * _BRAKING
        half = 0.5 * braking * dt
        stopping = np.sqrt(half * half + 2.0 * braking * distance) - half
        speed = np.minimum(np.minimum(top, stopping), distance / dt)
        # Acceleration keeps the shared time scale; braking may use the full limits.
        along = np.maximum(np.sign(error) * velocity, 0.0)
        wanted = np.sign(error) * np.minimum(speed, along + rise * dt)
        step = self._max_acceleration * dt
        wanted = np.minimum(np.maximum(wanted, -self._max_velocity), self._max_velocity)
        return np.minimum(np.maximum(wanted, velocity - step), velocity + step)

    def _slowest(self, rate: np.ndarray) -> np.ndarray:
        """Return the smallest rate of each group, for each of its coordinates, (n,)."""
        return np.repeat(np.minimum.reduceat(rate, self._groups), self._sizes)
