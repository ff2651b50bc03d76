"""Text that people or models say, made safe to publish and to show."""

from __future__ import annotations

import enum
import unicodedata

MAX_LENGTH = 256  # Characters of a task or a subtask.
_MAX_READ = 16 * MAX_LENGTH  # More of a model's answer is not even looked at.


class InstructCode(enum.IntEnum):
    """What became of an instruction. Values are those of pi05_msgs/Instruct."""

    NONE = 0
    INACTIVE = 110
    INVALID_TEXT = 111
    FAILED = 112


def clean(text: str) -> str:
    """One printable line: control characters and line breaks become spaces, runs of spaces one.

    Longer text than MAX_LENGTH is cut.
    """
    return _one_line(text)[:MAX_LENGTH].rstrip()


def text_problem(text: str) -> str:
    """Why `text` cannot be used as it is, as one clause; empty when it can."""
    if len(text) > MAX_LENGTH:
        return f"it has {len(text)} characters, at most {MAX_LENGTH} are allowed"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text):
        return "it must be one line without control characters"
    # Bytes of a command line that are no UTF-8: no message can carry them.
    if any(unicodedata.category(c) == "Cs" for c in text):
        return "it must be UTF-8"
    return ""


def answer_problem(answer: str) -> str:
    """Why a brain's answer is no subtask even when it is cleaned, as one clause; empty: it is one.

    An answer that is too long is not cut and believed: half a sentence of a model that has lost
    its thread is no order to a robot.
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
    """`text` as it is compared with another: case and spaces make no difference."""
    return clean(text).casefold()


def _one_line(text: str) -> str:
    """All of it on one printable line; see `clean`."""
    text = text[:_MAX_READ]
    printable = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(printable.split())
