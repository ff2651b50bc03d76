"""What makes the bridge distrust the robot or the chunks. Each watch counts ticks, not time."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.platforms.platform import Platform

_CALM = 0.1  # Limiting ends when targets have been within reach for so long [s].


class TrackingWatch:
    """Notices joints that stay away from where they are commanded: a collision, a dead motor.

    Grippers close on objects and the base is commanded in velocity: neither is watched.

    Args:
        platform: The robot.
        max_error: Greatest distance of a joint in rad; of one in m, half the number.
        duration: For so long it may be exceeded [s].
    """

    def __init__(self, platform: Platform, max_error: float, duration: float) -> None:
        self._names = platform.names
        self._units = [dimension.unit for dimension in platform.dimensions]
        self._limits = np.array([_share(d.unit) * max_error for d in platform.dimensions])
        self._ticks = max(1, math.ceil(duration / platform.period - 1e-9))
        self._exceeded: np.ndarray = np.zeros(platform.size, dtype=int)

    def update(self, commanded: np.ndarray, measured: np.ndarray) -> str:
        """One tick. Both (D,) float64 in platform units.

        Returns:
            Which joint is off, as one clause; empty: none.
        """
        error = np.abs(commanded - measured)
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
        """Begins anew, as when the robot is armed."""
        self._exceeded[:] = 0


class LimitingWatch:
    """Notices targets that the limits keep out of reach for long.

    A tick counts as limited when a target is farther away than one period's reach: a little lag
    while joints speed up is no fault. An oscillation passes what can be reached every other tick:
    only a run of calm ticks ends the time that counts.
    """

    def __init__(self, platform: Platform) -> None:
        rate = np.where(platform.is_velocity, platform.max_acceleration, platform.max_velocity)
        self._reach = rate * platform.period
        self._period = platform.period
        self._enough_calm = math.ceil(_CALM / platform.period)
        self._calm = 0  # Ticks in a row that were not limited.
        self._ticks = 0  # Since the limiting began.

    def update(self, lag: np.ndarray) -> bool:
        """One tick; `LimitedCommand.lag` (D,). Returns whether it was limited."""
        limited = bool((lag > self._reach).any())
        self._calm = 0 if limited else self._calm + 1
        calm = self._calm >= self._enough_calm
        self._ticks = self._ticks + 1 if limited or (self._ticks and not calm) else 0
        return limited

    @property
    def seconds(self) -> float:
        """For how long targets have been out of reach [s]."""
        return self._ticks * self._period

    def clear(self) -> None:
        """Begins anew."""
        self._ticks = self._calm = 0


class JumpWatch:
    """Notices measured positions that no motor could have reached since the last measurement.

    Args:
        platform: The robot.
        max_jump: Beyond what twice a joint's greatest velocity explains, it may move by so much in
            rad, and by half the number in m.
    """

    def __init__(self, platform: Platform, max_jump: float) -> None:
        self._names = platform.names
        self._units = [dimension.unit for dimension in platform.dimensions]
        # Lists: entries come one by one, and numpy takes several times as long for one.
        self._jumps = [_share(d.unit) * max_jump for d in platform.dimensions]
        self._speeds = platform.max_velocity.tolist()
        self._values = [math.nan] * platform.size
        self._stamps = [0] * platform.size

    def update(self, index: int, value: float, stamp_ns: int) -> str:
        """One measured position [platform units]; says what jumped, as one clause, or ""."""
        before, gap = self._values[index], (stamp_ns - self._stamps[index]) * 1e-9
        self._values[index], self._stamps[index] = value, stamp_ns
        jump = abs(value - before)
        if gap < 0 or not jump > self._jumps[index] + 2.0 * self._speeds[index] * gap:
            return ""
        return (
            f"the measured position of {self._names[index]} jumped by {jump:.2f} "
            f"{self._units[index]} within {gap * 1e3:.0f} ms: check its encoder and driver"
        )

    def clear(self) -> None:
        """Forgets all, as when time jumps back."""
        self._values = [math.nan] * len(self._values)


def _share(unit: str) -> float:
    """How a limit in rad is applied to a joint: whole in rad, half in m, not at all otherwise."""
    return {"rad": 1.0, "m": 0.5}.get(unit, math.inf)
