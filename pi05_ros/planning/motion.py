"""Detection of chunks without motion and of a robot without progress."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.platforms.platform import Platform

# After a gap between two states longer than this, progress is measured anew [s].
_MAX_GAP = 0.5


@dataclass(frozen=True)
class MotionLimits:
    """Largest changes that do not count as motion, by unit of a platform's vector."""

    rad: float
    m: float
    fraction: float  # Of a gripper's stroke.
    velocity_m: float  # Of a base velocity [m/s].
    velocity_rad: float  # [rad/s]

    def of_vector(self, platform: Platform) -> np.ndarray:
        """Return limits for the entries of a vector, (D,) float64, platform units."""
        units = {
            "rad": self.rad,
            "m": self.m,
            "fraction": self.fraction,
            "m/s": self.velocity_m,
            "rad/s": self.velocity_rad,
        }
        return np.array([units[dimension.unit] for dimension in platform.dimensions])

    def of_displacements(self, platform: Platform) -> np.ndarray:
        """Return limits for displacements, (D,) float64 [rad, m or fraction].

        Base velocities are compared by their integral.
        """
        units = {"rad": self.rad, "m": self.m, "fraction": self.fraction}
        return np.array([units[d.unit.removesuffix("/s")] for d in platform.dimensions])


# A chunk within these limits asks for no motion. One degree of a joint over a whole chunk is less
# than the slowest part of any skill, and more than the noise of the sampled flow.
STILL = MotionLimits(rad=0.02, m=0.005, fraction=0.05, velocity_m=0.01, velocity_rad=0.02)
# A robot within these limits makes no progress. They are above encoder and odometry noise.
PROGRESS = MotionLimits(rad=0.03, m=0.02, fraction=0.05, velocity_m=0.01, velocity_rad=0.02)


def stands_still(
    actions: np.ndarray, commanded: np.ndarray, platform: Platform, limits: MotionLimits = STILL
) -> bool:
    """Check whether a chunk asks for no motion from the present command.

    The reference is the command, not the measurement: a gripper closed on a cup never reaches its
    target, and an arm sags under load.

    Args:
        actions: (H, D) targets, platform units.
        commanded: (D,) last command, platform units.
        platform: The robot.
        limits: Largest changes that do not count as motion.
    """
    rest = np.where(platform.is_velocity, 0.0, commanded)
    change = np.abs(platform.difference(actions, rest))
    return bool((change <= limits.of_vector(platform)).all())


class ProgressMonitor:
    """Measures how long a robot that should move has made no progress.

    No progress: every joint has stayed within `limits` of its position, and so has the base, whose
    displacement is the integral of its velocities.

    Args:
        platform: The robot.
        limits: Largest displacements that do not count as progress.
    """

    def __init__(self, platform: Platform, limits: MotionLimits = PROGRESS) -> None:
        self._is_velocity = platform.is_velocity
        self._difference = platform.difference
        self._limits = limits.of_displacements(platform)
        self.reset()

    def reset(self) -> None:
        """Restart the measurement at the next state."""
        self._anchor: np.ndarray | None = None  # (D,) position since _since_ns.
        self._since_ns = self._last_ns = 0
        self._travel = np.zeros(len(self._limits))  # (D,) of the base; 0 elsewhere.

    def add(self, stamp_ns: int, measured: np.ndarray) -> None:
        """Add a state of a robot that should move.

        Args:
            stamp_ns: When it was measured [ns].
            measured: (D,) platform units.
        """
        step = (stamp_ns - self._last_ns) * 1e-9
        if self._anchor is not None and not 0 <= step <= _MAX_GAP:
            self.reset()
        if self._anchor is not None:
            self._travel += np.where(self._is_velocity, measured * step, 0.0)
        place = np.where(self._is_velocity, self._travel, measured)
        moved = self._anchor is not None and (
            np.abs(self._difference(place, self._anchor)) > self._limits
        )
        if self._anchor is None or np.any(moved):
            self._anchor, self._since_ns = place, stamp_ns
        self._last_ns = stamp_ns

    @property
    def idle(self) -> float:
        """Time without progress [s]."""
        return (self._last_ns - self._since_ns) * 1e-9
