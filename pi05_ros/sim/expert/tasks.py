"""Tasks that the expert knows, by their texts, and their planners."""

from __future__ import annotations

import re

from pi05_ros.sim.expert.bed_planner import BedPlanner
from pi05_ros.sim.expert.drawer_planner import DrawerPlanner
from pi05_ros.sim.expert.language import (
    UnknownText,
    find_container,
    find_item,
    normal,
    place_text,
)
from pi05_ros.sim.expert.moves import Moves
from pi05_ros.sim.expert.planner import PutAwayPlanner, TaskPlanner
from pi05_ros.sim.expert.simple_planners import InTurnPlanner, PickUpPlanner
from pi05_ros.sim.homes.room import Bedroom, Container, Item, Lab, Room
from pi05_ros.sim.tasks.registry import BED, LAB_TASKS, SORT, TASKS

_PUT = re.compile(r"(?:put|place|drop) (?P<thing>.+?) (?:into|inside|in) (?P<place>.+)")
_PICK = re.compile(r"pick up (?P<thing>.+)")
# What all things that belong in a container are called, by the container's name.
_ALL = {
    "sink": re.compile(r"(?:all )?(?:of )?(?:the )?(?:dirty )?dishes"),
    "drawer_1": re.compile(r"(?:all )?(?:of )?(?:the )?(?:small )?(?:items|things)"),
    "basket": re.compile(r"(?:all )?(?:of )?(?:the )?(?:dirty )?(?:laundry|clothes)"),
    "tray": re.compile(r"(?:all )?(?:of )?(?:the )?blocks"),
}


def task_planner(moves: Moves, task: str) -> TaskPlanner:
    """Create the planner of a task.

    Args:
        moves: Moves in the room.
        task: Text of the task.

    Raises:
        UnknownText: The expert does not know the task in this room.
    """
    room = moves.workplace.room
    if isinstance(room, Bedroom) and normal(task) == BED.text:
        return BedPlanner(moves, room)
    if match := _PICK.fullmatch(normal(task)):
        return PickUpPlanner(moves, find_item(task, match["thing"], room))
    if isinstance(room, Lab) and normal(task) == SORT.text:
        return InTurnPlanner(
            [PutAwayPlanner(moves, belongings(c, room), c) for c in room.containers]
        )
    items, container = parse_put(task, room)
    if container.fixture:
        return DrawerPlanner(moves, items, container)
    return PutAwayPlanner(moves, items, container)


def parse_put(text: str, room: Room) -> tuple[tuple[Item, ...], Container]:
    """Parse a task to put things into a container.

    Returns:
        The items and the container.

    Raises:
        UnknownText: It is no such task, or what it names is not in this room.
    """
    match = _PUT.fullmatch(normal(text))
    if match is None:
        raise UnknownText(text, "it is no task that it knows", _task_texts(room))
    container = find_container(text, match["place"], room)
    everything = _ALL.get(container.name)
    if everything is not None and everything.fullmatch(match["thing"]):
        return belongings(container, room), container
    return (find_item(text, match["thing"], room),), container


def things_to_put(text: str, room: Room) -> tuple[Item, ...]:
    """Return the things that a task puts into a container; (): it is another task."""
    return parse_put(text, room)[0] if _PUT.fullmatch(normal(text)) else ()


def belongings(container: Container, room: Room) -> tuple[Item, ...]:
    """Return the items that belong in a container."""
    if isinstance(room, Bedroom) and container.name == "basket":
        return room.laundry
    return room.belonging_in(container.name)


def _task_texts(room: Room) -> tuple[str, ...]:
    whole = [task.text for task in (TASKS | LAB_TASKS).values() if room.kind.startswith(task.room)]
    single = [
        place_text(item, container.phrase)
        for container in room.containers
        for item in belongings(container, room)
    ]
    return (*whole, *single)
