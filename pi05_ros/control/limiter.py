"""Limits on position, velocity, acceleration and jerk of every command.

ros2_controllers check none of them (Jazzy: `enforce_command_limits` is off), so this is the only
check between a model and the motors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.control.smoothing import Smoothing
from pi05_ros.platforms.platform import Platform

# A hold must bring the base to rest within 100 ms of its detection; one tick is kept in reserve.
BASE_STOP_TIME = 0.08  # [s]


@dataclass(frozen=True)
class LimitedCommand:
    """Result of one step of the limiter."""

    values: np.ndarray  # (D,) float64, platform units, inside all limits.
    lag: np.ndarray  # (D,) float64: distance of the step to its target, before smoothing.


class Limiter:
    """Follows a stream of targets as closely as the limits allow.

    A target that moves within the limits is met exactly. One that jumps is approached at full
    acceleration and braked for in time, relative to the target's own speed, so that it is not
    overshot. Near a position limit the speed stays below what can still be braked.

    With a `max_jerk` in the platform, the output is smoothed as well; see Smoothing.

    Args:
        platform: The robot.
    """

    def __init__(self, platform: Platform) -> None:
        self._dt = platform.period
        self._is_velocity = platform.is_velocity
        self._lower = platform.lower
        self._upper = platform.upper
        self._max_velocity = platform.max_velocity
        self._max_acceleration = platform.max_acceleration
        self._unit = self._max_acceleration * self._dt  # Of velocity: its change in one period.
        self._unit_distance = self._unit * self._dt
        self._values: np.ndarray = platform.home.copy()
        self._velocities: np.ndarray = np.zeros(platform.size)
        self._targets = self._values.copy()
        self._smoothing = Smoothing(platform)
        self._smoothing.reset(self._values)

    @property
    def values(self) -> np.ndarray:
        """Values of the last step, (D,) float64, platform units."""
        return self._smoothing.values

    @property
    def coasting(self) -> np.ndarray:
        """Next values at constant velocity, (D,) float64, before smoothing."""
        return self._values + self._velocities * self._dt

    @property
    def at_rest(self) -> bool:
        """True if every dimension is at rest after the last step."""
        moving = self._velocities.any() or self._values[self._is_velocity].any()
        return not moving and self._smoothing.at_rest

    def reset(self, values: np.ndarray) -> None:
        """Restart at rest from `values` (D,), e.g. the measured state when the robot is armed.

        Base velocities always start at 0. Positions outside their limits start at the limit.

        Raises:
            ValueError: A value is not finite.
        """
        if not np.isfinite(values).all():
            raise ValueError("a limiter starts from finite values only")
        self._values = np.where(self._is_velocity, 0.0, _clip(values, self._lower, self._upper))
        self._velocities = np.zeros_like(self._values)
        self._targets = self._values.copy()
        self._smoothing.reset(self._values)

    def step(self, targets: np.ndarray) -> LimitedCommand:
        """Advance one period towards `targets` (D,) float64, platform units, all finite.

        Raises:
            ValueError: A target is not finite; such a chunk must be rejected before.
        """
        if not np.isfinite(targets).all():
            raise ValueError("a limiter takes finite targets only")
        targets = _clip(targets, self._lower, self._upper)
        positions, velocities = self._step_positions(targets)
        base = self._step_base(targets, self._max_acceleration)
        self._velocities = np.where(self._is_velocity, 0.0, velocities)
        self._values = np.where(self._is_velocity, base, positions)
        self._targets = targets
        return LimitedCommand(self._smoothing.push(self._values), np.abs(self._values - targets))

    def hold(self) -> LimitedCommand:
        """Brake for one period: joints at their limits, the base within 100 ms.

        The base brakes from the last command sent, without smoothing, to stop in time.
        """
        braking = np.maximum(self._max_acceleration, self._max_velocity / BASE_STOP_TIME)
        self._values = np.where(self._is_velocity, self._smoothing.values, self._values)
        base = self._step_base(np.zeros_like(self._values), braking)
        change = self._max_acceleration * self._dt
        velocities = self._velocities - _clip(self._velocities, -change, change)
        positions = _clip(self._values + velocities * self._dt, self._lower, self._upper)
        self._velocities = np.where(self._is_velocity, 0.0, velocities)
        self._values = np.where(self._is_velocity, base, positions)
        self._targets = self._values.copy()
        self._smoothing.reset(self._values, self._is_velocity)
        return LimitedCommand(self._smoothing.push(self._values), np.zeros_like(self._values))

    def _step_positions(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the next positions and velocities (D,); entries of base velocities are unused."""
        dt, values = self._dt, self._values
        target_velocity = _clip(
            (targets - self._targets) / dt, -self._max_velocity, self._max_velocity
        )
        # Distance to the moving target, and the relative speed that can still be braked.
        distance = targets - values - target_velocity * dt
        wanted = target_velocity + np.sign(distance) * self._brakeable(np.abs(distance))
        change = self._unit
        velocities = _clip(wanted, self._velocities - change, self._velocities + change)
        velocities = _clip(velocities, -self._max_velocity, self._max_velocity)
        velocities = _clip(
            velocities,
            -self._brakeable(values - self._lower),
            self._brakeable(self._upper - values),
        )
        # Rounding must not carry a value past its limit.
        positions = _clip(values + velocities * dt, self._lower, self._upper)
        return positions, velocities

    def _step_base(self, targets: np.ndarray, max_acceleration: np.ndarray) -> np.ndarray:
        """Return the next base velocities (D,); entries of positions are unused."""
        change = max_acceleration * self._dt
        return _clip(targets, self._values - change, self._values + change)

    def _brakeable(self, distance: np.ndarray) -> np.ndarray:
        """Return the maximum speed (D,) that can be braked within `distance` (D,).

        In units of a·dt and a·dt², braking from n + f (n whole, 0 ≤ f < 1) by 1 a period covers
        (n + 1)(n/2 + f), the present period included; this is its inverse.
        """
        unit = self._unit
        covered = np.maximum(distance, 0.0) / self._unit_distance
        whole = np.floor((np.sqrt(1.0 + 8.0 * covered) - 1.0) / 2.0)
        return unit * (whole / 2.0 + covered / (whole + 1.0))


def _clip(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the values within [low, high], as np.clip does, in half its time for a vector."""
    return np.minimum(np.maximum(values, low), high)
