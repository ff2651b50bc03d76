"""Rubric of the task to put a garment from the floor into the basket."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from pi05_ros.brain.observation import SceneState
from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.geometry import rotate
from pi05_ros.sim.homes.room import Bedroom, Item, Room
from pi05_ros.sim.tasks.resting import ItemWatch
from pi05_ros.sim.tasks.score import Score

_ABOVE_FLOOR = 0.01  # Least height of a garment that is in the basket or on it [m].
_WALL = 0.02  # What a garment may exceed the inside by and still count as fully inside [m].


class LaundryInBasket:
    """Rubric of "put the laundry in the basket": three points for each garment.

    One for picking it up (held 3 cm above its support; latched), one while it rests in or on the
    basket (its middle is above the basket's outline, off the floor), one while it rests fully
    inside (all corners of its collision box are inside the basket, below the rim). The last two
    are lost when it is taken out again.

    Args:
        room: A bedroom.
        garments: Those that count; None: all that lie on the floor at the start.

    Raises:
        Pi05Error: It is no bedroom.
    """

    def __init__(self, room: Room, garments: Sequence[Item] | None = None) -> None:
        if not isinstance(room, Bedroom):
            raise Pi05Error(f"laundry: wanted a bedroom, found the {room.kind}")
        self._basket = room.container("basket")
        self._garments = room.laundry if garments is None else tuple(garments)
        self._watch = ItemWatch(self._garments)
        self._placed: dict[str, tuple[bool, bool]] = {}  # In or on, fully inside.

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """See `Rubric`."""
        self._watch.update(scene, held, time)
        for item in self._garments:
            self._placed[item.name] = (False, False)
            if self._watch.rests(item.name):
                pose = scene.objects[item.name]
                low, high = bounds_of_contacts(item)
                corners = np.array(list(itertools.product(*zip(low, high, strict=True))))
                corners = pose.position + rotate(pose.quaternion, corners)
                in_or_on = self._is_over(corners.mean(axis=0)) and (
                    corners[:, 2].min() > _ABOVE_FLOOR
                )
                inside = in_or_on and all(self._is_inside(corner) for corner in corners)
                self._placed[item.name] = (in_or_on, inside)
        return self.score()

    def score(self) -> Score:
        """See `Rubric`."""
        criteria, points = [], []
        for item in self._garments:
            criteria += [
                f"pick up {item.phrase}",
                f"put {item.phrase} in or on the basket",
                f"{item.phrase} fully inside the basket",
            ]
            in_or_on, inside = self._placed.get(item.name, (False, False))
            picked = self._watch.was_picked(item.name)
            points += [float(picked), float(in_or_on), float(inside)]
        return Score(
            sum(points), float(len(points)), tuple(criteria), tuple(points), (1.0,) * len(points)
        )

    def _is_over(self, point: np.ndarray) -> bool:
        x, y, _ = self._basket.pose.local(point)
        width, length, _ = self._basket.size
        return bool(abs(x) <= width / 2 + _WALL and abs(y) <= length / 2 + _WALL)

    def _is_inside(self, point: np.ndarray) -> bool:
        return self._is_over(point) and bool(point[2] <= self._basket.top)


def one_garment(garment: Item) -> str:
    """Return the task to put one garment into the basket."""
    return f"put {garment.phrase} in the basket"


def bounds_of_contacts(item: Item) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper corner (3,) of an item's collision boxes in its frame [m]."""
    lows, highs = zip(*(p.bounds() for p in item.design.parts if p.collides), strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)
