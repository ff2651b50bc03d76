"""Texts of the expert: generation and parsing of its subtasks and tasks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.room import Item, Room

Verb = Literal["pick", "place", "hold"]

_PICK = re.compile(r"(?:pick up|take|grab|grasp) (?P<thing>.+)")
_PLACE = re.compile(r"(?:put|place|drop) (?P<thing>.+?) (?:in|into|inside) the sink")
_HOLD = ("", "go home", "stop", "wait", "hold still", "done")
_ALL = re.compile(r"(?:all )?(?:of )?(?:the )?(?:dirty )?dishes")


class UnknownText(Pi05Error):
    """The expert does not support a task or subtask.

    Args:
        text: Text of the task or subtask.
        problem: Reason, as one clause.
        valid: Supported texts.
    """

    def __init__(self, text: str, problem: str, valid: tuple[str, ...]) -> None:
        self.text = text
        super().__init__(f"the expert cannot do '{text}': {problem} (valid: {'; '.join(valid)})")


@dataclass(frozen=True)
class Command:
    """A parsed subtask."""

    verb: Verb
    item: Item | None = None  # None for "hold".


def pick_text(item: Item) -> str:
    """Return the subtask text to pick up an item."""
    return f"pick up {item.phrase}"


def place_text(item: Item) -> str:
    """Return the subtask text to put an item into the sink."""
    return f"put {item.phrase} in the sink"


def parse_subtask(text: str, kitchen: Room) -> Command:
    """Parse a subtask.

    Raises:
        UnknownText: The text is not supported, or its item is not in this kitchen.
    """
    words = _normal(text)
    if words in _HOLD:
        return Command("hold")
    place, pick = _PLACE.fullmatch(words), _PICK.fullmatch(words)
    if place:
        return Command("place", _find(text, place["thing"], kitchen))
    if pick:
        return Command("pick", _find(text, pick["thing"], kitchen))
    raise UnknownText(text, "it is no sentence that it knows", _sentences(kitchen))


def parse_task(text: str, kitchen: Room) -> tuple[Item, ...]:
    """Parse a task and return the items to put into the sink.

    Raises:
        UnknownText: The text is not supported, or its item is not in this kitchen.
    """
    match = _PLACE.fullmatch(_normal(text))
    if match is None:
        valid = ("put the dishes in the sink", *(place_text(item) for item in kitchen.dishes))
        raise UnknownText(text, "it is no task that it knows", valid)
    if _ALL.fullmatch(match["thing"]):
        return kitchen.dishes
    return (_find(text, match["thing"], kitchen),)


def _find(text: str, thing: str, kitchen: Room) -> Item:
    """Find the graspable item that `thing` names, by its phrase or by a unique label."""
    graspable = [item for item in kitchen.items if item.grasp is not None]
    wanted = thing.removeprefix("the ")
    for name in (lambda i: i.phrase.removeprefix("the "), lambda i: i.label):
        found = [item for item in graspable if name(item) == wanted]
        if len(found) == 1:
            return found[0]
    problem = f"'{thing}' could be any of {len(found)} things" if found else f"no '{thing}' here"
    raise UnknownText(text, problem, _sentences(kitchen))


def _sentences(kitchen: Room) -> tuple[str, ...]:
    return tuple(f(item) for item in kitchen.dishes for f in (pick_text, place_text))


def _normal(text: str) -> str:
    """Normalise to lower case and single spaces, without a final full stop."""
    return " ".join(text.lower().split()).rstrip(".!")
