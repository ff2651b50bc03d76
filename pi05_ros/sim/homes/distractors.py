"""Distractors: further items on the counters of a kitchen that no task is about."""

from __future__ import annotations

import dataclasses
from collections import Counter as Tally

from pi05_ros.sim.homes.clutter import CLUTTER
from pi05_ros.sim.homes.difficulty import DISTRACTORS, random_of
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.items import COLORS, draw
from pi05_ros.sim.homes.kitchen import DISH_GAP, SINK_GAP
from pi05_ros.sim.homes.placing import clears_section, is_clear, place_item
from pi05_ros.sim.homes.room import Item, Kitchen, Room

_TRIES = 40  # Places that are tried for one item.


def with_distractors(room: Room, count: int) -> Room:
    """Return a kitchen with up to `count` items more along the walls.

    Other rooms stay as they are. A larger count adds items to those of a smaller one. They cannot
    be grasped, stand clear of all other items and of the sink, and are left out where there is no
    room for them.
    """
    if not count or not isinstance(room, Kitchen):
        return room
    items = list(room.items)
    for number in range(count):
        random = random_of(room.seed, DISTRACTORS, number)
        kind = str(random.choice(list(CLUTTER)))
        design = CLUTTER[kind](random, str(random.choice(list(COLORS))))
        tally = Tally(item.design.kind for item in items)
        for _ in range(_TRIES):
            surface = room.counters[int(random.integers(len(room.counters)))]
            r = design.footprint
            x = round(surface.depth - r - draw(random, 0.02, 0.05), 4)
            y = round(draw(random, -1.0, 1.0) * (surface.length / 2 - r - 0.05), 4)
            item = place_item(
                design,
                surface,
                FloorPose(x, y, draw(random, -0.4, 0.4)),
                name=f"{kind}_{tally[kind] + 1}",
                phrase=f"the {design.label}",
            )
            if _fits(room, items, item):
                items.append(item)
                break
    return dataclasses.replace(room, items=tuple(items))


def _fits(room: Kitchen, items: list[Item], item: Item) -> bool:
    beside = item.surface != room.sink.surface or clears_section(item, room.sink, SINK_GAP)
    return beside and is_clear(item, items, DISH_GAP)
