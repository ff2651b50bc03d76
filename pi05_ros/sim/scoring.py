"""Points for tasks in a mock home, by the rubrics of the π0.5 paper's evaluation. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.observation import SceneState
from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.home import Kitchen

LIFT = 0.03  # How far above where it was taken an item counts as picked up [m].
_STILL = 0.05  # Slower than this an item counts as resting [m/s].


@dataclass(frozen=True)
class Score:
    """How far a task has come. The three tuples are equally long."""

    points: float
    max_points: float
    criteria: tuple[str, ...]  # What gives points, in words ("pick up the plate").
    criterion_points: tuple[float, ...]
    criterion_max: tuple[float, ...]


class DishesInSink:
    """Four dishes: one point for picking each up, one for each that lies in the sink.

    Picking is latched: once held and lifted 3 cm above where it was taken, the point stays.
    Placing is live: it counts only while the dish rests inside the basin and nobody holds it, so
    that a dish taken out again loses its point and the last score tells what stayed.
    """

    def __init__(self, kitchen: Kitchen) -> None:
        self._sink = kitchen.sink
        self._dishes = kitchen.dishes
        self._support = {item.name: item.position[2] for item in self._dishes}
        self._picked = {item.name: False for item in self._dishes}
        self._placed = {item.name: False for item in self._dishes}
        self._last: dict[str, np.ndarray] = {}
        self._last_time: float | None = None

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """Takes in the state at `time` [s] and returns the score.

        Args:
            scene: Positions of all dishes in odom.
            held: Names of the items that a gripper holds.
            time: Simulated time; calls come in order.
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
        """The score as of the last update."""
        criteria, points = [], []
        for dish in self._dishes:
            criteria += [f"pick up {dish.phrase}", f"place {dish.phrase} in the sink"]
            points += [float(self._picked[dish.name]), float(self._placed[dish.name])]
        return Score(
            sum(points), float(len(points)), tuple(criteria), tuple(points), (1.0,) * len(points)
        )


TASKS: dict[str, Callable[[Kitchen], DishesInSink]] = {"put the dishes in the sink": DishesInSink}


def scorer(task: str, kitchen: Kitchen) -> DishesInSink:
    """The rubric of a task, by its text.

    Raises:
        Pi05Error: No rubric scores such a task.
    """
    if task not in TASKS:
        raise Pi05Error(
            f"no rubric scores the task '{task}'{did_you_mean(task, TASKS)} "
            f"(valid: {', '.join(TASKS)})"
        )
    return TASKS[task](kitchen)
