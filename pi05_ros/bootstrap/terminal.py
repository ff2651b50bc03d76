"""Progress of the set-up on the terminal: one line a step, with its time; output goes to logs."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class Terminal:
    """Prints the steps: on a terminal one line that is redrawn, elsewhere a line at start and end.

    Args:
        stream: The stream to print to; standard error, so that the shell can evaluate the
            standard output of `./pi05 env`.
    """

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._started = 0.0  # Start of the current step, monotonic [s].
        self._title = ""

    def print_line(self, text: str) -> None:
        """Print a line."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def step(self, number: int, total: int, title: str) -> Iterator[None]:
        """Show a step while the body runs, then the time it took."""
        self._title = f"  [{number}/{total}] {title}"
        self._started = time.monotonic()
        if not self._is_terminal:
            self.print_line(f"{self._title} ...")
        else:
            self._redraw("")
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
            self.print_line(f"{start}{self._title}: {outcome} {elapsed:.1f} s")

    def refresh(self, log: Path) -> None:
        """Redraw the line of the current step, with the last line of a log behind it."""
        if self._is_terminal:
            self._redraw(_last_line(log))

    def _redraw(self, detail: str) -> None:
        elapsed = time.monotonic() - self._started
        text = f"{self._title} {elapsed:.0f} s  {detail}"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\033[K{text[:width]}", end="", file=self._stream, flush=True)


def tail(log: Path, lines: int = 15) -> str:
    """Return the last non-empty lines of a log."""
    if not log.is_file():
        return ""
    text = log.read_text(errors="replace").replace("\r", "\n")
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def _last_line(log: Path) -> str:
    """Return the last complete line of a log, read from its end."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 1000))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    full = [line.strip() for line in lines[:-1] if line.strip()]
    return full[-1] if full else ""
