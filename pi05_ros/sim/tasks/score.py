"""Scores and rubrics of tasks in a mock home.

A rubric is fed with the ground truth (poses in odom [m]), the held items and the simulated time
[s], and returns a Score in points. It depends on no simulator: recorded scenes can be scored too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pi05_ros.brain.observation import SceneState

LIFT = 0.03  # Height above its support at which a held item counts as picked up [m].
STILL = 0.05  # Speed below which an item counts as resting [m/s].


@dataclass(frozen=True)
class Score:
    """Points of a task, in total and by criterion. The three tuples have equal lengths."""

    points: float
    max_points: float
    criteria: tuple[str, ...]  # Descriptions ("pick up the plate").
    criterion_points: tuple[float, ...]  # Points reached.
    criterion_max: tuple[float, ...]  # Points that can be reached.


class Rubric(Protocol):
    """Rule that gives points for a task."""

    def update(self, scene: SceneState, held: Iterable[str], time: float) -> Score:
        """Update with the state at `time` and return the score.

        Args:
            scene: Poses of all items and moving furniture in odom.
            held: Names of the items and fixtures held by a gripper.
            time: Simulated time [s]; must not decrease between calls.
        """

    def score(self) -> Score:
        """Return the score at the last update."""
