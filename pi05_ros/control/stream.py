"""Sampling of the running chunk in time."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from pi05_ros.control.blend import Blend
from pi05_ros.control.chunk import AcceptedChunk, ControlSource
from pi05_ros.platforms.platform import Platform

# Over the last part of a chunk the base slows down, so that it is at rest when no chunk follows:
# it reaches 0 one row before the last, because a command takes a period to the controller.
# An operator's chunks are short and come at every tick: the hold after their silence brakes.
BASE_TAPER = 0.2  # [s]
# Chunks are blended in if the last few intervals were at least this long; else only the limiter
# acts. Fades that restart too early would let a joint coast on instead of turning.
_BLEND_SPACING_NS = 150_000_000
_INTERVALS = 3


@dataclass(frozen=True)
class Target:
    """Target of a chunk at one moment."""

    values: np.ndarray  # (D,) float64, platform units.
    chunk: AcceptedChunk
    row: float  # Row of the chunk; a fraction between two rows.


class ChunkStream:
    """Target of each tick. A newer chunk replaces the older one at once.

    Args:
        platform: The robot.
    """

    def __init__(self, platform: Platform) -> None:
        self._period = platform.period
        self._is_velocity = platform.is_velocity
        self._continuous = np.flatnonzero(platform.is_continuous)
        # Distance from its coasting value that a joint can reach in one period [platform units].
        self._reach = platform.max_acceleration * platform.period**2
        self._blend = Blend(platform)  # Between chunks of the policy.
        self._switch = Blend(platform)  # To another source, or from rest to an operator.
        self._chunk: AcceptedChunk | None = None
        self._executed: AcceptedChunk | None = None  # Chunk of the last target.
        self._begun_ns: int | None = None  # Time of that chunk's first target.
        self._intervals_ns: deque[int] = deque(maxlen=_INTERVALS)  # Between the last chunks.

    @property
    def chunk(self) -> AcceptedChunk | None:
        """Chunk that is being executed, or None."""
        return self._chunk

    def replace(self, chunk: AcceptedChunk) -> None:
        """Execute `chunk` from now on; rows that are already past are skipped."""
        self._chunk = chunk

    def clear(self) -> None:
        """Drop the chunk: no further row of it is executed."""
        self._chunk = self._executed = self._begun_ns = None
        self._intervals_ns.clear()
        self._blend.clear()
        self._switch.clear()

    def target(self, now_ns: int, coasting: np.ndarray) -> Target | None:
        """Return the target at the time `now_ns`; None if there is none.

        Between two rows the target is interpolated. After the last row there is none. A chunk that
        begins away from the current motion is blended in: from the target that the previous chunk
        gives now, clipped to what one period reaches from `coasting` (D,), the values at constant
        velocity. From `coasting` alone, chunks at every tick would let the robot coast forever.

        A change between policy and operator is blended in the same way, and that fade runs to its
        end however often chunks of the new source come. Between an operator's chunks only the
        limiter acts.

        A new chunk's values of continuous joints are moved by whole turns, next to `coasting`.
        """
        if self._chunk is None:
            return None
        position = self._position(self._chunk, now_ns)
        if position is None:
            return None
        if self._chunk is not self._executed:
            self._chunk = self._nearby(self._chunk, position, coasting)
        values = _sample(self._chunk.actions, position)
        if self._chunk is not self._executed:
            self._begin(self._chunk, values, now_ns, coasting)
            self._executed, self._begun_ns = self._chunk, now_ns
        values += self._offset(now_ns)
        remaining = max(0.0, (len(self._chunk.actions) - 2 - position) * self._period)
        if remaining < BASE_TAPER and self._chunk.source is ControlSource.POLICY:
            values[self._is_velocity] *= remaining / BASE_TAPER
        return Target(values, self._chunk, position)

    def _begin(
        self, chunk: AcceptedChunk, values: np.ndarray, now_ns: int, coasting: np.ndarray
    ) -> None:
        """Begin the fade to a new chunk with the targets `values` (D,), where one is wanted."""
        before = self._executed
        is_operator = chunk.source is ControlSource.TELEOP
        if before is not None and before.source is not chunk.source:
            # Fades that run continue: so does their velocity.
            self._intervals_ns.clear()
            target = values + self._blend.offset(now_ns)
            self._switch.begin(self._headed(now_ns, coasting), target, now_ns)
        elif is_operator and before is None:
            self._switch.begin(coasting, values, now_ns)
        elif not is_operator:
            if self._begun_ns is not None:
                self._intervals_ns.append(now_ns - self._begun_ns)
            if all(interval >= _BLEND_SPACING_NS for interval in self._intervals_ns):
                target = values + self._switch.offset(now_ns)
                self._blend.begin(self._headed(now_ns, coasting), target, now_ns)
            else:
                self._blend.clear()

    def _offset(self, now_ns: int) -> np.ndarray:
        """Return what the fades add to the target now, (D,) float64."""
        return self._blend.offset(now_ns) + self._switch.offset(now_ns)

    def _nearby(
        self, chunk: AcceptedChunk, position: float, coasting: np.ndarray
    ) -> AcceptedChunk:
        """Return the chunk with continuous joints moved by whole turns.

        Each row is within half a turn of the one before, and the row due now of `coasting` (D,).
        """
        if not len(self._continuous):
            return chunk
        actions, columns = chunk.actions.copy(), self._continuous
        rows = np.unwrap(actions[:, columns], axis=0)
        turns = np.round((coasting[columns] - _sample(rows, position)) / (2.0 * math.pi))
        actions[:, columns] = rows + turns * (2.0 * math.pi)
        return dataclasses.replace(chunk, actions=actions)

    def _headed(self, now_ns: int, coasting: np.ndarray) -> np.ndarray:
        """Return the values that the previous chunk leads to now, (D,) float64."""
        position = None if self._executed is None else self._position(self._executed, now_ns)
        if self._executed is None or position is None:
            return coasting
        planned = _sample(self._executed.actions, position) + self._offset(now_ns)
        return np.clip(planned, coasting - self._reach, coasting + self._reach)

    def _position(self, chunk: AcceptedChunk, now_ns: int) -> float | None:
        """Return the row due now, with its fraction; None before and after the chunk."""
        rows = len(chunk.actions)
        position = (now_ns - chunk.start_ns) * 1e-9 / self._period
        # A tick within half a row of the first or last row still belongs to it.
        if position < -0.5 or position > rows - 0.5:
            return None
        return min(max(position, 0.0), rows - 1.0)


def _sample(actions: np.ndarray, position: float) -> np.ndarray:
    """Interpolate rows (H, D) at a position from 0 to H - 1; (D,) float64."""
    row = min(int(position), len(actions) - 1)
    after = min(row + 1, len(actions) - 1)
    weight = position - row
    return np.asarray((1.0 - weight) * actions[row] + weight * actions[after])
