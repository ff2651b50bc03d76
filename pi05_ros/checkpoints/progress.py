"""How far a long copy is, on one line of stderr."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDTH = 30  # Characters of the bar.


class Progress:
    """Counts bytes. A terminal sees a bar, a log file one line each tenth.

    Args:
        total: Bytes in all.
        what: Word before the bar.
        stream: Where it is written; None: stderr.
    """

    def __init__(self, total: int, what: str, stream: TextIO | None = None) -> None:
        self._total, self._what = max(1, total), what
        self._stream = stream or sys.stderr
        self._done = self._tenth = 0
        self._start = self._shown = time.monotonic()

    def __call__(self, size: int) -> None:
        """Counts `size` more bytes."""
        self._done += size
        now = time.monotonic()
        is_last = self._done >= self._total
        if self._stream.isatty():
            if is_last or now - self._shown > 0.1:
                self._shown = now
                self._stream.write("\r" + self.line(now - self._start) + ("\n" if is_last else ""))
                self._stream.flush()
        elif (tenth := 10 * self._done // self._total) > self._tenth:
            self._tenth = tenth
            self._stream.write(self.line(now - self._start) + "\n")

    def line(self, seconds: float) -> str:
        """The line after so many seconds."""
        part = min(1.0, self._done / self._total)
        bar = ("#" * round(part * _WIDTH)).ljust(_WIDTH, ".")
        rate = self._done / max(seconds, 1e-9)
        left = (self._total - self._done) / rate if self._done else 0.0
        return (
            f"{self._what} [{bar}] {part:4.0%} of {self._total / 1e9:.2f} GB, "
            f"{rate / 1e6:.0f} MB/s, {max(0.0, left):.0f} s left"
        )
