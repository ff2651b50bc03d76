"""Action chunks and the checks on their contents."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

import numpy as np

from pi05_ros.chunking.execution_age import executable_rows
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.errors import Pi05Error
from pi05_ros.platforms.platform import Platform

MAX_HORIZON = 1000  # Rows; 20 s at 50 Hz. A longer chunk is an error of the sender.


class ControlSource(enum.IntEnum):
    """Whose actions a command follows; values as in pi05_msgs/RobotState.CONTROL_*."""

    NONE = 0
    POLICY = 1
    TELEOP = 2


# Rules that only a faulty sender breaks; the others also fail by delay.
MALFORMED = frozenset({"names", "period", "horizon", "shape", "not_finite", "limits", "stamp"})


class ChunkRejected(Pi05Error):
    """A chunk breaks a rule and is rejected as a whole.

    Attributes:
        rule: Short name of the rule, for counting ("names", "not_finite").
    """

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


@dataclass(frozen=True)
class Chunk:
    """Action targets; row k is due at `start_ns + k * period`."""

    stamp_ns: int  # Acquisition time of the observation [ns].
    start_ns: int  # Time of row 0 [ns].
    session: int
    epoch: int
    sequence: int
    subtask_id: int  # Subtask that it executes; 0: none.
    names: tuple[str, ...]
    period: float  # [s]
    horizon: int  # Rows that the sender announces.
    data: np.ndarray  # (horizon * D,) floating point, row-major, platform units.


@dataclass(frozen=True)
class AcceptedChunk:
    """A chunk that passed all checks."""

    stamp_ns: int
    start_ns: int
    sequence: int
    subtask_id: int
    actions: np.ndarray  # (horizon, D) float64, finite, inside the position limits.
    clamped: int  # Values that lay just outside their limits and were moved onto them.
    too_old: int = 0  # Rows that were cut off: due when the observation is too old.
    source: ControlSource = ControlSource.POLICY


def accept_chunk(chunk: Chunk, platform: Platform, settings: BridgeSettings) -> AcceptedChunk:
    """Check the contents of a chunk and cut off the rows that its observation is too old for.

    Raises:
        ChunkRejected: The chunk breaks a rule, or no row is left.
    """
    checked = check_chunk(chunk, platform, settings.limit_tolerance)
    return cut_by_age(checked, platform.period, settings.max_execution_age_s)


def check_chunk(chunk: Chunk, platform: Platform, limit_tolerance: float) -> AcceptedChunk:
    """Check names, shape, finiteness and limits of a chunk.

    Args:
        chunk: As received.
        platform: The robot.
        limit_tolerance: Share of a dimension's range by which a value may leave it and still be
            clamped rather than rejected.

    Raises:
        ChunkRejected: The chunk breaks a rule; the first one is named.
    """
    if chunk.names != platform.names:
        raise ChunkRejected("names", _name_problem(chunk.names, platform))
    if not abs(chunk.period - platform.period) <= 0.01 * platform.period:
        raise ChunkRejected(
            "period",
            f"wanted a period of {platform.period:g} s, found {chunk.period:g} s",
        )
    if not 1 <= chunk.horizon <= MAX_HORIZON:
        raise ChunkRejected(
            "horizon", f"wanted a horizon of 1 to {MAX_HORIZON} rows, found {chunk.horizon}"
        )
    if chunk.data.size != chunk.horizon * platform.size:
        raise ChunkRejected(
            "shape",
            f"wanted {chunk.horizon} rows of {platform.size} values, found {chunk.data.size}",
        )
    actions = chunk.data.astype(np.float64).reshape(chunk.horizon, platform.size)
    if not np.isfinite(actions).all():
        row, column = np.argwhere(~np.isfinite(actions))[0]
        raise ChunkRejected(
            "not_finite", f"row {row} of {platform.names[column]} is {actions[row, column]}"
        )
    margin = limit_tolerance * (platform.upper - platform.lower)
    # Messages carry float32: a value at the limit may arrive a rounding step outside it.
    margin = np.maximum(margin, 1e-5)
    outside = (actions < platform.lower - margin) | (actions > platform.upper + margin)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise ChunkRejected(
            "limits",
            f"row {row} of {platform.names[column]} is {actions[row, column]:.4g}, outside "
            f"{platform.lower[column]:g} to {platform.upper[column]:g}",
        )
    clipped = np.clip(actions, platform.lower, platform.upper)
    clamped = int((np.abs(clipped - actions) > 1e-5).sum())
    return AcceptedChunk(
        chunk.stamp_ns, chunk.start_ns, chunk.sequence, chunk.subtask_id, clipped, clamped
    )


def cut_by_age(chunk: AcceptedChunk, period: float, max_age_s: float) -> AcceptedChunk:
    """Cut off the rows that are due more than `max_age_s` [s] after the observation.

    Args:
        chunk: The chunk.
        period: Time between two rows [s].
        max_age_s: Age of the observation from which no row is executed [s].

    Raises:
        ChunkRejected: No row is left.
    """
    lead_s = (chunk.start_ns - chunk.stamp_ns) * 1e-9
    rows = executable_rows(lead_s, period, max_age_s)
    if rows < 1:
        raise ChunkRejected(
            "age",
            f"row 0 is due {lead_s:.2f} s after its observation, the limit of execution is "
            f"{max_age_s:g} s",
        )
    cut = max(0, len(chunk.actions) - rows)
    return replace(chunk, actions=chunk.actions[:rows], too_old=cut) if cut else chunk


def _name_problem(names: tuple[str, ...], platform: Platform) -> str:
    """Return the difference between the names and the platform's."""
    missing = [name for name in platform.names if name not in names]
    foreign = [name for name in names if name not in platform.names]
    if missing or foreign:
        parts = []
        if missing:
            parts.append(f"without {', '.join(missing[:3])}{' …' if len(missing) > 3 else ''}")
        if foreign:
            parts.append(f"with {', '.join(foreign[:3])}{' …' if len(foreign) > 3 else ''}")
        return f"the columns are not those of {platform.name}: {' and '.join(parts)}"
    return f"the columns are those of {platform.name} in another order, or repeated"
