"""The chunk that is being executed, sampled in time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from pi05_ros.control.blend import Blend
from pi05_ros.control.chunk import AcceptedChunk
from pi05_ros.platforms.platform import Platform

# Over the last part of a chunk the base slows down, so that it stands when no other chunk comes:
# it is told to one row before the last, for a command takes its time to the controller.
BASE_TAPER = 0.2  # [s]
# Chunks are blended in while the last few came at least so far apart; else the limiter alone takes
# them. Fades begun anew before they have got anywhere would have a joint coast on, not turn.
_BLEND_SPACING_NS = 150_000_000
_INTERVALS = 3


@dataclass(frozen=True)
class Target:
    """What a chunk wants at one moment."""

    values: np.ndarray  # (D,) float64, platform units.
    chunk: AcceptedChunk
    row: float  # Of the chunk; between two rows, a fraction.


class ChunkStream:
    """Gives the target of each tick. A newer chunk replaces the older one at once."""

    def __init__(self, platform: Platform) -> None:
        self._period = platform.period
        self._is_velocity = platform.is_velocity
        # How far from where it coasts a joint can be brought in one period [platform units].
        self._reach = platform.max_acceleration * platform.period**2
        self._blend = Blend(platform)
        self._chunk: AcceptedChunk | None = None
        self._executed: AcceptedChunk | None = None  # Gave the last target.
        self._begun_ns: int | None = None  # When that chunk did.
        self._intervals_ns: deque[int] = deque(maxlen=_INTERVALS)  # Between the last chunks.

    @property
    def chunk(self) -> AcceptedChunk | None:
        """The chunk that is being executed, or None."""
        return self._chunk

    def replace(self, chunk: AcceptedChunk) -> None:
        """Executes `chunk` from now on; its rows that are already past are never executed."""
        self._chunk = chunk

    def clear(self) -> None:
        """Forgets the chunk: nothing of it is executed any more."""
        self._chunk = self._executed = self._begun_ns = None
        self._intervals_ns.clear()
        self._blend.clear()

    def target(self, now_ns: int, coasting: np.ndarray) -> Target | None:
        """Target for the time `now_ns`; None when there is none.

        Between two rows the target is interpolated. After the last row there is none. A chunk that
        begins away from where the robot is headed is blended in: from the target that the chunk
        before it would give now, as far as one period reaches from `coasting` (D,), where the
        robot would be now if it only went on. From `coasting` alone, chunks that come with every
        tick would have it coast on for ever.
        """
        if self._chunk is None:
            return None
        position = self._position(self._chunk, now_ns)
        if position is None:
            return None
        values = _sample(self._chunk.actions, position)
        if self._chunk is not self._executed:
            if self._begun_ns is not None:
                self._intervals_ns.append(now_ns - self._begun_ns)
            if all(interval >= _BLEND_SPACING_NS for interval in self._intervals_ns):
                self._blend.begin(self._headed(now_ns, coasting), values, now_ns)
            else:
                self._blend.clear()
            self._executed, self._begun_ns = self._chunk, now_ns
        values += self._blend.offset(now_ns)
        remaining = max(0.0, (len(self._chunk.actions) - 2 - position) * self._period)
        if remaining < BASE_TAPER:
            values[self._is_velocity] *= remaining / BASE_TAPER
        return Target(values, self._chunk, position)

    def _headed(self, now_ns: int, coasting: np.ndarray) -> np.ndarray:
        """Where the robot is headed now, (D,) float64, without the chunk that begins."""
        position = None if self._executed is None else self._position(self._executed, now_ns)
        if self._executed is None or position is None:
            return coasting
        planned = _sample(self._executed.actions, position) + self._blend.offset(now_ns)
        return np.clip(planned, coasting - self._reach, coasting + self._reach)

    def _position(self, chunk: AcceptedChunk, now_ns: int) -> float | None:
        """The row that is due now, as a fraction between two; None before and after the chunk."""
        rows = len(chunk.actions)
        position = (now_ns - chunk.start_ns) * 1e-9 / self._period
        # A tick that falls a hair before row 0 or behind the last row still belongs to it.
        if position < -0.5 or position > rows - 0.5:
            return None
        return min(max(position, 0.0), rows - 1.0)


def _sample(actions: np.ndarray, position: float) -> np.ndarray:
    """Interpolates rows (H, D) at a position from 0 to H - 1; (D,) float64."""
    row = min(int(position), len(actions) - 1)
    after = min(row + 1, len(actions) - 1)
    weight = position - row
    return np.asarray((1.0 - weight) * actions[row] + weight * actions[after])
