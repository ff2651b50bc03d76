"""Texts of subtasks and of boxes that the high level's answer can carry.

An answer is boxes and a subtask in one text (`model/text/locations`): `<` begins a token, `;`
parts boxes, a line break ends them, and `front:` before a label is a camera. A label with one of
these would be read back as another one, so it is refused where it is written.
"""

from __future__ import annotations

import re

from pi05_ros.brain.instructions import text_problem

DONE = "done"  # The subtask that means that the task is finished.
_PREFIX = re.compile(r"[\w./-]+\s*:")


def label_problem(text: str) -> str:
    """Reason why a subtask or a box's label cannot be parsed back, as one clause; empty if it can.

    Args:
        text: The label, without spaces around it.
    """
    if not text.strip():
        return "it is empty"
    if problem := text_problem(text):
        return problem
    for character, meaning in (("<", "begins a token"), (";", "parts two boxes")):
        if character in text:
            return f"it has '{character}', which {meaning} in the model's answers"
    if "\ufffd" in text or not text.isprintable():
        return "it has characters that cannot be printed"
    if text != " ".join(text.split()):
        return "it has spaces around it or several in a row"
    if found := _PREFIX.match(text):
        return f"it begins with '{found[0]}', which names a camera in the model's answers"
    if text.casefold() == DONE:
        return f"'{DONE}' means that the task is finished"
    return ""
