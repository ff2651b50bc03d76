"""Limits of successive commands by finite differences, for everything that checks commands.

Nothing of `pi05_ros.control` is imported here: a witness must not share code with the bridge that
it checks. Where both know a number (`BASE_STOP_TIME`), it is written in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.platforms.platform import Group, Platform

# A hold stops the base faster than it accelerates: docs/design/safety.md.
BASE_STOP_TIME = 0.08  # [s]


@dataclass(frozen=True, eq=False)
class CommandLimits:
    """Limits of D dimensions, and what a stream of commands makes of them.

    Commands are (N, D), one a period. Positions have limits of position, velocity and
    acceleration; base velocities have one of value and one of acceleration.
    """

    lower: np.ndarray  # (D,)
    upper: np.ndarray  # (D,)
    max_velocity: np.ndarray  # (D,) [unit/s]; of a base velocity its greatest value.
    max_acceleration: np.ndarray  # (D,) [unit/s²]
    is_velocity: np.ndarray  # (D,) bool: base velocities.
    period: float  # Between two commands [s].

    @classmethod
    def of_platform(cls, platform: Platform) -> CommandLimits:
        """Return the limits of a whole vector, in platform units."""
        return cls(
            platform.lower,
            platform.upper,
            platform.max_velocity,
            platform.max_acceleration,
            platform.is_velocity,
            platform.period,
        )

    @classmethod
    def of_group(cls, group: Group, period: float) -> CommandLimits:
        """Return the limits of a group's controller, in units of its joints."""
        lower, upper = joint_limits(group)
        stroke = 1.0
        if group.kind == "parallel_gripper":
            stroke = abs(group.joint_open - group.joint_closed)
        return cls(
            lower,
            upper,
            np.array([d.max_velocity for d in group.dimensions]) * stroke,
            np.array([d.max_acceleration for d in group.dimensions]) * stroke,
            np.array([d.is_velocity for d in group.dimensions]),
            period,
        )

    @property
    def braking(self) -> np.ndarray:
        """Greatest deceleration of a base that is held, (D,) [unit/s²]."""
        return np.maximum(self.max_acceleration, self.max_velocity / BASE_STOP_TIME)

    def outside(self, values: np.ndarray) -> np.ndarray:
        """Return the distance (..., D) beyond the limits; negative inside, NaN for NaN."""
        return np.maximum(self.lower - values, values - self.upper)

    def rates(self, values: np.ndarray) -> np.ndarray:
        """Return the signed change per second (N - 1, D) of commands (N, D)."""
        return np.diff(values, axis=0) / self.period

    def accelerations(self, values: np.ndarray) -> np.ndarray:
        """Return the signed second differences (N - 2, D) of positions (N, D) [unit/s²]."""
        return np.diff(values, n=2, axis=0) / self.period**2

    def base_acceleration_limits(self, values: np.ndarray) -> np.ndarray:
        """Return the limit (N - 1, D) of each step of base velocities (N, D).

        A base that slows down may be held, and then brakes harder than it accelerates.
        """
        before, after = values[:-1], values[1:]
        slows = (np.abs(after) <= np.abs(before)) & (after * before >= 0)
        return np.where(slows, self.braking, self.max_acceleration)


def joint_limits(group: Group) -> tuple[np.ndarray, np.ndarray]:
    """Return least and greatest joint positions of a group, (joints,) float64 [rad] or [m].

    A gripper that is a fraction has a joint between `joint_closed` and `joint_open`.
    """
    if group.kind == "parallel_gripper":
        ends = sorted(group.gripper_ends)
        return np.array(ends[:1]), np.array(ends[1:])
    return (
        np.array([d.lower for d in group.dimensions]),
        np.array([d.upper for d in group.dimensions]),
    )
