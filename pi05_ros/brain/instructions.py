"""Validation and cleaning of task and subtask text, from operators and from models."""

from __future__ import annotations

import enum
import unicodedata

MAX_LENGTH = 256  # Characters of a task or a subtask.
_MAX_READ = 16 * MAX_LENGTH  # Characters of a model's answer that are read at most.


class InstructCode(enum.IntEnum):
    """Result of an instruction. Values are those of pi05_msgs/Instruct."""

    NONE = 0
    INACTIVE = 110
    INVALID_TEXT = 111
    FAILED = 112


def clean(text: str) -> str:
    """Return `text` as one printable line of at most MAX_LENGTH characters; the rest is cut.

    Control characters and line breaks become spaces, and runs of spaces become one space.
    """
    return _one_line(text)[:MAX_LENGTH].rstrip()


def text_problem(text: str) -> str:
    """Reason why `text` cannot be published unchanged, as one clause; empty if it can."""
    if len(text) > MAX_LENGTH:
        return f"it has {len(text)} characters, at most {MAX_LENGTH} are allowed"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text):
        return "it must be one line without control characters"
    # Bytes of a command line that are no UTF-8: no message can carry them.
    if any(unicodedata.category(c) == "Cs" for c in text):
        return "it must be UTF-8"
    return ""


def answer_problem(answer: str) -> str:
    """Reason why a brain's answer is no subtask even after cleaning; empty if it is one.

    An answer that is too long is refused rather than cut: the first part of a runaway generation
    is not a valid command.
    """
    if len(answer) > _MAX_READ:
        return f"it has {len(answer)} characters, at most {MAX_LENGTH} are allowed"
    line = _one_line(answer)
    if not line:
        return "it is empty" if not answer.strip() else "it is control characters only"
    if len(line) > MAX_LENGTH:
        return f"it has {len(line)} characters, at most {MAX_LENGTH} are allowed"
    if not any(c.isalpha() for c in line):
        return "there is no word in it"
    return ""


def comparison_key(text: str) -> str:
    """Return the form of `text` used for comparison: case and spacing are ignored."""
    return clean(text).casefold()


def _one_line(text: str) -> str:
    """Return the text on one printable line, without the length limit of `clean`."""
    text = text[:_MAX_READ]
    printable = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(printable.split())
