"""Rubric of the task to put dishes into the sink."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pi05_ros.brain.observation import SceneState
from pi05_ros.sim.homes.room import Item, Room
from pi05_ros.sim.tasks.resting import ItemWatch
from pi05_ros.sim.tasks.score import Score


class DishesInSink:
    """Rubric of "put the dishes in the sink": for each dish a point for picking and for placing.

    Picking is latched: the point is kept once the dish was held 3 cm above its support. Placing is
    not: it counts only while the dish rests inside the basin and is not held, so a dish that is
    taken out again loses its point.

    Args:
        kitchen: A room with a sink.
        dishes: Those that count; None: all dishes.
    """

    def __init__(self, kitchen: Room, dishes: Sequence[Item] | None = None) -> None:
        self._sink = kitchen.container("sink")
        self._dishes = kitchen.dishes if dishes is None else tuple(dishes)
        self._watch = ItemWatch(self._dishes)
        self._placed = {item.name: False for item in self._dishes}

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """Update with the state at `time` and return the score.

        Args:
            scene: Poses of all dishes in odom.
            held: Names of the items held by a gripper.
            time: Simulated time [s]; must not decrease between calls.
        """
        self._watch.update(scene, held, time)
        for dish in self._dishes:
            inside = self._sink.contains(scene.objects[dish.name].position)
            self._placed[dish.name] = inside and self._watch.rests(dish.name)
        return self.score()

    def score(self) -> Score:
        """Return the score at the last update."""
        criteria, points = [], []
        for dish in self._dishes:
            criteria += [f"pick up {dish.phrase}", f"place {dish.phrase} in the sink"]
            points += [float(self._watch.was_picked(dish.name)), float(self._placed[dish.name])]
        return Score(
            sum(points), float(len(points)), tuple(criteria), tuple(points), (1.0,) * len(points)
        )


def one_dish(dish: Item) -> str:
    """Return the task to put one dish into the sink."""
    return f"put {dish.phrase} in the sink"
