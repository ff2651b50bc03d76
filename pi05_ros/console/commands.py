"""Messages of a page, with strict validation."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pi05_ros.brain import instructions
from pi05_ros.brain.label_text import label_problem
from pi05_ros.console.answers import BAD_REQUEST, Refused
from pi05_ros.console.drive import DriveFrame, parse_frame

MAX_MESSAGE = 4096  # Bytes of one message of a page.
MAX_NAME = 40  # Characters of an operator's name.
MAX_NOTES = 1000  # Characters.

OUTCOMES = ("success", "failure", "discard")


def _line(text: str) -> str:
    return instructions.text_problem(text)


def _task(text: str) -> str:
    return instructions.text_problem(text) or ("" if instructions.clean(text) else "it is empty")


def _subtask(text: str) -> str:
    return _task(text) or label_problem(instructions.clean(text))


def _name(text: str) -> str:
    return instructions.text_problem(text) or (
        f"at most {MAX_NAME} characters are allowed" if len(text) > MAX_NAME else ""
    )


def _notes(text: str) -> str:
    if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in text):
        return "control characters are not allowed"
    return f"at most {MAX_NOTES} characters are allowed" if len(text) > MAX_NOTES else ""


def _outcome(text: str) -> str:
    return "" if text in OUTCOMES else f"wanted one of {', '.join(OUTCOMES)}"


# Command -> argument -> function that returns the problem of its text, or "".
COMMANDS: dict[str, dict[str, Callable[[str], str]]] = {
    "execute_task": {"task": _task},
    "cancel_task": {},
    "resume_task": {},
    "instruct": {"text": _subtask},
    "hand_back": {},
    "start_episode": {"task": _line, "operator_name": _name, "home": _line, "notes": _notes},
    "stop_episode": {"outcome": _outcome, "notes": _notes},
    "arm": {},
    "disarm": {},
    "resume": {},
    "reset": {},
}


@dataclass(frozen=True)
class FromPage:
    """One message of a page."""

    kind: str  # hello, seen, command, take, release, stop, drive
    number: int = 0  # Number of the request, for its answer.
    seen: int = 0  # Number of the newest state that the page has shown.
    lease: int = 0  # Lease of a command, or of the holder to take over from.
    name: str = ""  # Name of the command or of the operator.
    arguments: Mapping[str, str] | None = None
    shown: int = 0  # Number of the newest message of any kind that the page has shown.
    frame: DriveFrame | None = None  # Of a message `drive`.


_KINDS = ("hello", "seen", "command", "take", "release", "stop", "drive")


def parse(text: str) -> FromPage:
    """Parse a message.

    Raises:
        Refused: BAD_REQUEST, it is not a valid message.
    """
    try:
        found = json.loads(text)
        # JSON can hold a lone surrogate ("\\ud800"), which no ROS message can.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(BAD_REQUEST, "not valid JSON, or not valid Unicode") from error
    if not isinstance(found, dict) or found.get("type") not in _KINDS:
        raise Refused(BAD_REQUEST, f"wanted an object whose type is one of {', '.join(_KINDS)}")
    kind = found["type"]
    name = found.get("name", "")
    arguments = found.get("arguments", {})
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Refused(BAD_REQUEST, "name must be text, and arguments an object")
    if kind == "command":
        _check_command(name, arguments)
    elif _name(name):
        raise Refused(BAD_REQUEST, f"name: {_name(name)}")
    return FromPage(
        kind,
        number=_count(found, "id"),
        seen=_count(found, "seen"),
        lease=_count(found, "lease"),
        name=name,
        arguments=arguments,
        shown=_count(found, "shown"),
        frame=parse_frame(found) if kind == "drive" else None,
    )


def number_of(text: str) -> int:
    """Return the number of a message that need not be valid, for its refusal; 0: it has none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return 0
    number = found.get("id") if isinstance(found, dict) else None
    return number if type(number) is int and 0 <= number < 2**53 else 0


def _check_command(name: str, arguments: Mapping[str, Any]) -> None:
    wanted = COMMANDS.get(name)
    if wanted is None:
        raise Refused(BAD_REQUEST, f"unknown command (valid: {', '.join(COMMANDS)})")
    if set(arguments) != set(wanted):
        raise Refused(BAD_REQUEST, f"{name} expects the arguments {', '.join(wanted) or 'none'}")
    for key, problem in wanted.items():
        value = arguments[key]
        found = problem(value) if isinstance(value, str) else "wanted text"
        if found:
            raise Refused(BAD_REQUEST, f"{key}: {found}")


def _count(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise Refused(BAD_REQUEST, f"{key}: wanted a whole number, 0 or more")
    return value
