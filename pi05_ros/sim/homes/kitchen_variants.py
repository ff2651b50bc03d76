"""Kitchens of a seed with other things on the main counter: held-out kinds, or more of them.

Each is the kitchen of the seed in all but its dishes, which have generators of their own.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter as Tally
from collections.abc import Mapping, Sequence

import numpy as np

from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.dishes import DISHES, PAINTED, Maker
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
    draw_kitchen,
)
from pi05_ros.sim.homes.parts import Color
from pi05_ros.sim.homes.placing import clears_section, is_clear, place_item
from pi05_ros.sim.homes.room import Item, Kitchen

LANGUAGE_COUNTS = (5, 6)  # Things on the counter of a language following test.
_STREAM = 0x76617269616E74  # "variant"
_TRIES = 80  # Places that are tried for one thing, and beginnings with no thing placed.


def draw_kitchen_unseen(seed: int) -> Kitchen:
    """Generate the kitchen of a seed with four dishes of held-out kinds.

    Raises:
        Pi05Error: The seed is negative.
    """
    return _variant(seed, "kitchen_unseen", HELD_OUT, HELD_OUT_PAINTED, (DISH_COUNT,), 1)


def draw_language_kitchen(seed: int) -> Kitchen:
    """Generate the kitchen of a seed with five or six things, each with a phrase of its own.

    Raises:
        Pi05Error: The seed is negative.
    """
    return _variant(seed, "kitchen_language", DISHES, PAINTED, LANGUAGE_COUNTS, 2)


def draw_unseen_language_kitchen(seed: int) -> Kitchen:
    """Generate the same with things of held-out kinds.

    Raises:
        Pi05Error: The seed is negative.
    """
    name = "kitchen_language_unseen"
    return _variant(seed, name, HELD_OUT, HELD_OUT_PAINTED, LANGUAGE_COUNTS, 3)


def _variant(
    seed: int,
    kind: str,
    makers: Mapping[str, Maker],
    painted: Sequence[str],
    counts: Sequence[int],
    number: int,
) -> Kitchen:
    """Return the kitchen of a seed as a `kind` with dishes made by `makers`."""
    kitchen = draw_kitchen(seed)
    random = np.random.Generator(np.random.PCG64([seed, _STREAM, number]))
    count = int(random.choice(counts))
    rest = tuple(item for item in kitchen.items if not item.is_dish)
    for _ in range(_TRIES):
        designs = _designs(random, kitchen.look.top, makers, painted, count)
        dishes = _placed(random, kitchen, rest, designs)
        if dishes is not None:
            return dataclasses.replace(kitchen, kind=kind, items=(*dishes, *rest))
    raise Pi05Error(
        f"home {seed}: {count} things found no place on the counter of its {kind} in {_TRIES} "
        "tries; take another home"
    )


def _designs(
    random: np.random.Generator,
    top: Color,
    makers: Mapping[str, Maker],
    painted: Sequence[str],
    count: int,
) -> list[Design]:
    """Draw designs that contrast with the worktop, at most two of a kind, in other colours."""
    kinds: list[str] = []
    while len(kinds) < count:
        kind = str(random.choice(list(makers)))
        if kinds.count(kind) < (2 if kind in painted else 1):
            kinds.append(kind)
    shades = [name for name, c in COLORS.items() if math.dist(c[:3], top[:3]) >= CONTRAST]
    colors = [str(name) for name in random.permutation(shades)]
    return [makers[kind](random, colors[i % len(colors)]) for i, kind in enumerate(kinds)]


def _placed(
    random: np.random.Generator, kitchen: Kitchen, rest: Sequence[Item], designs: Sequence[Design]
) -> list[Item] | None:
    """Place each design near the front edge, clear of all items, the sink and the ends.

    Returns:
        The items; None: one of them found no place.
    """
    counter = kitchen.counters[0]
    reach = counter.length / 2 - END_MARGIN
    labels = Tally(design.label for design in designs)
    tally: Tally[str] = Tally(item.design.kind for item in rest)
    items: list[Item] = []
    for design in designs:
        tally[design.kind] += 1
        words = f"{design.color_name} {design.label}" if labels[design.label] > 1 else design.label
        for _ in range(_TRIES):
            x = draw(random, max(FRONT_MARGIN[0], design.footprint + 0.02), FRONT_MARGIN[1])
            y, yaw = draw(random, -reach, reach), draw(random, -0.6, 0.6)
            if design.is_long:  # Along the counter, pointing either way.
                yaw = round(yaw + math.pi / 2 * (1 if random.uniform() < 0.5 else -1), 4)
            item = place_item(
                design,
                counter,
                FloorPose(x, y, yaw),
                name=f"{design.kind}_{tally[design.kind]}",
                phrase=f"the {words}",
                is_dish=True,
            )
            near = [*items, *(other for other in rest if other.grasp is not None)]
            if (
                clears_section(item, kitchen.sink, SINK_GAP)
                and is_clear(item, near, DISH_GAP, DISH_SPACING)
                and is_clear(item, rest, DISH_GAP)
            ):
                items.append(item)
                break
        else:
            return None
    return items
