"""One line of progress: rewritten in place on a terminal, repeated now and then elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

_REWRITE_S = 0.2  # On a terminal.
_REPEAT_S = 5.0  # Elsewhere: a log should stay readable.


class LiveLine:
    """Shows one line of text.

    Args:
        stream: Where to.
        now: A steady clock [s].
    """

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._now = now
        self._on_terminal = stream.isatty()
        self._next = now()
        self._open = False  # Whether a line stands there without its end.

    def show(self, text: str) -> None:
        """Shows the present state, if it is time to."""
        now = self._now()
        if now < self._next:
            return
        self._next = now + (_REWRITE_S if self._on_terminal else _REPEAT_S)
        if self._on_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[2K{text[:width]}")
            self._open = True
        else:
            self._write(f"{text}\n")

    def say(self, text: str) -> None:
        """Writes a line that stays."""
        self._write(f"\r\x1b[2K{text}\n" if self._open else f"{text}\n")
        self._open = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            pass  # Nobody reads any more; the run goes on for its results.


def shorten(text: str, length: int = 40) -> str:
    """The text, with an ellipsis where it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"
