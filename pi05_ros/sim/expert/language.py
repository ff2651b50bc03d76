"""The few sentences that the expert speaks and understands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.home import Item, Kitchen

Verb = Literal["pick", "place", "hold"]

_PICK = re.compile(r"(?:pick up|take|grab|grasp) (?P<thing>.+)")
_PLACE = re.compile(r"(?:put|place|drop) (?P<thing>.+?) (?:in|into|inside) the sink")
_HOLD = ("", "go home", "stop", "wait", "hold still", "done")
_ALL = re.compile(r"(?:all )?(?:of )?(?:the )?(?:dirty )?dishes")


class UnknownText(Pi05Error):
    """A task or subtask that the expert does not understand.

    Args:
        text: What was said.
        problem: Why it is not understood.
        valid: What could be said instead.
    """

    def __init__(self, text: str, problem: str, valid: tuple[str, ...]) -> None:
        self.text = text
        super().__init__(f"the expert cannot do '{text}': {problem} (valid: {'; '.join(valid)})")


@dataclass(frozen=True)
class Command:
    """A subtask, understood."""

    verb: Verb
    item: Item | None = None  # None for "hold".


def pick_text(item: Item) -> str:
    """The subtask that takes an item."""
    return f"pick up {item.phrase}"


def place_text(item: Item) -> str:
    """The subtask that puts an item into the sink."""
    return f"put {item.phrase} in the sink"


def parse_subtask(text: str, kitchen: Kitchen) -> Command:
    """What a subtask asks for.

    Raises:
        UnknownText: It is not a sentence of the expert, or names nothing in this kitchen.
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


def parse_task(text: str, kitchen: Kitchen) -> tuple[Item, ...]:
    """The items that a task wants in the sink.

    Raises:
        UnknownText: It is not a task of the expert, or names nothing in this kitchen.
    """
    match = _PLACE.fullmatch(_normal(text))
    if match is None:
        valid = ("put the dishes in the sink", *(place_text(item) for item in kitchen.dishes))
        raise UnknownText(text, "it is no task that it knows", valid)
    if _ALL.fullmatch(match["thing"]):
        return kitchen.dishes
    return (_find(text, match["thing"], kitchen),)


def _find(text: str, thing: str, kitchen: Kitchen) -> Item:
    """The graspable item that `thing` names: by its phrase, else by a label that only one has."""
    graspable = [item for item in kitchen.items if item.grasp is not None]
    wanted = thing.removeprefix("the ")
    for name in (lambda i: i.phrase.removeprefix("the "), lambda i: i.label):
        found = [item for item in graspable if name(item) == wanted]
        if len(found) == 1:
            return found[0]
    problem = f"'{thing}' could be any of {len(found)} things" if found else f"no '{thing}' here"
    raise UnknownText(text, problem, _sentences(kitchen))


def _sentences(kitchen: Kitchen) -> tuple[str, ...]:
    return tuple(f(item) for item in kitchen.dishes for f in (pick_text, place_text))


def _normal(text: str) -> str:
    """Lower case, single spaces, no full stop."""
    return " ".join(text.lower().split()).rstrip(".!")
