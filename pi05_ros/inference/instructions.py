"""Text that people or models say, made safe to publish and to show."""

from __future__ import annotations

import unicodedata

MAX_LENGTH = 256  # Characters of a task or a subtask.


def clean(text: str) -> str:
    """One printable line: control characters and line breaks become spaces, runs of spaces one.

    Longer text than MAX_LENGTH is cut.
    """
    printable = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(printable.split())[:MAX_LENGTH].rstrip()


def problem(text: str) -> str:
    """Why `text` cannot be used as it is, as one clause; empty when it can."""
    if len(text) > MAX_LENGTH:
        return f"it has {len(text)} characters, at most {MAX_LENGTH} are allowed"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text):
        return "it must be one line without control characters"
    return ""
