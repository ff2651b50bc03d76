"""Rubric of the language following test: one of several things is named, and goes into the sink.

As in the π0.5 paper, it tells two rates apart: how often the right thing is chosen, and how often
it also gets where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pi05_ros.brain.observation import SceneState
from pi05_ros.sim.homes.room import Item, Room
from pi05_ros.sim.tasks.dishes import DishesInSink, one_dish
from pi05_ros.sim.tasks.score import LIFT, Score

_STREAM = 0x6E616D6564  # "named"


def named_thing(room: Room) -> Item:
    """Return the thing that the task of a room names, drawn by the home's seed."""
    random = np.random.Generator(np.random.PCG64([room.seed, _STREAM]))
    return room.dishes[int(random.integers(len(room.dishes)))]


def language_text(room: Room) -> str:
    """Return the text of the task: "put the cup in the sink"."""
    return one_dish(named_thing(room))


class LanguageFollowing:
    """Rubric of "put X in the sink" with X one of several things: two points.

    Choosing: the first thing that is picked up (held 3 cm above its support) is the named one.
    The first pick decides for good. Placing: the named thing rests inside the basin and is not
    held; refused as long as another thing is in the basin, and for good if another
    one was there before the named thing was.

    Args:
        room: A room with a sink and things for it.
        named: The thing that the task names; None: the one that the seed draws.
    """

    def __init__(self, room: Room, named: Item | None = None) -> None:
        self._named = named or named_thing(room)
        self._sink = room.container("sink")
        self._things = [item for item in room.items if item.grasp is not None]
        self._placing = DishesInSink(room, (self._named,))
        self._support = {item.name: item.position[2] for item in self._things}
        self._first = ""  # Name of the first thing that was picked up.
        self._was_placed = False
        self._spoiled = False  # Another thing was in the sink before the named one.
        self._another = False  # Another thing is in the sink now.

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """Update with the state at `time` and return the score.

        Args:
            scene: Poses of all things in odom.
            held: Names of the items held by a gripper.
            time: Simulated time [s]; must not decrease between calls.
        """
        held = set(held)
        for item in self._things:
            height = float(scene.objects[item.name].position[2])
            if item.name not in held:
                self._support[item.name] = height
            elif not self._first and height - self._support[item.name] >= LIFT:
                self._first = item.name
        self._another = any(
            item.name not in held and self._sink.contains(scene.objects[item.name].position)
            for item in self._things
            if item.name != self._named.name
        )
        placed = self._placing.update(scene, held, time).criterion_points[1] > 0
        if self._another and not self._was_placed:
            self._spoiled = True
        self._was_placed |= placed and not self._another
        return self.score()

    def score(self) -> Score:
        """Return the score at the last update."""
        criteria = (
            f"pick up {self._named.phrase} first",
            f"place {self._named.phrase} in the sink, alone",
        )
        placed = self._placing.score().criterion_points[1] > 0
        points = (
            float(self._first == self._named.name),
            float(placed and not self._another and not self._spoiled),
        )
        return Score(sum(points), 2.0, criteria, points, (1.0, 1.0))
