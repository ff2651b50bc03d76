"""Kitchens of a seed with other things on the main counter: held-out kinds, or more of them.

Each is the kitchen of the seed in all but what tasks are about, which has generators of its own.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.dishes import DISHES, PAINTED, Maker
from pi05_ros.sim.homes.drawers import NAME as DRAWER
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.held_out import HELD_OUT, HELD_OUT_PAINTED
from pi05_ros.sim.homes.items import COLORS, Design, draw
from pi05_ros.sim.homes.kitchen import (
    CONTRAST,
    DISH_COUNT,
    DISH_GAP,
    DISH_SPACING,
    END_MARGIN,
    FRONT_MARGIN,
    SINK_GAP,
    SMALL_END_MARGIN,
    SMALL_MARGIN,
    draw_kitchen,
)
from pi05_ros.sim.homes.parts import Color
from pi05_ros.sim.homes.placing import clears_section, is_clear, place_item
from pi05_ros.sim.homes.room import Item, Kitchen
from pi05_ros.sim.homes.small_items import UNSEEN_SMALL_ITEMS

LANGUAGE_COUNTS = (5, 6)  # Things on the counter of a language following test.
_STREAM = 0x76617269616E74  # "variant"
_TRIES = 80  # Places that are tried for one thing, and beginnings with no thing placed.


class _Wanted(NamedTuple):
    """A thing to be placed."""

    design: Design
    words: str  # Its phrase without the article.
    belongs_in: str  # Name of a container.


def draw_kitchen_unseen(seed: int) -> Kitchen:
    """Generate the kitchen of a seed with dishes and a small thing of held-out kinds.

    Raises:
        Pi05Error: The seed is negative.
    """

    def wanted(random: np.random.Generator, top: Color) -> list[_Wanted]:
        small = str(random.choice(list(UNSEEN_SMALL_ITEMS)))
        design = UNSEEN_SMALL_ITEMS[small](random, str(random.choice(_shades(top))))
        dishes = _dishes(random, top, HELD_OUT, HELD_OUT_PAINTED, DISH_COUNT)
        return [*dishes, _Wanted(design, design.label, DRAWER)]

    return _variant(seed, "kitchen_unseen", wanted, 1)


def draw_language_kitchen(seed: int) -> Kitchen:
    """Generate the kitchen of a seed with five or six things for the sink, and none for a drawer.

    Each has a phrase of its own.

    Raises:
        Pi05Error: The seed is negative.
    """

    def wanted(random: np.random.Generator, top: Color) -> list[_Wanted]:
        return _dishes(random, top, DISHES, PAINTED, int(random.choice(LANGUAGE_COUNTS)))

    return _variant(seed, "kitchen_language", wanted, 2)


def draw_unseen_language_kitchen(seed: int) -> Kitchen:
    """Generate the same with things of held-out kinds.

    Raises:
        Pi05Error: The seed is negative.
    """

    def wanted(random: np.random.Generator, top: Color) -> list[_Wanted]:
        count = int(random.choice(LANGUAGE_COUNTS))
        return _dishes(random, top, HELD_OUT, HELD_OUT_PAINTED, count)

    return _variant(seed, "kitchen_language_unseen", wanted, 3)


def _variant(
    seed: int,
    kind: str,
    wanted: Callable[[np.random.Generator, Color], list[_Wanted]],
    number: int,
) -> Kitchen:
    """Return the kitchen of a seed as a `kind`, with other things that tasks are about."""
    kitchen = draw_kitchen(seed)
    random = np.random.Generator(np.random.PCG64([seed, _STREAM, number]))
    clutter = tuple(item for item in kitchen.items if not item.belongs_in)
    for _ in range(_TRIES):
        things = _placed(random, kitchen, clutter, wanted(random, kitchen.look.top))
        if things is not None:
            return dataclasses.replace(kitchen, kind=kind, items=(*things, *clutter))
    raise Pi05Error(
        f"home {seed}: the things of its {kind} found no place on the counter in {_TRIES} tries; "
        "take another home"
    )


def _shades(top: Color) -> list[str]:
    """Return the names of the colours that contrast with a worktop."""
    return [name for name, c in COLORS.items() if math.dist(c[:3], top[:3]) >= CONTRAST]


def _dishes(
    random: np.random.Generator,
    top: Color,
    makers: Mapping[str, Maker],
    painted: Sequence[str],
    count: int,
) -> list[_Wanted]:
    """Draw things for the sink, at most two of a kind, in other colours."""
    kinds: list[str] = []
    while len(kinds) < count:
        kind = str(random.choice(list(makers)))
        if kinds.count(kind) < (2 if kind in painted else 1):
            kinds.append(kind)
    colors = [str(name) for name in random.permutation(_shades(top))]
    designs = [makers[kind](random, colors[i % len(colors)]) for i, kind in enumerate(kinds)]
    labels = Tally(design.label for design in designs)
    return [
        _Wanted(d, f"{d.color_name} {d.label}" if labels[d.label] > 1 else d.label, "sink")
        for d in designs
    ]


def _placed(
    random: np.random.Generator,
    kitchen: Kitchen,
    clutter: Sequence[Item],
    wanted: Sequence[_Wanted],
) -> list[Item] | None:
    """Place each thing near the front edge, clear of all items, the sink and the ends.

    Returns:
        The items; None: one of them found no place.
    """
    counter = kitchen.counters[0]
    tally: Tally[str] = Tally(item.design.kind for item in clutter)
    items: list[Item] = []
    for design, words, belongs_in in wanted:
        is_dish = belongs_in == "sink"
        margin = FRONT_MARGIN if is_dish else SMALL_MARGIN
        reach = counter.length / 2 - (END_MARGIN if is_dish else SMALL_END_MARGIN)
        tally[design.kind] += 1
        for _ in range(_TRIES):
            x = draw(random, max(margin[0], design.footprint + 0.02), margin[1])
            y, yaw = draw(random, -reach, reach), draw(random, -0.6, 0.6)
            if design.is_long:  # Along the counter, pointing either way.
                yaw = round(yaw + math.pi / 2 * (1 if random.uniform() < 0.5 else -1), 4)
            item = place_item(
                design,
                counter,
                FloorPose(x, y, yaw),
                name=f"{design.kind}_{tally[design.kind]}",
                phrase=f"the {words}",
                belongs_in=belongs_in,
            )
            if (
                clears_section(item, kitchen.sink, SINK_GAP)
                and is_clear(item, items, DISH_GAP, DISH_SPACING)
                and is_clear(item, clutter, DISH_GAP)
            ):
                items.append(item)
                break
        else:
            return None
    return items
