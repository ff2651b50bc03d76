"""One line of status: rewritten in place on a terminal, repeated now and then elsewhere."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from typing import TextIO

_REWRITE_S = 0.2  # Shortest time between two texts on a terminal.
REPEAT_S = 5.0  # The same in a pipe or a file: a log should stay readable.


class StatusLine:
    """Writes a line that is replaced by the next one. Safe for several threads.

    Every display of progress of the command is drawn by this class.

    Args:
        stream: Stream to write to.
        first_s: Time before the first text [s].
        now: A steady clock [s].
    """

    def __init__(
        self,
        stream: TextIO,
        first_s: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._now = now
        self._lock = threading.Lock()
        self._next = now() + first_s
        self._is_open = False  # Whether a text stands on the terminal without its line end.
        self._on_terminal = stream.isatty()

    def show(self, text: str) -> None:
        """Replace the text, at most five times a second; in a pipe, once in five seconds."""
        with self._lock:
            now = self._now()
            if now < self._next:
                return
            self._next = now + (_REWRITE_S if self._on_terminal else REPEAT_S)
            if self._on_terminal:
                width = shutil.get_terminal_size().columns - 1
                self._write(f"\r\x1b[2K{text[:width]}")
                self._is_open = True
            else:
                self._write(f"{text}\n")

    def log(self, text: str) -> None:
        """Write a line that stays, above the replaceable one."""
        with self._lock:
            self._write(f"\r\x1b[2K{text}\n" if self._is_open else f"{text}\n")
            self._is_open = False

    def clear(self) -> None:
        """Remove the replaceable text from the terminal."""
        with self._lock:
            if self._is_open:
                self._write("\r\x1b[2K")
            self._is_open = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            pass  # The reader is gone (`| head`); the work goes on for its results.
