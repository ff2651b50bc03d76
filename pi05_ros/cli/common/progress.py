"""Progress of long work: a bar on a terminal, a line now and then in a pipe."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

from pi05_ros.cli.common.status_line import REPEAT_S, StatusLine

_BAR_WIDTH = 30  # [character]
_TICK_S = 1.0  # The time that is shown goes on where the work makes no steps.


class Progress:
    """Shows what is being done, how much of it, and for how long. A context manager.

    On a terminal the line is rewritten in place and removed at the end. In a pipe or a file, work
    that takes longer than five seconds writes a line every five seconds.

    Args:
        description: What is being done ("reading bags").
        total: Amount of work, in any unit; None: not known yet.
        title: What the description is a step of; empty: nothing.
        in_bytes: Whether the amount is in bytes, and a rate is shown.
        log_steps: Whether the title and each description have a line of their own in a pipe.
        stream: Stream to write to; None: stderr.
    """

    def __init__(
        self,
        description: str,
        total: float | None = None,
        *,
        title: str = "",
        in_bytes: bool = False,
        log_steps: bool = False,
        stream: TextIO | None = None,
    ) -> None:
        self._description, self._total, self._done = description, total, 0.0
        self._title, self._in_bytes = title, in_bytes
        stream = stream or sys.stderr
        self._line = StatusLine(stream, first_s=0.0 if stream.isatty() else REPEAT_S)
        self._log_steps = log_steps and not stream.isatty()
        self._start = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        if self._log_steps:
            self._line.log(self._title)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._line.clear()

    def advance(self, amount: float = 1.0) -> None:
        """Add to the amount of finished work."""
        self.update(self._done + amount)

    def update(self, done: float, total: float | None = None) -> None:
        """Set the amount of finished work, and the total where it has changed."""
        self._done = done
        if total is not None:
            self._total = total
        self._show()

    def describe(self, description: str) -> None:
        """Replace the description by that of the present step."""
        self._description = description
        if self._log_steps:
            self._line.log(f"       {description}")
        else:
            self._show()

    def text(self, seconds: float) -> str:
        """The line after `seconds` of work [s]."""
        text = f"{self._title}: {self._description}" if self._title else self._description
        if not self._total:
            return f"{text} ({seconds:.0f} s)"
        share = min(1.0, self._done / self._total)
        bar = ("#" * round(share * _BAR_WIDTH)).ljust(_BAR_WIDTH, ".")
        parts = [f"{text} [{bar}] {share:4.0%} of {self._amount(self._total)}"]
        rate = self._done / max(seconds, 1e-9)
        if self._in_bytes:
            parts.append(f"{rate / 1e6:.0f} MB/s")
        if self._done:
            parts.append(f"{max(0.0, self._total - self._done) / rate:.0f} s left")
        else:
            parts.append(f"{seconds:.0f} s")
        return ", ".join(parts)

    def _amount(self, value: float) -> str:
        return f"{value / 1e9:.2f} GB" if self._in_bytes else f"{value:g}"

    def _show(self) -> None:
        self._line.show(self.text(time.monotonic() - self._start))

    def _tick(self) -> None:
        while not self._stop.is_set():
            self._show()
            self._stop.wait(_TICK_S)
