"""End of the rows of an earlier subtask, within one task."""

from __future__ import annotations

from collections import deque

_WINDOW = 10  # Accepted chunks whose delays are kept.
_CHANGES = 100  # Changes of text that are remembered; a chunk lives for a second or two.


class OldText:
    """Limits how long chunks of an earlier text are executed after a new one was published.

    A chunk of the earlier text bridges the time until the first one of the new text. That one
    takes the delay of a chunk: from an observation to its arrival, the longest of the last ten.
    After that the earlier text is over, whether or not a new chunk has arrived.

    Args:
        longest_s: Delay that is assumed until one was measured [s].
        period: Period of the ticks [s]. A text begins and a chunk is taken up at a tick, so two
            periods are added to a delay.
    """

    def __init__(self, longest_s: float, period: float) -> None:
        self._longest_s = longest_s
        self._period = period
        self._delays: deque[float] = deque(maxlen=_WINDOW)
        self._text: str | None = None
        self._newest = 0  # The last subtask id.
        # The first subtask id of each text, ascending, and the first tick with it; None: none yet.
        self._changes: deque[tuple[int, int | None]] = deque(maxlen=_CHANGES)

    @property
    def limit_s(self) -> float:
        """Time for which an earlier text may still be executed [s]."""
        return max(self._delays, default=self._longest_s) + 2 * self._period

    def follow(self, subtask_id: int, text: str) -> None:
        """Take a subtask: its id and its text. The same text under a new id is no change."""
        if subtask_id < self._newest:  # The planner was restarted.
            self._changes.clear()
            self._text = None
        if text != self._text:
            self._changes.append((subtask_id, None))
        self._newest, self._text = subtask_id, text

    def add_delay(self, seconds: float) -> None:
        """Note the time from the observation of an accepted chunk to its arrival [s]."""
        self._delays.append(max(0.0, seconds))

    def tick(self, now_ns: int) -> None:
        """Process one tick; the first one after a change begins its time."""
        for index in range(len(self._changes) - 1, -1, -1):
            first, since_ns = self._changes[index]
            if since_ns is not None and since_ns <= now_ns:
                break
            self._changes[index] = first, now_ns

    def is_over(self, subtask_id: int, now_ns: int) -> bool:
        """Check whether chunks of a subtask are of an earlier text whose time has ended."""
        since_ns = next((since for first, since in self._changes if first > subtask_id), None)
        return since_ns is not None and (now_ns - since_ns) * 1e-9 > self.limit_s
