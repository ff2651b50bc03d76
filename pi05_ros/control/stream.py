"""The chunk that is being executed, sampled in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pi05_ros.control.blend import Blend
from pi05_ros.control.chunk import AcceptedChunk
from pi05_ros.platforms import Platform

# Over the last part of a chunk the base slows down, so that it stands when no other chunk comes:
# it is told to one row before the last, for a command takes its time to the controller.
BASE_TAPER = 0.2  # [s]


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
        self._blend = Blend(platform)
        self._chunk: AcceptedChunk | None = None
        self._is_new = False

    @property
    def chunk(self) -> AcceptedChunk | None:
        """The chunk that is being executed, or None."""
        return self._chunk

    def replace(self, chunk: AcceptedChunk) -> None:
        """Executes `chunk` from now on; its rows that are already past are never executed."""
        self._chunk, self._is_new = chunk, True

    def clear(self) -> None:
        """Forgets the chunk: nothing of it is executed any more."""
        self._chunk = None
        self._blend.clear()

    def target(self, now_ns: int, coasting: np.ndarray) -> Target | None:
        """Target for the time `now_ns`; None when there is none.

        Between two rows the target is interpolated. After the last row there is none. A chunk that
        begins away from `coasting` (D,), where the robot would be commanded to be now if it only
        went on, is blended in.
        """
        if self._chunk is None:
            return None
        actions = self._chunk.actions
        position = (now_ns - self._chunk.start_ns) * 1e-9 / self._period
        # A tick that falls a hair before row 0 or behind the last row still belongs to it.
        if position < -0.5 or position > len(actions) - 0.5:
            return None
        position = min(max(position, 0.0), len(actions) - 1.0)
        row = min(int(position), len(actions) - 1)
        after = min(row + 1, len(actions) - 1)
        weight = position - row
        values = (1.0 - weight) * actions[row] + weight * actions[after]
        if self._is_new:
            self._is_new = False
            self._blend.begin(coasting, values, now_ns)
        values += self._blend.offset(now_ns)
        remaining = max(0.0, (len(actions) - 2 - position) * self._period)
        if remaining < BASE_TAPER:
            values[self._is_velocity] *= remaining / BASE_TAPER
        return Target(values, self._chunk, position)
