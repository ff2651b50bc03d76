"""The figures of a checkpoint at recorded moments, and what is wanted of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Statistic = Literal["share", "median", "p90"]  # Of the values of all homes together.
Unit = Literal["", "px", "cm"]

PICTURE_WIDTH = 112.0  # Errors in pictures are told in pixels of a picture of this width.
WITHIN = 3.0  # A point within this distance of the middle of the box counts [px].
# A thing is near when its box has a longer diagonal than this share of the picture's width.
NEAR_DIAGONAL = 0.10
HAND_TIME_S = 0.5  # After the observation: row 25 of a chunk at 50 Hz.


@dataclass(frozen=True)
class Gate:
    """One figure."""

    name: str  # Key in gates.json.
    title: str
    statistic: Statistic
    unit: Unit = ""
    at_least: float | None = None  # Wanted; None with `at_most` None: for information.
    at_most: float | None = None

    @property
    def wanted(self) -> float | None:
        """The limit; None: the figure is for information."""
        return self.at_most if self.at_least is None else self.at_least

    def reached(self, value: float | None) -> bool | None:
        """Check a value against the limit; None: it was not measured, or nothing is wanted."""
        if value is None or self.wanted is None:
            return None
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.wanted


GATES = (
    Gate("dish_near", "named dish within 3 px, near, front", "share", at_least=0.90),
    Gate("dish_near_pick", "of these, to be picked up", "share"),
    Gate("dish_far", "named dish within 3 px, far, front", "share", at_least=0.70),
    Gate("dish_px", "distance to the named dish, front, median", "median", "px"),
    Gate("dish_wrist", "named dish within 3 px, wrist cameras", "share"),
    Gate("hand_cm", "hand after 0.5 s, median", "median", "cm", at_most=4.3),
    Gate("hand_cm_p90", "hand after 0.5 s, 90 % are closer", "p90", "cm"),
    Gate("hand_base_cm", "the same without the base's motion, median", "median", "cm"),
    Gate("hand_moves_cm", "recorded motion of that hand, median", "median", "cm"),
    Gate("gripper", "gripper on the right side of half open", "share", at_least=0.98),
    Gate("subtask", "subtask as recorded", "share", at_least=0.90),
    Gate("done_said", "done said when the task is done", "share", at_least=0.95),
    Gate("done_not_early", "done not said before", "share", at_least=0.95),
)
