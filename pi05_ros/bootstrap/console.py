"""What a person sees of the set-up: one line a step, with its time; the rest goes to a log."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class Console:
    """Prints steps to a stream: on a terminal a line that lives, elsewhere one at start and end.

    Args:
        stream: Where to print; standard error, so that `./pi05 env` can be evaluated.
    """

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._started = 0.0  # Of the current step, monotonic [s].
        self._title = ""

    def say(self, text: str) -> None:
        """Prints a line."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def step(self, number: int, total: int, title: str) -> Iterator[None]:
        """Shows a step while the body runs, and how long it took."""
        self._title = f"  [{number}/{total}] {title}"
        self._started = time.monotonic()
        if not self._is_terminal:
            self.say(f"{self._title} ...")
        else:
            self._live("")
        outcome = "failed after"
        try:
            yield
            outcome = "done in"
        except KeyboardInterrupt:
            outcome = "interrupted after"
            raise
        finally:
            elapsed = time.monotonic() - self._started
            start = "\r\033[K" if self._is_terminal else ""
            self.say(f"{start}{self._title}: {outcome} {elapsed:.1f} s")

    def tick(self, log: Path) -> None:
        """Refreshes the living line with the last line of a log."""
        if self._is_terminal:
            self._live(_last_line(log))

    def _live(self, detail: str) -> None:
        elapsed = time.monotonic() - self._started
        text = f"{self._title} {elapsed:.0f} s  {detail}"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\033[K{text[:width]}", end="", file=self._stream, flush=True)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log that hold text."""
    if not log.is_file():
        return ""
    text = log.read_text(errors="replace").replace("\r", "\n")
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def _last_line(log: Path) -> str:
    """The last line of a log, read from its end."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 1000))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    full = [line.strip() for line in lines[:-1] if line.strip()]
    return full[-1] if full else ""
