"""A planner that looks at nothing: a fixed list of what tasks of a kind may be about.

It stands for a high level that knows what such tasks need in general, but neither the room nor the
robot: a lower bound of what an external planner brings, without a network.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from pi05_ros.brain.observation import Observation
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.dishes import DISHES
from pi05_ros.sim.homes.garments import GARMENTS
from pi05_ros.sim.homes.small_items import SMALL_ITEMS
from pi05_ros.sim.tasks.registry import BED, ITEMS, LAUNDRY, find_task

ANSWERS = 8  # For which a subtask stands; about one a second.


class FixedList:
    """Names the subtasks of a task in a fixed order, each for `ANSWERS` answers, again and again.

    Tasks that are not known are about dishes and the sink.
    """

    image_size = None  # It reads no pictures.

    def __init__(self) -> None:
        self._subtasks: Iterator[str] | None = None

    def begin_task(self, task: str) -> None:
        """Begin the list of a task anew."""
        found = find_task(task)
        listed = _LISTS.get(found.name, _DISHES) if found is not None else _DISHES
        each = [text for text in listed for _ in range(ANSWERS)]
        self._subtasks = itertools.cycle(each)

    def __call__(self, observation: Observation, task: str) -> str:
        """Return the next subtask.

        Raises:
            Pi05Error: No task was begun.
        """
        if self._subtasks is None:
            raise Pi05Error("the list has no task yet: call begin_task first")
        return next(self._subtasks)


def _moves(labels: Sequence[str], place: str) -> tuple[str, ...]:
    names = [label.replace("_", " ") for label in labels]
    pairs = ((f"pick up the {name}", f"put the {name} in the {place}") for name in names)
    return tuple(itertools.chain.from_iterable(pairs))


_DISHES = _moves(tuple(DISHES), "sink")
_LISTS: Mapping[str, tuple[str, ...]] = {
    ITEMS.name: ("open the drawer", *_moves(tuple(SMALL_ITEMS), "drawer"), "close the drawer"),
    LAUNDRY.name: _moves(tuple(GARMENTS), "basket"),
    BED.name: (
        "straighten the blanket",
        "pick up the pillow",
        "put the pillow at the head of the bed",
    ),
}
