"""Split the bytes of a pipe into lines of text."""

from __future__ import annotations

import re

# A lone CR ends a line (progress bars). A CR at the end of the data may be the first half of CRLF,
# so it is kept until more data arrives.
_ENDS = re.compile(rb"\r\n|\n|\r(?!$)")


class LineSplitter:
    """Collects bytes and returns complete lines of bounded length.

    Handles partial writes, progress bars that end lines with CR, bytes that are not UTF-8
    (decoded with replacement characters) and output without line ends.

    Args:
        max_bytes: A longer line is cut into pieces of this length.
    """

    def __init__(self, max_bytes: int = 16384) -> None:
        self._max_bytes = max_bytes
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Append bytes and return the lines that they complete."""
        *whole, self._rest = _ENDS.split(self._rest + data)
        while len(self._rest) > self._max_bytes:
            whole.append(self._rest[: self._max_bytes])
            self._rest = self._rest[self._max_bytes :]
        return [_text(line) for line in whole]

    def flush(self) -> list[str]:
        """Return the unfinished line, if there is one, and clear it."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest.strip() else []


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", errors="replace")
