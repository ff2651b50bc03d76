"""The kinds of rooms of a mock home, by name, and their generators."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.bedroom import draw_bedroom, draw_unseen_bedroom
from pi05_ros.sim.homes.kitchen import draw_kitchen
from pi05_ros.sim.homes.kitchen_variants import (
    draw_kitchen_unseen,
    draw_language_kitchen,
    draw_unseen_language_kitchen,
)
from pi05_ros.sim.homes.lab import draw_lab
from pi05_ros.sim.homes.room import Room

ROOMS: Mapping[str, Callable[[int], Room]] = {
    "kitchen": draw_kitchen,
    "kitchen_unseen": draw_kitchen_unseen,
    "kitchen_language": draw_language_kitchen,
    "kitchen_language_unseen": draw_unseen_language_kitchen,
    "bedroom": draw_bedroom,
    "bedroom_unseen": draw_unseen_bedroom,
    "lab": draw_lab,
}
# Kinds of rooms whose things may be trained on; the others hold things that are held out.
TRAINING_ROOMS = ("kitchen", "bedroom")


def draw_room(kind: str, seed: int) -> Room:
    """Generate a room of the home with a seed.

    Args:
        kind: One of ROOMS.
        seed: An integer of 0 or more.

    Raises:
        Pi05Error: There is no such kind of room, or the seed is negative.
    """
    if kind not in ROOMS:
        raise Pi05Error(
            f"no home has a room '{kind}'{did_you_mean(kind, ROOMS)} (valid: {', '.join(ROOMS)})"
        )
    if seed < 0:
        raise Pi05Error(f"home {seed}: a home is a whole number from 0 up")
    return ROOMS[kind](seed)
