"""Recent chunks of the expert, matched with the robot's commands to continue them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

_REMEMBERED = 6  # Number of chunks that are kept.
_NEAR_POSITION, _NEAR_VELOCITY = 0.01, 0.05  # Largest deviation of a command from its row [unit].
_UNTIMELY = 0.02  # Cost per row of time offset: selects among rows with similar values.
_BESIDE = 20.0  # Largest deviation at which a command is being led back to a row [_NEAR].
_FADE = 0.2  # Time in which that deviation falls to 1/e [s].
_EARLY, _LATE = 0.1, 0.3  # Largest time by which a row is sent early or late [s].


@dataclass(frozen=True)
class RunningCommands:
    """The commands around an observation's stamp."""

    command: np.ndarray  # (D,) just before the stamp.
    rate: np.ndarray  # (D,) rate of that command [unit/s]; of the base, its velocity.
    committed: np.ndarray  # (n, D) rows from the stamp on that are sent or about to be sent.


class RecentChunks:
    """Keeps the last chunks, so that a new chunk can continue the one being executed.

    An observation has the last command, but neither its rate nor the following commands. If the
    command is near a row of a recent chunk, around the time that the row was due, they are taken
    from that chunk. The new chunk then begins with the rows that are sent before it arrives, as in
    real-time chunking, so that there is no step where it takes over. A command beside the row that
    is due is being faded into that chunk, and counts as moving with it. Otherwise the robot is
    assumed to hold the command.

    Args:
        period: Time between two rows [s].
        is_velocity: (D,) mask of base velocities.
        latency: Time from the last command to the first row of the next chunk [s].
    """

    def __init__(self, period: float, is_velocity: np.ndarray, latency: float) -> None:
        self._period = period
        self._is_velocity = is_velocity
        self._near = np.where(is_velocity, _NEAR_VELOCITY, _NEAR_POSITION)
        self._ahead = round(latency / period)
        self._chunks: deque[tuple[int, np.ndarray]] = deque(maxlen=_REMEMBERED)

    def clear(self) -> None:
        """Discard all chunks."""
        self._chunks.clear()

    def add(self, stamp_ns: int, chunk: np.ndarray) -> None:
        """Add a chunk (horizon, D), whose first row is due at `stamp_ns`."""
        self._chunks.append((stamp_ns, chunk))

    def replace(self, stamp_ns: int, chunk: np.ndarray) -> None:
        """Add a chunk in place of the last one, if that has the same stamp."""
        if self._chunks and self._chunks[-1][0] == stamp_ns:
            self._chunks.pop()
        self.add(stamp_ns, chunk)

    def match(self, command: np.ndarray, stamp_ns: int) -> RunningCommands:
        """Return the running commands when `command` (D,) is the last one at `stamp_ns`."""
        none = np.empty((0, len(command)))
        rate = np.where(self._is_velocity, command, 0.0)
        best, found = 1.0, RunningCommands(command, rate, none)
        for chunk_ns, chunk in reversed(self._chunks):
            # Row `now` is due at the stamp, so the one before it has just been sent.
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
        return found if best < 1.0 else self._led_back(command, stamp_ns) or found

    def _led_back(self, command: np.ndarray, stamp_ns: int) -> RunningCommands | None:
        """Return the commands where the robot is being led back to a recent chunk from beside it.

        After a chunk that begins elsewhere, the bridge fades from the old motion into the new
        one: the command lies on no row, but moves with the rows that are due.
        """
        best, found = _BESIDE, None
        for chunk_ns, chunk in reversed(self._chunks):
            now = round((stamp_ns - chunk_ns) * 1e-9 / self._period)
            if not 2 <= now <= len(chunk) - 1:
                continue
            beside = np.where(self._is_velocity, 0.0, command - chunk[now - 1])
            off = float(np.abs(beside / self._near).max())
            if off >= best:
                continue
            best = off
            rate = np.where(
                self._is_velocity, command, (chunk[now - 1] - chunk[now - 2]) / self._period
            )
            rows = chunk[now : now + self._ahead]
            left = np.exp(-self._period / _FADE * np.arange(1, len(rows) + 1))[:, None]
            found = RunningCommands(command, rate, rows + beside * left)
        return found
