"""The chunk that is being executed, sampled in time."""

from __future__ import annotations

import numpy as np

from pi05_ros.control.chunk import AcceptedChunk
from pi05_ros.platforms import Platform

# Over the last part of a chunk the base slows down, so that it stands when no other chunk comes.
BASE_TAPER = 0.2  # [s]


class ChunkStream:
    """Gives the target of each tick. A newer chunk replaces the older one at once."""

    def __init__(self, platform: Platform) -> None:
        self._period = platform.period
        self._is_velocity = platform.is_velocity
        self._chunk: AcceptedChunk | None = None

    @property
    def chunk(self) -> AcceptedChunk | None:
        """The chunk that is being executed, or None."""
        return self._chunk

    def replace(self, chunk: AcceptedChunk) -> None:
        """Executes `chunk` from now on; its rows that are already past are never executed."""
        self._chunk = chunk

    def clear(self) -> None:
        """Forgets the chunk: nothing of it is executed any more."""
        self._chunk = None

    def target(self, now_ns: int) -> np.ndarray | None:
        """Target for the time `now_ns`, (D,) float64 in platform units; None when there is none.

        Between two rows the target is interpolated. After the last row there is none.
        """
        if self._chunk is None:
            return None
        actions = self._chunk.actions
        position = (now_ns - self._chunk.stamp_ns) * 1e-9 / self._period
        # A tick that falls a hair before row 0 or behind the last row still belongs to it.
        if position < -0.5 or position > len(actions) - 0.5:
            return None
        position = min(max(position, 0.0), len(actions) - 1.0)
        row = min(int(position), len(actions) - 1)
        after = min(row + 1, len(actions) - 1)
        weight = position - row
        target = (1.0 - weight) * actions[row] + weight * actions[after]
        remaining = (len(actions) - 1 - position) * self._period
        if remaining < BASE_TAPER:
            target[self._is_velocity] *= remaining / BASE_TAPER
        return target
