"""One line of progress while a row runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TextIO

_EVERY = 1.0  # [s]


class Progress:
    """On a terminal one line that is rewritten every second; elsewhere one line a step."""

    def __init__(self, stream: TextIO, title: str) -> None:
        self._stream = stream
        self._title = title
        self._terminal = stream.isatty()
        self._text = "starting"
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        if self._terminal:
            self._thread.start()
        else:
            self._write(f"{self._title}\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._terminal:
            self._thread.join()
            self._write("\r\x1b[K")

    def say(self, text: str) -> None:
        """What is being done now."""
        self._text = text
        if not self._terminal:
            self._write(f"       {text}\n")

    def end(self, lines: Sequence[str]) -> None:
        """Prints the result."""
        self._write("\n".join(lines) + "\n")

    def _tick(self) -> None:
        while True:
            seconds = time.monotonic() - self._began
            self._write(f"\r\x1b[K{self._title}: {self._text} ({seconds:.0f} s)")
            if self._stop.wait(_EVERY):
                return

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
