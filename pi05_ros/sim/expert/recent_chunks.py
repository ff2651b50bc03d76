"""What the robot is doing because of earlier chunks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

_REMEMBERED = 6  # Chunks.
_NEAR_POSITION, _NEAR_VELOCITY = 0.01, 0.05  # A command this near to a row was that row [unit].
_UNTIMELY = 0.02  # Per row between when it was due and the stamp: decides where all rows are near.
_EARLY, _LATE = 0.1, 0.3  # A row was sent at its time, give or take so much [s].


@dataclass(frozen=True)
class RunningCommands:
    """The commands around an observation's stamp."""

    command: np.ndarray  # (D,) just before the stamp.
    rate: np.ndarray  # (D,) of that command [unit/s]; of the base its velocity.
    committed: np.ndarray  # (n, D) rows from the stamp on that are sent, or about to be.


class RecentChunks:
    """The last chunks, to go on from where they lead.

    An observation carries the last command, but neither its rate nor what follows. Where the
    command lies on a row of a recent chunk, about when that row was due, that chunk tells. Then a
    new chunk begins with the rows of the old one that are sent before it arrives, as in real-time
    chunking: what it replaces and what it begins with agree. Elsewhere nothing is assumed.

    Args:
        period: Between two rows [s].
        is_velocity: (D,) which entries are base velocities.
        latency: How long after the last command the next chunk's first row is sent [s].
    """

    def __init__(self, period: float, is_velocity: np.ndarray, latency: float) -> None:
        self._period = period
        self._is_velocity = is_velocity
        self._near = np.where(is_velocity, _NEAR_VELOCITY, _NEAR_POSITION)
        self._ahead = round(latency / period)
        self._chunks: deque[tuple[int, np.ndarray]] = deque(maxlen=_REMEMBERED)

    def clear(self) -> None:
        """Forgets all chunks."""
        self._chunks.clear()

    def add(self, stamp_ns: int, chunk: np.ndarray) -> None:
        """Remembers a chunk (horizon, D), whose first row is for `stamp_ns`."""
        self._chunks.append((stamp_ns, chunk))

    def replace(self, stamp_ns: int, chunk: np.ndarray) -> None:
        """Takes this chunk for the last one of the same stamp."""
        if self._chunks and self._chunks[-1][0] == stamp_ns:
            self._chunks.pop()
        self.add(stamp_ns, chunk)

    def match(self, command: np.ndarray, stamp_ns: int) -> RunningCommands:
        """What runs while `command` (D,) is the last command of an observation at `stamp_ns`."""
        none = np.empty((0, len(command)))
        rate = np.where(self._is_velocity, command, 0.0)
        best, found = 1.0, RunningCommands(command, rate, none)
        for chunk_ns, chunk in reversed(self._chunks):
            # Row `now` is for the stamp itself, so the one before it has just been sent.
            now = round((stamp_ns - chunk_ns) * 1e-9 / self._period)
            first = max(1, now - round(_EARLY / self._period))
            last = min(len(chunk), now + round(_LATE / self._period) + 1)
            if first >= last:
                continue
            off = (np.abs(chunk[first:last] - command) / self._near).max(axis=1)
            off += _UNTIMELY * np.abs(np.arange(first, last) - (now - 1))
            row = first + int(off.argmin())
            if off[row - first] >= best:
                continue
            best = off[row - first]
            start = min(max(1, now - 1), row)
            rate = (chunk[start] - chunk[start - 1]) / self._period
            rate = np.where(self._is_velocity, chunk[start], rate)
            committed = chunk[start + 1 : row + 1 + self._ahead]
            found = RunningCommands(chunk[start], rate, committed)
        return found
