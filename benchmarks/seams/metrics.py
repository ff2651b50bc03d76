"""Roughness of seams, and values outside the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.control.modes import Mode
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.controllers.command_limits import CommandLimits

from .record import TickRecord

# Ticks from a seam on that count as the seam: blending takes some of them.
WINDOW = 10
_TOLERANCE = 1e-6  # Relative: rounding of differences of float64 is no violation.


@dataclass(frozen=True)
class Seam:
    """One seam, the worst joint of both arms: targets, and commands that were sent."""

    position: float  # Greatest step away from the target of the old chunk [rad].
    velocity: float  # Greatest step of velocity within the window [rad/s].
    jerk: float  # Greatest jerk within the window [rad/s³].
    sent_velocity: float
    sent_jerk: float


@dataclass(frozen=True)
class Course:
    """A run in numbers."""

    seams: tuple[Seam, ...]
    between: tuple[Seam, ...]  # The same figures away from seams.
    chunks: int
    delay_rows: float  # Median row at which chunks were first executed.
    stood: float  # Share of ticks without a chunk, after the first one.
    violations: int  # Values outside a limit, of all that were sent.


def measure(platform: Platform, record: Sequence[TickRecord]) -> Course:
    """Return the figures of a run, from its first chunk on.

    Args:
        platform: The robot's platform.
        record: All ticks, in order.
    """
    first = next(i for i, tick in enumerate(record) if tick.sequence)
    record = record[first:]
    arms = np.flatnonzero([d.unit == "rad" for d in platform.dimensions])
    wanted = np.array([tick.wanted[arms] for tick in record])
    before = np.array([tick.before[arms] for tick in record])
    sent = np.array([tick.command[arms] for tick in record])
    changes = _changes(record)
    usable = [tick for tick in changes if 3 <= tick < len(record) - WINDOW]

    def seam(tick: int, end: int) -> Seam:
        """Return the figures of the ticks from `tick` to before `end`."""
        return Seam(
            _departure(wanted, before, tick, end),
            _greatest(wanted, tick, end, 1, platform.period),
            _greatest(wanted, tick, end, 3, platform.period),
            _greatest(sent, tick, end, 1, platform.period),
            _greatest(sent, tick, end, 3, platform.period),
        )

    calm = [
        seam(tick + WINDOW + 3, following)
        for tick, following in zip(usable, usable[1:], strict=False)
        if following - tick > WINDOW + 6
        and all(entry.sequence for entry in record[tick:following])
    ]
    rows = [record[tick].row for tick in changes]
    return Course(
        seams=tuple(seam(tick, tick + WINDOW) for tick in usable),
        between=tuple(calm),
        chunks=len(changes) + 1,
        delay_rows=float(np.median(rows)) if rows else float("nan"),
        stood=float(np.mean([tick.sequence == 0 for tick in record])),
        violations=violations(platform, record),
    )


def violations(platform: Platform, record: Sequence[TickRecord]) -> int:
    """Count values outside of position, velocity and acceleration limits.

    While the bridge holds, it stops the base faster than it drives.
    """
    limits = CommandLimits.of_platform(platform)
    sent = np.array([tick.command for tick in record])
    holds = np.array([tick.mode is not Mode.RUNNING for tick in record])[1:, None]
    slack = 1.0 + _TOLERANCE
    outside = limits.outside(sent) > _TOLERANCE * (limits.upper - limits.lower)
    base_limit = np.where(holds, limits.braking, limits.max_acceleration)
    rate_limit = np.where(limits.is_velocity, base_limit, limits.max_velocity)
    too_fast = np.abs(limits.rates(sent)) > slack * rate_limit
    too_hard = np.abs(limits.accelerations(sent)) > slack * limits.max_acceleration + 1e-6
    return int(outside.sum() + too_fast.sum() + (too_hard & ~limits.is_velocity).sum())


def _changes(record: Sequence[TickRecord]) -> list[int]:
    """Return the ticks at which another chunk is followed for the first time."""
    found, last = [], record[0].sequence
    for tick, entry in enumerate(record):
        if entry.sequence and entry.sequence != last:
            found.append(tick)
            last = entry.sequence
    return found


def _departure(wanted: np.ndarray, before: np.ndarray, tick: int, end: int) -> float:
    """Return the greatest change of the distance to the old course between two ticks."""
    gone = (wanted - before)[tick:end]
    return float(np.abs(np.diff(gone, axis=0, prepend=0.0)).max())


def _greatest(values: np.ndarray, tick: int, end: int, order: int, dt: float) -> float:
    """Return the greatest step of velocity (order 1) or jerk (order 3) within a window of ticks.

    Args:
        values: Positions, (ticks, joints).
        tick: First tick of the window.
        end: Tick behind it.
        order: 1 or 3.
        dt: Between two ticks [s].
    """
    differences, scale = (2, dt) if order == 1 else (3, dt**3)
    part = values[tick - differences : end]
    return float(np.abs(np.diff(part, n=differences, axis=0)).max() / scale)
