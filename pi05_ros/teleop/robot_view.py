"""The robot's state as teleoperation reads it, and how fast the robot moves."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from pi05_ros.platforms.platform import Platform

_WINDOW_NS = 100_000_000  # Velocities are averaged over this long [ns].


@dataclass(frozen=True)
class RobotView:
    """One RobotState."""

    stamp_ns: int  # [ns]
    measured: np.ndarray  # (D,) float64, finite, platform units.
    commanded: np.ndarray  # (D,) float64; NaN: nothing sent for this entry yet.
    session: int
    epoch: int
    is_armed: bool  # Running or holding.
    is_running: bool  # It follows somebody's actions.
    follows_teleop: bool  # It is running and follows those of this node.
    reason: str = ""  # Why its mode is what it is.

    @property
    def reference(self) -> np.ndarray:
        """Last command sent to the robot, (D,); measured where nothing was sent yet."""
        return np.where(np.isfinite(self.commanded), self.commanded, self.measured)


class Velocity:
    """Velocity of a vector of positions, from its samples of the last 0.1 s.

    Args:
        platform: The robot, for joints that turn without end.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._samples: deque[tuple[int, np.ndarray]] = deque()

    def add(self, at_ns: int, vector: np.ndarray) -> None:
        """Add a sample (D,). One with the last time replaces that sample, an older one all."""
        while self._samples and at_ns <= self._samples[-1][0]:
            if self._samples.pop()[0] > at_ns:
                self._samples.clear()
        self._samples.append((at_ns, vector))
        while len(self._samples) > 2 and self._samples[1][0] <= at_ns - _WINDOW_NS:
            self._samples.popleft()

    def value(self) -> np.ndarray:
        """Return the velocity (D,) [unit/s]; base velocities as they are, 0 with one sample."""
        platform = self._platform
        if not self._samples:
            return np.zeros(platform.size)
        (first_ns, first), (last_ns, last) = self._samples[0], self._samples[-1]
        change = platform.difference(last, first)
        rate = change / ((last_ns - first_ns) * 1e-9) if last_ns > first_ns else 0.0 * change
        return np.where(platform.is_velocity, last, rate)
