"""Texts of the expert: generation and parsing of its subtasks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.room import Bedroom, Container, Fixture, Item, Room

Verb = Literal["pick", "place", "lay", "open", "close", "straighten", "hold"]
Thing = Item | Fixture

_PICK = re.compile(r"(?:pick up|take|grab|grasp) (?P<thing>.+)")
_LAY = re.compile(r"(?:put|place|lay) (?P<thing>.+?) (?:at|on) the head of the bed")
_PLACE = re.compile(r"(?:put|place|drop) (?P<thing>.+?) (?:into|inside|in) (?P<place>.+)")
_MOVE = re.compile(r"(?P<verb>open|close|straighten) (?P<thing>.+)")
_HOLD = ("", "go home", "stop", "wait", "hold still", "done")


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
    item: Item | None = None  # What is picked up or put somewhere.
    container: Container | None = None  # Where it is put, for "place".
    fixture: Fixture | None = None  # What is opened, closed or straightened.

    @property
    def thing(self) -> Thing | None:
        """The item or fixture that the subtask is about; None for "hold"."""
        return self.item or self.fixture


def pick_text(item: Item) -> str:
    """Return the subtask text to pick up an item."""
    return f"pick up {item.phrase}"


def place_text(item: Item, place: str = "the sink") -> str:
    """Return the subtask text to put an item into a container, given by its phrase."""
    return f"put {item.phrase} in {place}"


def lay_text(item: Item) -> str:
    """Return the subtask text to put a pillow at the head of the bed."""
    return f"put {item.phrase} at the head of the bed"


def move_text(verb: Literal["open", "close", "straighten"], fixture: Fixture) -> str:
    """Return the subtask text to move a fixture."""
    return f"{verb} {fixture.phrase}"


def parse_subtask(text: str, room: Room) -> Command:
    """Parse a subtask.

    Raises:
        UnknownText: The text is not supported, or what it names is not in this room.
    """
    words = normal(text)
    if words in _HOLD:
        return Command("hold")
    if match := _PICK.fullmatch(words):
        return Command("pick", find_item(text, match["thing"], room))
    if (match := _LAY.fullmatch(words)) and isinstance(room, Bedroom):
        return Command("lay", find_item(text, match["thing"], room))
    if (match := _PLACE.fullmatch(words)) and room.containers:
        container = find_container(text, match["place"], room)
        return Command("place", find_item(text, match["thing"], room), container)
    if (match := _MOVE.fullmatch(words)) and room.fixtures:
        return _move(text, match["verb"], match["thing"], room)
    raise UnknownText(text, "it is no sentence that it knows", sentences(room))


def _move(text: str, verb: str, thing: str, room: Room) -> Command:
    for fixture in room.fixtures:
        if bare(fixture.phrase) == bare(thing):
            for known in verbs_of(fixture):
                if known == verb:
                    return Command(known, fixture=fixture)
            raise UnknownText(text, f"nothing can {verb} {fixture.phrase}", sentences(room))
    raise UnknownText(text, f"no '{thing}' here that moves", sentences(room))


def verbs_of(fixture: Fixture) -> tuple[Literal["open", "close", "straighten"], ...]:
    """Return what can be done to a fixture: loose pieces are straightened, others are opened."""
    return ("straighten",) if fixture.turns_with_hand else ("open", "close")


def find_container(text: str, place: str, room: Room) -> Container:
    """Find the container that `place` names, by its phrase.

    Raises:
        UnknownText: There is none in this room.
    """
    for container in room.containers:
        if bare(container.phrase) == bare(place):
            return container
    raise UnknownText(text, f"no '{place}' here to put things in", sentences(room))


def find_item(text: str, thing: str, room: Room) -> Item:
    """Find the graspable item that `thing` names, by its phrase or by a unique label.

    Raises:
        UnknownText: There is none in this room, or more than one.
    """
    graspable = [item for item in room.items if item.grasp is not None]
    for name in (lambda i: bare(i.phrase), lambda i: i.label):
        found = [item for item in graspable if name(item) == bare(thing)]
        if len(found) == 1:
            return found[0]
    problem = f"'{thing}' could be any of {len(found)} things" if found else f"no '{thing}' here"
    raise UnknownText(text, problem, sentences(room))


def sentences(room: Room) -> tuple[str, ...]:
    """Return the subtasks that the expert knows in a room."""
    found: list[str] = []
    for item in room.items:
        if item.grasp is None:
            continue
        found.append(pick_text(item))
        found += [place_text(item, container.phrase) for container in room.containers]
        if isinstance(room, Bedroom):
            found.append(lay_text(item))
    for fixture in room.fixtures:
        found += [move_text(verb, fixture) for verb in verbs_of(fixture)]
    return tuple(found)


def normal(text: str) -> str:
    """Normalise to lower case and single spaces, without a final full stop."""
    return " ".join(text.lower().split()).rstrip(".!")


def bare(phrase: str) -> str:
    """Return a noun phrase without its article."""
    return phrase.removeprefix("the ")
