"""The tasks that can be done and scored in mock homes, by their texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.room import Room
from pi05_ros.sim.tasks.dishes import DishesInSink, one_dish
from pi05_ros.sim.tasks.score import Rubric


@dataclass(frozen=True)
class Task:
    """A task of the evaluation."""

    name: str  # On the command line: "dishes".
    text: str  # What the robot is told.
    room: str  # Kind of the room that it is done in.
    seconds: float  # Longest time of an episode, simulated [s].
    rubric: Callable[[Room], Rubric]


DISHES = Task("dishes", "put the dishes in the sink", "kitchen", 180.0, DishesInSink)
TASKS: dict[str, Task] = {task.name: task for task in (DISHES,)}
# Kind of the room by the last word of a task about a single thing: "put the cup in the sink".
_ROOM_OF_PLACE = {"sink": "kitchen"}


def find_task(text: str) -> Task | None:
    """Return the task with a text or a name; None: it is none of TASKS."""
    return TASKS.get(text) or next((task for task in TASKS.values() if task.text == text), None)


def room_of(text: str) -> str:
    """Return the kind of the room in which a task is done, without drawing a room.

    Raises:
        Pi05Error: No rubric scores such a task.
    """
    task = find_task(text)
    if task is not None:
        return task.room
    place = text.rstrip(".").rpartition(" ")[2]
    if place in _ROOM_OF_PLACE:
        return _ROOM_OF_PLACE[place]
    raise _unknown(text, [task.text for task in TASKS.values()])


def scorer(text: str, room: Room) -> Rubric:
    """Create the rubric of a task, by its text: one of TASKS, or `one_dish` of a dish.

    Raises:
        Pi05Error: There is no rubric for the task in this room.
    """
    tasks = {task.text: task for task in TASKS.values() if room.kind.startswith(task.room)}
    if text in tasks:
        return tasks[text].rubric(room)
    single = {one_dish(dish): dish for dish in room.dishes}
    if text in single:
        return DishesInSink(room, (single[text],))
    raise _unknown(text, [*tasks, *single])


def _unknown(text: str, valid: list[str]) -> Pi05Error:
    return Pi05Error(
        f"no rubric scores the task '{text}'{did_you_mean(text, valid)} "
        f"(valid: {', '.join(valid)})"
    )
