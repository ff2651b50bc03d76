"""Checks on tracking error, limited targets and position jumps, counted in ticks."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.platforms.platform import Platform

_CALM = 0.1  # Limiting ends after targets have been within reach for this long [s].


class TrackingWatch:
    """Detects joints that stay away from their command: a collision, a failed motor.

    Grippers close on objects and the base is commanded in velocity: neither is checked.

    Args:
        platform: The robot.
        max_error: Maximum tracking error [rad]; half the number for joints in m.
        duration: Time for which it may be exceeded [s].
    """

    def __init__(self, platform: Platform, max_error: float, duration: float) -> None:
        self._platform = platform
        self._names = platform.names
        self._units = [dimension.unit for dimension in platform.dimensions]
        self._limits = np.array(_limits(platform, max_error))
        self._ticks = max(1, math.ceil(duration / platform.period - 1e-9))
        self._exceeded: np.ndarray = np.zeros(platform.size, dtype=int)

    def update(self, commanded: np.ndarray, measured: np.ndarray) -> str:
        """Process one tick.

        Args:
            commanded: (D,) float64, platform units.
            measured: (D,) float64, platform units.

        Returns:
            The joint with the largest error, as one clause; empty if all track.
        """
        error = np.abs(self._platform.difference(commanded, measured))
        self._exceeded = np.where(error > self._limits, self._exceeded + 1, 0)
        off = np.flatnonzero(self._exceeded > self._ticks)
        if not len(off):
            return ""
        worst = max(off, key=lambda index: error[index] / self._limits[index])
        return (
            f"{self._names[worst]} is {error[worst]:.2f} {self._units[worst]} away from its "
            "command: check for a collision or a failed motor"
        )

    def clear(self) -> None:
        """Reset the counters, as when the robot is armed."""
        self._exceeded[:] = 0


class LimitingWatch:
    """Detects targets that the limits keep out of reach for long.

    A tick counts as limited when a target is farther away than one period's reach: a small lag
    while joints accelerate is not counted. An oscillating target is within reach every other
    tick, so only a run of ticks that are not limited ends the counted time.
    """

    def __init__(self, platform: Platform) -> None:
        rate = np.where(platform.is_velocity, platform.max_acceleration, platform.max_velocity)
        self._reach = rate * platform.period
        self._period = platform.period
        self._enough_calm = math.ceil(_CALM / platform.period)
        self._calm = 0  # Ticks in a row that were not limited.
        self._ticks = 0  # Since the limiting began.

    def update(self, lag: np.ndarray) -> bool:
        """Process the `LimitedCommand.lag` (D,) of one tick; return True if it was limited."""
        limited = bool((lag > self._reach).any())
        self._calm = 0 if limited else self._calm + 1
        calm = self._calm >= self._enough_calm
        self._ticks = self._ticks + 1 if limited or (self._ticks and not calm) else 0
        return limited

    @property
    def seconds(self) -> float:
        """Time for which targets have been out of reach [s]."""
        return self._ticks * self._period

    def clear(self) -> None:
        """Reset the counters."""
        self._ticks = self._calm = 0


class JumpWatch:
    """Detects measured positions that the joint cannot have reached since the last one.

    Args:
        platform: The robot.
        max_jump: Allowed distance beyond twice the maximum velocity times the interval [rad];
            half the number for joints in m.
    """

    def __init__(self, platform: Platform, max_jump: float) -> None:
        self._names = platform.names
        self._units = [dimension.unit for dimension in platform.dimensions]
        # Lists: entries arrive one at a time, where numpy is several times slower.
        self._jumps = _limits(platform, max_jump)
        self._speeds = platform.max_velocity.tolist()
        self._continuous = platform.is_continuous.tolist()
        self._values = [math.nan] * platform.size
        self._stamps = [0] * platform.size

    def update(self, index: int, value: float, stamp_ns: int) -> str:
        """Check one measured position [platform units]; return the jump as one clause, or ""."""
        before, gap = self._values[index], (stamp_ns - self._stamps[index]) * 1e-9
        self._values[index], self._stamps[index] = value, stamp_ns
        jump = abs(value - before)
        if self._continuous[index] and math.isfinite(jump):
            jump = abs(math.remainder(jump, 2.0 * math.pi))
        if gap < 0 or not jump > self._jumps[index] + 2.0 * self._speeds[index] * gap:
            return ""
        return (
            f"the measured position of {self._names[index]} jumped by {jump:.2f} "
            f"{self._units[index]} within {gap * 1e3:.0f} ms: check its encoder and driver"
        )

    def clear(self) -> None:
        """Discard the last positions, as after a backward jump of time."""
        self._values = [math.nan] * len(self._values)


def _limits(platform: Platform, limit: float) -> list[float]:
    """Return a limit [rad] for each dimension: half the number in m, none for grippers and base.

    Grippers close on objects.
    """
    shares = {"rad": 1.0, "m": 0.5}
    return [
        math.inf if gripper else shares.get(dimension.unit, math.inf) * limit
        for dimension, gripper in zip(platform.dimensions, platform.is_gripper, strict=True)
    ]
