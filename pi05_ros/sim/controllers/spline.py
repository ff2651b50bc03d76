"""Interpolation of joint_trajectory_controller (ros2_controllers, Jazzy, `trajectory.cpp`).

The degree of a segment depends on the derivatives that *both* of its ends have: none, linear;
velocities, cubic; velocities and accelerations, quintic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NANOSECONDS = 1e-9  # [s]


@dataclass(frozen=True)
class JointPoint:
    """One point of a trajectory, or one sample of it; arrays are (joints,) float64."""

    time_ns: int  # time_from_start of a point; of a sample: since the trajectory's start [ns].
    positions: np.ndarray  # [rad] or [m]
    velocities: np.ndarray | None = None  # [unit/s]; None: not given.
    accelerations: np.ndarray | None = None  # [unit/s²]; None: not given.
    effort: np.ndarray | None = None  # [N·m] or [N]; None: not given.

    def filled(self, time_ns: int) -> JointPoint:
        """Return the point at `time_ns`, with zeros for missing derivatives."""
        zeros = np.zeros(len(self.positions))
        return JointPoint(
            time_ns,
            self.positions,
            zeros if self.velocities is None else self.velocities,
            zeros if self.accelerations is None else self.accelerations,
        )


def interpolate(
    time_a_ns: int, a: JointPoint, time_b_ns: int, b: JointPoint, time_ns: int
) -> JointPoint:
    """Interpolate on the segment from `a` (at `time_a_ns`) to `b` (at `time_b_ns`).

    A segment whose ends have accelerations but no velocities has none of the three degrees. The
    real controller then commands 0 for every joint, and so does this one, so that the error shows
    in simulation.

    Returns:
        Positions, velocities and accelerations at `time_ns`; its `time_ns` is that argument.
    """
    duration = (time_b_ns - time_a_ns) * NANOSECONDS
    t = min(max((time_ns - time_a_ns) * NANOSECONDS, 0.0), duration)
    p0, v0, a0 = a.positions, a.velocities, a.accelerations
    p1, v1, a1 = b.positions, b.velocities, b.accelerations
    if v0 is not None and v1 is not None:
        if a0 is not None and a1 is not None:
            coefficients = _quintic(p0, v0, a0, p1, v1, a1, duration)
        else:
            coefficients = _cubic(p0, v0, p1, v1, duration)
    elif a0 is not None and a1 is not None:
        zeros = np.zeros_like(p0)
        return JointPoint(time_ns, zeros, zeros, zeros)
    else:
        return _on_line(p0, p1, t, duration, time_ns)
    degree = len(coefficients) - 1  # coefficients: (degree + 1, joints), lowest power first
    powers = t ** np.arange(degree + 1)
    first = np.arange(1, degree + 1)
    second = first[1:] * (first[1:] - 1)
    return JointPoint(
        time_ns,
        powers @ coefficients,
        (first * powers[:-1]) @ coefficients[1:],
        (second * powers[:-2]) @ coefficients[2:],
    )


def _on_line(
    p0: np.ndarray, p1: np.ndarray, t: float, duration: float, time_ns: int
) -> JointPoint:
    """Interpolate linearly, `t` after the start [s]; a segment of zero duration stays there.

    A separate function for speed: streams of positions use nothing else.
    """
    zeros = np.zeros(len(p0))
    speed = (p1 - p0) / duration if duration else zeros
    return JointPoint(time_ns, p0 + t * speed, speed, zeros)


def _cubic(
    p0: np.ndarray, v0: np.ndarray, p1: np.ndarray, v1: np.ndarray, duration: float
) -> np.ndarray:
    """Compute the coefficients (4, joints) of the cubic through both positions and velocities."""
    zeros = np.zeros_like(p0)
    if duration == 0.0:
        return np.stack([p0, v0, zeros, zeros])
    step = p1 - p0
    c2 = (3.0 * step - (2.0 * v0 + v1) * duration) / duration**2
    c3 = (-2.0 * step + (v0 + v1) * duration) / duration**3
    return np.stack([p0, v0, c2, c3])


def _quintic(
    p0: np.ndarray,
    v0: np.ndarray,
    a0: np.ndarray,
    p1: np.ndarray,
    v1: np.ndarray,
    a1: np.ndarray,
    duration: float,
) -> np.ndarray:
    """Compute the coefficients (6, joints) of the quintic through both end states."""
    zeros = np.zeros_like(p0)
    if duration == 0.0:
        return np.stack([p0, v0, 0.5 * a0, zeros, zeros, zeros])
    # Remainder at the end of the segment that the three highest powers must produce.
    step = p1 - (p0 + v0 * duration + 0.5 * a0 * duration**2)
    speed = (v1 - (v0 + a0 * duration)) * duration
    bend = (a1 - a0) * duration**2
    c3 = (10.0 * step - 4.0 * speed + 0.5 * bend) / duration**3
    c4 = (-15.0 * step + 7.0 * speed - bend) / duration**4
    c5 = (6.0 * step - 3.0 * speed + 0.5 * bend) / duration**5
    return np.stack([p0, v0, 0.5 * a0, c3, c4, c5])
