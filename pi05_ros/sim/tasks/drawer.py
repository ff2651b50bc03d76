"""Rubric of the task to put things into a drawer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pi05_ros.brain.observation import SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.room import Item, Room
from pi05_ros.sim.tasks.resting import ItemWatch
from pi05_ros.sim.tasks.score import Score

DRAWER = "drawer_1"  # Name of the container and of the fixture that it moves with.
OPENED = 0.15  # Opening from which a drawer counts as opened [m].
CLOSED = 0.02  # Opening below which it counts as closed [m].


class ItemsInDrawer:
    """Rubric of "put the items in the drawer": four points.

    * The item was picked up: held 3 cm above its support. Latched: the point is kept.
    * The drawer was opened by 15 cm. Latched.
    * The item is placed: it rests in the drawer and is not held. Lost when it is taken out again.
    * The drawer is closed to less than 2 cm, after it was opened, with the item placed in it. Lost
      when it is opened again.

    With several items a point for items is given in equal shares, and the drawer counts as closed
    with them when all are placed.

    Args:
        room: A room with a drawer.
        items: Those that count; None: all that belong in the drawer.

    Raises:
        Pi05Error: The room has no drawer, or nothing that belongs in it.
    """

    def __init__(self, room: Room, items: Sequence[Item] | None = None) -> None:
        self._room = room
        self._fixture = room.fixture(room.container(DRAWER).fixture)
        self._items = room.belonging_in(DRAWER) if items is None else tuple(items)
        if not self._items:
            raise Pi05Error(
                f"drawer: nothing in the {room.kind} of home {room.seed} belongs in it"
            )
        self._watch = ItemWatch(self._items)
        self._placed = {item.name: False for item in self._items}
        self._opened, self._closed = False, False

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """Update with the state at `time` and return the score.

        Args:
            scene: Poses of the items and of the drawer in odom.
            held: Names of the items and fixtures held by a gripper.
            time: Simulated time [s]; must not decrease between calls.
        """
        box = self._room.container(DRAWER, scene.objects)
        opening = self._fixture.opening(scene.objects[self._fixture.name])
        self._opened |= opening >= OPENED
        # What rides along in a drawer rests in it.
        self._watch.update(scene, held, time, box.pose)
        for item in self._items:
            inside = box.contains(scene.objects[item.name].position)
            self._placed[item.name] = inside and self._watch.rests(item.name)
        self._closed = self._opened and opening < CLOSED and all(self._placed.values())
        return self.score()

    def score(self) -> Score:
        """Return the score at the last update."""
        share = 1.0 / len(self._items)
        criteria, points, most = [], [], []
        for item in self._items:
            criteria.append(f"pick up {item.phrase}")
            points.append(share * self._watch.was_picked(item.name))
            most.append(share)
        criteria.append("open the drawer")
        points.append(float(self._opened))
        most.append(1.0)
        for item in self._items:
            criteria.append(f"place {item.phrase} in the drawer")
            points.append(share * self._placed[item.name])
            most.append(share)
        criteria.append("close the drawer")
        points.append(float(self._closed))
        most.append(1.0)
        return Score(sum(points), sum(most), tuple(criteria), tuple(points), tuple(most))


def one_item(item: Item) -> str:
    """Return the task to put one item into the drawer."""
    return f"put {item.phrase} in the drawer"
