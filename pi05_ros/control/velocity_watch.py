"""Check that the base moves as it is commanded, counted in ticks."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.platforms.platform import Platform

# A base may follow its command this much later [s]: motors, limits of its driver, odometry.
_DELAY = 0.5
# A tick without an error takes back this share of one with an error: an error that lasts a third
# of the time is found, however the commands alternate.
_CALM = 0.5
# Movement against the command is an error from this share of the limit on.
_AGAINST = 0.2


class VelocityWatch:
    """Detects a base that does not move as commanded.

    Its wheels or its odometry are reversed; it is blocked, slips, or drives by itself.

    The error of an axis is the distance of its measured velocity from the range of its commands
    over the last 0.5 s, so that a base that follows late has none. Movement against all these
    commands counts from a fifth of the limit on: at low speed it stays below the limit.

    Limits are those of the platform, an axis each: `max_velocity_error` for longer than
    `velocity_error_time_s`.

    Args:
        platform: The robot; without a base there is nothing to check.
    """

    def __init__(self, platform: Platform) -> None:
        self._index = np.flatnonzero(platform.is_velocity)
        self._axes = [platform.dimensions[index] for index in self._index]
        self._limits = np.array([axis.velocity_error_limit for axis in self._axes])
        self._ticks = np.array(
            [
                max(1, math.ceil(axis.velocity_error_time_s / platform.period - 1e-9))
                for axis in self._axes
            ]
        )
        self._recent: np.ndarray = np.zeros((math.ceil(_DELAY / platform.period), len(self._axes)))
        self._next = 0  # Row of the next command; the order of the rows does not matter.
        self._exceeded: np.ndarray = np.zeros(len(self._axes))

    def update(self, commanded: np.ndarray, measured: np.ndarray) -> str:
        """Process one tick of an armed robot.

        Args:
            commanded: Last command, (D,) float64, platform units; NaN before the first.
            measured: (D,) float64, platform units.

        Returns:
            The first axis whose error lasted too long, as one clause; empty if there is none.
        """
        if not len(self._axes):
            return ""
        latest = commanded[self._index]
        latest[np.isnan(latest)] = 0.0
        self._recent[self._next] = latest
        self._next = (self._next + 1) % len(self._recent)
        now, lowest, highest = measured[self._index], self._recent.min(0), self._recent.max(0)
        little = _AGAINST * self._limits
        wrong = np.maximum(lowest - now, now - highest) > self._limits
        wrong |= (lowest > little) & (now < -little)
        wrong |= (highest < -little) & (now > little)
        self._exceeded = np.maximum(self._exceeded + np.where(wrong, 1.0, -_CALM), 0.0)
        off = np.flatnonzero(self._exceeded > self._ticks)
        if not len(off):
            return ""
        axis = self._axes[off[0]]
        return (
            f"{axis.name} is measured at {now[off[0]]:.2f} {axis.unit} and commanded at "
            f"{latest[off[0]]:.2f}: check the wheels and the sign of the odometry"
        )

    def clear(self) -> None:
        """Reset the counters, as when the robot is armed at rest."""
        self._recent[:] = 0.0
        self._exceeded[:] = 0
