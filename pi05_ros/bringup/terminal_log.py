"""Log of many processes in one terminal, each with its name and colour."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TextIO

# ANSI colours that read well on dark and on light: no black, no white, no red (errors are red).
_COLOURS = ("36", "32", "33", "35", "34", "96", "92", "93", "95", "94")
_RESET = "\x1b[0m"
_DIM = "\x1b[2m"


class TerminalLog:
    """Writes lines with the name of their process as a prefix.

    Args:
        names: Names of the processes; the widest sets the width of the prefix.
        stream: Stream to write to. Colours are used on a terminal only.
        environ: NO_COLOR (no-color.org) turns colours off there too.
    """

    def __init__(self, names: Sequence[str], stream: TextIO, environ: Mapping[str, str]) -> None:
        self.colour = stream.isatty() and not environ.get("NO_COLOR")
        self._stream: TextIO | None = stream
        self._width = max(map(len, names), default=0)
        self._colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}

    def line(self, name: str, text: str) -> None:
        """Write a line that a process has printed."""
        self._write(name, f"{text}{_RESET}" if self.colour else text)

    def event(self, name: str, text: str) -> None:
        """Write a line about a process: a death, a restart."""
        self._write(name, f"{_DIM}-- {text}{_RESET}" if self.colour else f"-- {text}")

    def _write(self, name: str, text: str) -> None:
        if self._stream is None:
            return
        prefix = f"{name:<{self._width}} | "
        if self.colour:
            prefix = f"\x1b[{self._colours[name]}m{prefix}{_RESET}"
        try:
            self._stream.write(f"{prefix}{text}\n")
            self._stream.flush()
        except OSError:
            # The reader is gone (`| head`, a closed terminal). The robot goes on.
            _discard(self._stream)
            self._stream = None


def _discard(stream: TextIO) -> None:
    """Redirect a stream to the null device.

    Python flushes it at exit, and would end with status 120 if that failed.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
