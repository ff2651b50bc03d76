"""The kinds of rooms of a mock home, by name, and their generators."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.kitchen import draw_kitchen
from pi05_ros.sim.homes.room import Room

ROOMS: Mapping[str, Callable[[int], Room]] = {"kitchen": draw_kitchen}


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
