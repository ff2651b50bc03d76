"""The tasks that can be done and scored in mock homes, by their texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.lab_objects import KINDS as LAB_KINDS
from pi05_ros.sim.homes.room import Bedroom, Item, Lab, Room
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.bed import MadeBed
from pi05_ros.sim.tasks.dishes import DishesInSink, one_dish
from pi05_ros.sim.tasks.drawer import DRAWER, ItemsInDrawer, one_item
from pi05_ros.sim.tasks.lab import (
    BIN,
    TRAY,
    PickedUp,
    PutAway,
    blocks_in_tray,
    pick_up,
    put_thing,
    sorted_table,
)
from pi05_ros.sim.tasks.language import LanguageFollowing, language_text
from pi05_ros.sim.tasks.laundry import LaundryInBasket, one_garment
from pi05_ros.sim.tasks.score import Rubric


@dataclass(frozen=True)
class Task:
    """A task of the evaluation."""

    name: str  # On the command line: "dishes".
    text: str  # What the robot is told.
    room: str  # Kind of the room that it is done in.
    seconds: float  # Longest time of an episode, simulated [s].
    rubric: Callable[[Room], Rubric]
    # Text in a room that draws it; None: it is `text`, which otherwise stands for all of them.
    draw_text: Callable[[Room], str] | None = None

    def is_done_in(self, room: Room) -> bool:
        """Check whether the task fits a room: of its kind, or of that kind with unseen things."""
        return room.kind in (self.room, f"{self.room}_unseen")

    def text_in(self, room: Room) -> str:
        """Return what the robot is told in a room."""
        return self.text if self.draw_text is None else self.draw_text(room)


DISHES = Task("dishes", "put the dishes in the sink", "kitchen", 180.0, DishesInSink)
ITEMS = Task("drawer", "put the items in the drawer", "kitchen", 180.0, ItemsInDrawer)
LAUNDRY = Task("laundry", "put the laundry in the basket", "bedroom", 120.0, LaundryInBasket)
BED = Task("bed", "make the bed", "bedroom", 120.0, MadeBed)
TASKS: dict[str, Task] = {task.name: task for task in (DISHES, ITEMS, LAUNDRY, BED)}
# Language following, with things of the kinds that training homes have, and of held-out kinds.
LANGUAGE = Task(
    "language",
    "put the named thing in the sink",
    "kitchen_language",
    60.0,
    LanguageFollowing,
    language_text,
)
LANGUAGE_UNSEEN = Task(
    "language_unseen",
    "put the named unseen thing in the sink",
    "kitchen_language_unseen",
    60.0,
    LanguageFollowing,
    language_text,
)
# Tests beside the tasks that a robot is judged by as a whole.
TESTS: dict[str, Task] = {task.name: task for task in (LANGUAGE, LANGUAGE_UNSEEN)}
# Tasks of other robots, in laboratories: data for training, and no part of the evaluation.
BLOCKS = Task("blocks", "put the blocks in the tray", "lab", 120.0, blocks_in_tray)
SORT = Task(
    "sort", "put the blocks in the tray and the rest in the bin", "lab", 180.0, sorted_table
)
LAB_TASKS: dict[str, Task] = {task.name: task for task in (BLOCKS, SORT)}
_KNOWN = TASKS | TESTS | LAB_TASKS
# Kind of the room by the last word of a task about a single thing: "put the cup in the sink".
_ROOM_OF_PLACE = {
    "sink": "kitchen",
    "drawer": "kitchen",
    "basket": "bedroom",
    "tray": "lab",
    "bin": "lab",
}


def find_task(text: str) -> Task | None:
    """Return the task with a text or a name; None: it is none of TASKS, TESTS and LAB_TASKS."""
    return _KNOWN.get(text) or next((t for t in _KNOWN.values() if t.text == text), None)


def text_in(text: str, room: Room) -> str:
    """Return what the robot is told in a room: the text of a task by its name, or `text`."""
    task = find_task(text)
    return text if task is None else task.text_in(room)


def text_in_home(text: str, home: int) -> str:
    """Return what the robot is told in the home of a seed, in the room that the task needs."""
    task = find_task(text)
    if task is None or task.draw_text is None:
        return text if task is None else task.text
    return task.text_in(draw_room(task.room, home))


def room_of(text: str) -> str:
    """Return the kind of the room in which a task is done, without drawing a room.

    Raises:
        Pi05Error: No rubric scores such a task.
    """
    task = find_task(text)
    if task is not None:
        return task.room
    last = text.rstrip(".").rpartition(" ")[2]
    if text.startswith("pick up "):
        return "lab" if last in LAB_KINDS else "kitchen"
    if last in _ROOM_OF_PLACE:
        return _ROOM_OF_PLACE[last]
    raise _unknown(text, [*_KNOWN, *(task.text for task in _KNOWN.values())])


def scorer(text: str, room: Room) -> Rubric:
    """Create the rubric of a task, by its text.

    In a room of the language following test, one dish is scored as that test does.

    Args:
        text: That of one of TASKS, TESTS and LAB_TASKS, `one_dish`, `one_item`, `one_garment`,
            `put_thing` or `pick_up` of an item.
        room: The room that it is done in.

    Raises:
        Pi05Error: There is no rubric for the task in this room.
    """
    tasks = {task.text: task for task in _KNOWN.values() if task.is_done_in(room)}
    if text in tasks:
        return tasks[text].rubric(room)
    single = _about_one_thing(room)
    graspable = [item for item in room.items if item.grasp is not None]
    single |= {pick_up(item): partial(PickedUp, item) for item in graspable}
    if text in single:
        return single[text]()
    raise _unknown(text, [*tasks, *single])


def tasks_about_one_thing(room: Room) -> tuple[str, ...]:
    """Return the tasks of a room that are about one thing: "put the cup in the sink"."""
    return tuple(_about_one_thing(room))


def _about_one_thing(room: Room) -> dict[str, Callable[[], Rubric]]:
    one = LanguageFollowing if room.kind.startswith(LANGUAGE.room) else _one_dish_in_sink
    single: dict[str, Callable[[], Rubric]] = {
        one_dish(dish): partial(one, room, dish) for dish in room.dishes
    }
    single |= {
        one_item(item): partial(ItemsInDrawer, room, (item,)) for item in room.belonging_in(DRAWER)
    }
    if isinstance(room, Bedroom):
        single |= {
            one_garment(item): partial(LaundryInBasket, room, (item,)) for item in room.laundry
        }
    if isinstance(room, Lab):
        single |= {
            put_thing(item, name): partial(PutAway, room, ((item, name),))
            for item in room.items
            for name in (TRAY, BIN)
        }
    return single


def _one_dish_in_sink(room: Room, dish: Item) -> Rubric:
    return DishesInSink(room, (dish,))


def _unknown(text: str, valid: list[str]) -> Pi05Error:
    return Pi05Error(
        f"no rubric scores the task '{text}'{did_you_mean(text, valid)} "
        f"(valid: {', '.join(valid)})"
    )
