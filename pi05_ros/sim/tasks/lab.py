"""Rubrics of tasks in a laboratory, and of picking one thing up in any room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pi05_ros.brain.observation import SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.room import Item, Lab, Room
from pi05_ros.sim.tasks.resting import ItemWatch
from pi05_ros.sim.tasks.score import Score

TRAY, BIN = "tray", "bin"


class PutAway:
    """Two points for each item: for picking it up, and for its place in a container.

    Picking is latched: the point is kept once the item was held 3 cm above its support. The other
    counts only while the item rests inside its container and is not held.

    Args:
        room: A room with the containers.
        goals: Each item with the name of the container that it is put into.
    """

    def __init__(self, room: Room, goals: Sequence[tuple[Item, str]]) -> None:
        self._goals = [(item, room.container(name)) for item, name in goals]
        self._watch = ItemWatch([item for item, _ in self._goals])
        self._placed = {item.name: False for item, _ in self._goals}

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """See `Rubric`."""
        self._watch.update(scene, held, time)
        for item, container in self._goals:
            inside = container.contains(scene.objects[item.name].position)
            self._placed[item.name] = inside and self._watch.rests(item.name)
        return self.score()

    def score(self) -> Score:
        """See `Rubric`."""
        criteria, points = [], []
        for item, container in self._goals:
            criteria += [f"pick up {item.phrase}", f"place {item.phrase} in {container.phrase}"]
            points += [float(self._watch.was_picked(item.name)), float(self._placed[item.name])]
        return Score(
            sum(points), float(len(points)), tuple(criteria), tuple(points), (1.0,) * len(points)
        )


class PickedUp:
    """Two points: for picking an item up (latched), and while a gripper holds it after that.

    Args:
        item: The item.
    """

    def __init__(self, item: Item) -> None:
        self._item = item
        self._watch = ItemWatch([item])
        self._held = False

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """See `Rubric`."""
        held = set(held)
        self._watch.update(scene, held, time)
        self._held = self._item.name in held and self._watch.was_picked(self._item.name)
        return self.score()

    def score(self) -> Score:
        """See `Rubric`."""
        points = (float(self._watch.was_picked(self._item.name)), float(self._held))
        phrase = self._item.phrase
        return Score(sum(points), 2.0, (f"pick up {phrase}", f"hold {phrase}"), points, (1.0, 1.0))


def blocks_in_tray(room: Room) -> PutAway:
    """Create the rubric of "put the blocks in the tray".

    Raises:
        Pi05Error: The room is no laboratory.
    """
    return PutAway(room, [(item, TRAY) for item in _lab(room).blocks])


def sorted_table(room: Room) -> PutAway:
    """Create the rubric of sorting: blocks into the tray, all else into the bin.

    Raises:
        Pi05Error: The room is no laboratory.
    """
    return PutAway(room, [(item, item.belongs_in) for item in _lab(room).items])


def put_thing(item: Item, container: str) -> str:
    """Return the task to put one thing into a container, given by its name."""
    return f"put {item.phrase} in the {container}"


def pick_up(item: Item) -> str:
    """Return the task to pick one thing up."""
    return f"pick up {item.phrase}"


def _lab(room: Room) -> Lab:
    if not isinstance(room, Lab):
        raise Pi05Error(f"wanted a laboratory, found the {room.kind}")
    return room
