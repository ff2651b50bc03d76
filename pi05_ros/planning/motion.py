"""Whether a chunk asks for motion, and whether the robot makes progress."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.platforms.platform import Platform

# Two states farther apart than this are not one motion: what was before is forgotten [s].
_MAX_GAP = 0.5


@dataclass(frozen=True)
class MotionLimits:
    """What is too little to be called motion, per unit of a platform's vector."""

    rad: float
    m: float
    fraction: float  # Of a gripper's stroke.
    velocity_m: float  # Of a base velocity [m/s].
    velocity_rad: float  # [rad/s]

    def of_vector(self, platform: Platform) -> np.ndarray:
        """Limits for the entries as they stand in a vector, (D,) float64, platform units."""
        units = {
            "rad": self.rad,
            "m": self.m,
            "fraction": self.fraction,
            "m/s": self.velocity_m,
            "rad/s": self.velocity_rad,
        }
        return np.array([units[dimension.unit] for dimension in platform.dimensions])

    def of_displacements(self, platform: Platform) -> np.ndarray:
        """Limits for ways, (D,) float64: base velocities count by what they add up to."""
        units = {"rad": self.rad, "m": self.m, "fraction": self.fraction}
        return np.array([units[d.unit.removesuffix("/s")] for d in platform.dimensions])


# A chunk that stays within these says that there is nothing more to do. A degree of a joint over
# a whole chunk is less than any skill's slowest part, and more than the noise of a drawn flow.
STILL = MotionLimits(rad=0.02, m=0.005, fraction=0.05, velocity_m=0.01, velocity_rad=0.02)
# A robot that stays within these makes no progress. Above the noise of encoders and odometry.
PROGRESS = MotionLimits(rad=0.03, m=0.02, fraction=0.05, velocity_m=0.01, velocity_rad=0.02)


def stands_still(
    actions: np.ndarray, commanded: np.ndarray, platform: Platform, limits: MotionLimits = STILL
) -> bool:
    """Whether a chunk asks for no motion from what is commanded now.

    Measured against the command, not the measurement: a gripper on a cup never reaches its
    target, and an arm sags.

    Args:
        actions: (H, D) targets, platform units.
        commanded: (D,) what the controllers were last told, platform units.
        platform: The robot.
        limits: What is no motion.
    """
    rest = np.where(platform.is_velocity, 0.0, commanded)
    return bool((np.abs(actions - rest) <= limits.of_vector(platform)).all())


class ProgressMonitor:
    """How long the robot has been at one place although it should move.

    One place: every joint within `limits` of where it was, and the base too, whose way is the
    sum of its velocities.
    """

    def __init__(self, platform: Platform, limits: MotionLimits = PROGRESS) -> None:
        self._is_velocity = platform.is_velocity
        self._limits = limits.of_displacements(platform)
        self.reset()

    def reset(self) -> None:
        """Counts from the next state."""
        self._anchor: np.ndarray | None = None  # (D,) where it has been since _since_ns.
        self._since_ns = self._last_ns = 0
        self._way = np.zeros(len(self._limits))  # (D,) of the base; 0 elsewhere.

    def add(self, stamp_ns: int, measured: np.ndarray) -> None:
        """Takes a state of a robot that should move.

        Args:
            stamp_ns: When it was measured [ns].
            measured: (D,) platform units.
        """
        step = (stamp_ns - self._last_ns) * 1e-9
        if self._anchor is not None and not 0 <= step <= _MAX_GAP:
            self.reset()
        if self._anchor is not None:
            self._way += np.where(self._is_velocity, measured * step, 0.0)
        place = np.where(self._is_velocity, self._way, measured)
        if self._anchor is None or (np.abs(place - self._anchor) > self._limits).any():
            self._anchor, self._since_ns = place, stamp_ns
        self._last_ns = stamp_ns

    @property
    def idle(self) -> float:
        """Time without progress [s]."""
        return (self._last_ns - self._since_ns) * 1e-9
