"""Scores of tasks in a mock home, by the rubrics of the π0.5 paper's evaluation.

A rubric is fed with the ground truth (poses in odom [m]), the held items and the simulated time
[s], and returns a Score in points. It depends on no simulator: recorded scenes can be scored too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.observation import SceneState
from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.home import Item, Kitchen

LIFT = 0.03  # Height above its support at which a held item counts as picked up [m].
_STILL = 0.05  # Speed below which an item counts as resting [m/s].


@dataclass(frozen=True)
class Score:
    """Points of a task, in total and by criterion. The three tuples have equal lengths."""

    points: float
    max_points: float
    criteria: tuple[str, ...]  # Descriptions ("pick up the plate").
    criterion_points: tuple[float, ...]  # Points reached.
    criterion_max: tuple[float, ...]  # Points that can be reached.


class DishesInSink:
    """Rubric of "put the dishes in the sink": for each dish a point for picking and for placing.

    Picking is latched: the point is kept once the dish was held 3 cm above its support. Placing is
    not: it counts only while the dish rests inside the basin and is not held, so a dish that is
    taken out again loses its point.

    Args:
        kitchen: The kitchen.
        dishes: Those that count; None: all.
    """

    def __init__(self, kitchen: Kitchen, dishes: Sequence[Item] | None = None) -> None:
        self._sink = kitchen.sink
        self._dishes = kitchen.dishes if dishes is None else tuple(dishes)
        self._support = {item.name: item.position[2] for item in self._dishes}
        self._picked = {item.name: False for item in self._dishes}
        self._placed = {item.name: False for item in self._dishes}
        self._last: dict[str, np.ndarray] = {}
        self._last_time: float | None = None

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """Update with the state at `time` and return the score.

        Args:
            scene: Poses of all dishes in odom.
            held: Names of the items held by a gripper.
            time: Simulated time [s]; must not decrease between calls.
        """
        held = set(held)
        elapsed = None if self._last_time is None else time - self._last_time
        for dish in self._dishes:
            position = scene.objects[dish.name].position
            if dish.name in held:
                if position[2] - self._support[dish.name] >= LIFT:
                    self._picked[dish.name] = True
                self._placed[dish.name] = False
            else:
                self._support[dish.name] = float(position[2])
                if not self._sink.contains(position):
                    self._placed[dish.name] = False
                elif elapsed is not None and elapsed > 0:
                    speed = np.linalg.norm(position - self._last[dish.name]) / elapsed
                    self._placed[dish.name] = bool(speed < _STILL)
            self._last[dish.name] = np.array(position)
        self._last_time = time
        return self.score()

    def score(self) -> Score:
        """Return the score at the last update."""
        criteria, points = [], []
        for dish in self._dishes:
            criteria += [f"pick up {dish.phrase}", f"place {dish.phrase} in the sink"]
            points += [float(self._picked[dish.name]), float(self._placed[dish.name])]
        return Score(
            sum(points), float(len(points)), tuple(criteria), tuple(points), (1.0,) * len(points)
        )


ALL_DISHES = "put the dishes in the sink"
TASKS: dict[str, Callable[[Kitchen], DishesInSink]] = {ALL_DISHES: DishesInSink}


def one_dish(dish: Item) -> str:
    """Return the task to put one dish into the sink."""
    return f"put {dish.phrase} in the sink"


def scorer(task: str, kitchen: Kitchen) -> DishesInSink:
    """Create the rubric of a task, by its text: one of TASKS, or `one_dish` of a dish.

    Raises:
        Pi05Error: There is no rubric for the task in this kitchen.
    """
    if task in TASKS:
        return TASKS[task](kitchen)
    single = {one_dish(dish): dish for dish in kitchen.dishes}
    if task in single:
        return DishesInSink(kitchen, (single[task],))
    valid = [*TASKS, *single]
    raise Pi05Error(
        f"no rubric scores the task '{task}'{did_you_mean(task, valid)} "
        f"(valid: {', '.join(valid)})"
    )
