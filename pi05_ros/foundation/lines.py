"""Bytes from a pipe into lines of text."""

from __future__ import annotations

import re

# A lone CR is a progress bar's. One at the very end may be the first half of CRLF: it waits.
_ENDS = re.compile(rb"\r\n|\n|\r(?!$)")


class LineSplitter:
    """Collects bytes until a line is whole.

    A process may write half a line, a progress bar that returns without a new line, bytes that
    are no UTF-8, or megabytes without an end: each comes out as lines of bounded length.

    Args:
        max_bytes: A longer line is cut into pieces of this length.
    """

    def __init__(self, max_bytes: int = 16384) -> None:
        self._max_bytes = max_bytes
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Takes more bytes and returns the lines that they complete."""
        *whole, self._rest = _ENDS.split(self._rest + data)
        while len(self._rest) > self._max_bytes:
            whole.append(self._rest[: self._max_bytes])
            self._rest = self._rest[self._max_bytes :]
        return [_text(line) for line in whole]

    def flush(self) -> list[str]:
        """Returns what stands there without an end, if anything."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest.strip() else []


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", errors="replace")
