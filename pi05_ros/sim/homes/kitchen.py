"""Generation of a kitchen from a seed.

Seeds 0 to 9999 are for training, 10000 to 19999 for validation, 20000 and up for evaluation only.
The same seed gives the same kitchen on every machine: the PCG64 generators are local. The order of
the draws is part of the definition of a seed and must not change.

Lengths are drawn in the room's frame: x to the wall behind the main counter, y left, the origin on
the floor below the middle of the main counter's front edge.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter as Tally
from typing import Literal, NamedTuple

import numpy as np

from pi05_ros.errors import Pi05Error
from pi05_ros.sim.homes.clutter import CLUTTER
from pi05_ros.sim.homes.dishes import DISHES, PAINTED
from pi05_ros.sim.homes.drawers import NAME as DRAWER
from pi05_ros.sim.homes.drawers import draw_drawer, drawer_container, drawer_fixture
from pi05_ros.sim.homes.furniture import kitchen_parts
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.items import COLORS, Design
from pi05_ros.sim.homes.looks import Look
from pi05_ros.sim.homes.parts import Color
from pi05_ros.sim.homes.room import Container, Item, Kitchen, Surface, Walls
from pi05_ros.sim.homes.small_items import SMALL_ITEMS

DISH_COUNT = 4
FRONT_MARGIN = (0.12, 0.32)  # Of a dish's middle, behind the counter's front edge [m].
DISH_SPACING = 0.20  # Least distance between the middles of two dishes [m].
DISH_GAP = 0.08  # Least distance between the edges of two items [m].
END_MARGIN = 0.25  # From a dish's middle to the counter's end [m].
SMALL_MARGIN = (0.10, 0.40)  # Of a small thing's middle, behind the counter's front edge [m].
SMALL_END_MARGIN = 0.15  # From a small thing's middle to the counter's end [m].
SINK_SIZE = (0.38, 0.45, 0.18)  # Inner size: across the counter, along it, and depth [m].
SINK_FRONT = 0.09  # From the counter's front edge to the basin [m].
SINK_GAP = 0.06  # From the basin to the edge of any item [m].
START_DISTANCE = (1.0, 1.6)  # From the robot's start to the counter's front [m].
START_YAW = 0.5  # Greatest turn away from the counter at the start [rad].
_FRIDGE = 0.72  # Width of the space for a fridge beside the counter [m].
CONTRAST = 0.35  # Least distance of a painted dish's colour from the worktop's, in rgb.
_STREAM = 0x6B69746368656E  # "kitchen": keeps other rooms of the same seed independent.


class _Place(NamedTuple):
    """Place of an item on a counter."""

    design: Design
    counter: Surface
    x: float  # In the counter's frame [m].
    y: float
    yaw: float  # [rad]


class _Layout(NamedTuple):
    """Walls, counters and start, in the room's frame."""

    walls: Walls
    counters: list[Surface]
    sink_y: float
    start: FloorPose
    second: str  # Place of the second counter: "none", "left", "right", "back".


def draw_kitchen(seed: int) -> Kitchen:
    """Generate the kitchen of a seed.

    Args:
        seed: An integer of 0 or more.

    Raises:
        Pi05Error: The seed is negative.
    """
    if seed < 0:
        raise Pi05Error(f"home {seed}: a home is a whole number from 0 up")
    rng = np.random.Generator(np.random.PCG64([seed, _STREAM]))
    layout = _draw_layout(rng)
    # Features added later use a generator of their own, so that earlier draws stay the same.
    trim = np.random.Generator(np.random.PCG64([seed, _STREAM, 1]))
    look, layout = _draw_look(rng, trim, layout)
    dishes = _place_dishes(rng, _draw_dishes(rng, look.top), layout)
    clutter = _place_clutter(rng, layout, dishes)
    extra = np.random.Generator(np.random.PCG64([seed, _STREAM, 2]))
    half = SINK_SIZE[1] / 2
    basin = (layout.sink_y - half, layout.sink_y + half)
    plan = draw_drawer(extra, layout.counters[0].length, basin, look.oven)
    small = _place_small_item(extra, layout, dishes + clutter, look.top)
    odom = layout.start.inverse()  # Pose of the room's frame in odom.
    surfaces = tuple(
        Surface(c.name, odom.compose(c.pose), c.length, c.depth, c.height) for c in layout.counters
    )
    main = surfaces[0]
    sink = FloorPose(SINK_FRONT + SINK_SIZE[0] / 2, layout.sink_y, 0.0)
    drawer = drawer_fixture(plan, main, look.cabinet)
    kitchen = Kitchen(
        seed=seed,
        kind="kitchen",
        walls=Walls(odom, layout.walls.x, layout.walls.y, layout.walls.height),
        look=look,
        surfaces=surfaces,
        containers=(
            Container("sink", "the sink", main.name, odom.compose(sink), SINK_SIZE, main.height),
            drawer_container(plan, drawer, main),
        ),
        fixtures=(drawer,),
        items=_items(odom, dishes, clutter, small),
    )
    return dataclasses.replace(kitchen, furniture=kitchen_parts(kitchen))


def _draw_layout(rng: np.random.Generator) -> _Layout:
    height, depth = _between(rng, 0.84, 0.92), _between(rng, 0.58, 0.66)
    length = _between(rng, 2.3, 2.9)
    counters = [Surface("counter", FloorPose(0.0, 0.0, 0.0), length, depth, height)]
    left = length / 2 + _between(rng, 0.5, 1.0)
    right = -length / 2 - _between(rng, 0.5, 1.0)
    back = -_between(rng, 2.9, 3.6)
    second = str(rng.choice(["none", "left", "right", "back"]))
    across = _between(rng, 0.5, 0.6)
    if second != "none":
        if second == "left":
            left = length / 2 + 0.5 + across
            pose = FloorPose(-1.0, left - across, math.pi / 2)
        elif second == "right":
            right = -length / 2 - 0.5 - across
            pose = FloorPose(-1.0, right + across, -math.pi / 2)
        else:
            pose = FloorPose(back + across, 0.0, math.pi)
        counters.append(Surface("side_counter", pose, 1.7, across, height))
    sink_y = _between(rng, -length / 2 + 0.75, length / 2 - 0.75)
    start = FloorPose(
        -_between(rng, *START_DISTANCE),
        _round(np.clip(sink_y + _between(rng, -0.7, 0.7), -0.8, 0.8)),
        _between(rng, -START_YAW, START_YAW),
    )
    walls = Walls(FloorPose(0.0, 0.0, 0.0), (back, depth), (right, left), 2.5)
    return _Layout(walls, counters, sink_y, start, second)


def _draw_look(
    rng: np.random.Generator, trim: np.random.Generator, layout: _Layout
) -> tuple[Look, _Layout]:
    """Draw colours, light and fittings; also return the layout, widened for the fridge."""

    def pick(*colors: tuple[float, float, float]) -> Color:
        color = np.array(colors[int(rng.integers(len(colors)))]) + rng.uniform(-0.03, 0.03, 3)
        r, g, b = (_round(c) for c in np.clip(color, 0, 1))
        return (r, g, b, 1.0)

    look = Look(
        wall=pick((0.92, 0.90, 0.85), (0.80, 0.87, 0.88), (0.90, 0.83, 0.74), (0.84, 0.88, 0.80)),
        tile=pick((0.95, 0.95, 0.94), (0.68, 0.82, 0.86), (0.88, 0.80, 0.66), (0.74, 0.84, 0.74)),
        floor=pick((0.66, 0.50, 0.34), (0.52, 0.38, 0.26), (0.74, 0.72, 0.68), (0.50, 0.52, 0.54)),
        floor_pattern="wood" if rng.uniform() < 0.6 else "checker",
        cabinet=pick(
            (0.92, 0.91, 0.88), (0.36, 0.48, 0.45), (0.31, 0.40, 0.55), (0.68, 0.52, 0.36)
        ),
        top=pick((0.30, 0.30, 0.32), (0.62, 0.45, 0.28), (0.82, 0.81, 0.78), (0.54, 0.52, 0.50)),
        sky=pick((0.66, 0.83, 0.96), (0.82, 0.88, 0.93), (0.97, 0.82, 0.64)),
        light_direction=(_between(rng, 0.15, 0.8), _between(rng, -0.6, 0.6), -1.0),
        light=_between(rng, 0.32, 0.5),
        ambient=_between(rng, 0.40, 0.52),
        window=_round(layout.sink_y + _between(rng, -0.2, 0.2)),
        oven=int(rng.integers(1, 4)),
        tap=_round(_between(trim, 1.0, 1.5) * (1 if trim.uniform() < 0.5 else -1)),
        fridge=_pick_side(rng, layout.second),
    )
    low, high = layout.walls.y
    half = layout.counters[0].length / 2
    if look.fridge == "left":
        high = max(high, half + _FRIDGE)
    elif look.fridge == "right":
        low = min(low, -half - _FRIDGE)
    walls = Walls(layout.walls.pose, layout.walls.x, (low, high), layout.walls.height)
    return look, layout._replace(walls=walls)


def _pick_side(rng: np.random.Generator, taken: str) -> Literal["none", "left", "right"]:
    """Draw the fridge's side of the main counter; never the side of the second counter."""
    number = rng.uniform()
    if number < 1 / 3 and taken != "left":
        return "left"
    if number > 2 / 3 and taken != "right":
        return "right"
    return "none"


def _draw_dishes(rng: np.random.Generator, top: Color) -> list[Design]:
    """Draw four dishes that contrast with the worktop, at most two of a kind."""
    kinds: list[str] = []
    while len(kinds) < DISH_COUNT:
        kind = str(rng.choice(list(DISHES)))
        if kinds.count(kind) < (2 if kind in PAINTED else 1):
            kinds.append(kind)
    shades = [n for n, c in COLORS.items() if math.dist(c[:3], top[:3]) >= CONTRAST]
    colors = [str(name) for name in rng.permutation(shades)]
    return [DISHES[kind](rng, colors[i]) for i, kind in enumerate(kinds)]


def _place_dishes(
    rng: np.random.Generator, designs: list[Design], layout: _Layout
) -> list[_Place]:
    """Place each dish near the front edge, clear of the others, the sink and the ends."""
    counter = layout.counters[0]
    reach = counter.length / 2 - END_MARGIN
    while True:
        places: list[_Place] = []
        for design in designs:
            for _ in range(60):
                x = _between(rng, max(FRONT_MARGIN[0], design.footprint + 0.02), FRONT_MARGIN[1])
                y = _between(rng, -reach, reach)
                yaw = _between(rng, -0.6, 0.6)
                if design.is_long:  # Along the counter, pointing either way.
                    yaw = _round(yaw + math.pi / 2 * (1 if rng.uniform() < 0.5 else -1))
                place = _Place(design, counter, x, y, yaw)
                if _is_clear(place, places, layout.sink_y, DISH_GAP, DISH_SPACING):
                    places.append(place)
                    break
        if len(places) == len(designs):
            return places


def _place_clutter(
    rng: np.random.Generator, layout: _Layout, dishes: list[_Place]
) -> list[_Place]:
    """Place two to four items of clutter along the walls, on any counter."""
    placed: list[_Place] = []
    for kind in rng.permutation(list(CLUTTER))[: int(rng.integers(2, 5))]:
        design = CLUTTER[str(kind)](rng, str(rng.choice(list(COLORS))))
        for _ in range(30):
            counter = layout.counters[int(rng.integers(len(layout.counters)))]
            r = design.footprint
            x = _round(counter.depth - r - _between(rng, 0.02, 0.05))
            y = _round(_between(rng, -1, 1) * (counter.length / 2 - r - 0.05))
            place = _Place(design, counter, x, y, _between(rng, -0.4, 0.4))
            if _is_clear(place, dishes + placed, layout.sink_y, DISH_GAP, 0.0):
                placed.append(place)
                break
    return placed


def _place_small_item(
    rng: np.random.Generator, layout: _Layout, others: list[_Place], top: Color
) -> _Place:
    """Place one thing that belongs in the drawer within reach, clear of everything.

    Kitchens are crowded: the places of a grid are tried, and another kind if there is none.

    Raises:
        Pi05Error: No kind has a place.
    """
    counter = layout.counters[0]
    reach = counter.length / 2 - SMALL_END_MARGIN
    shades = [n for n, c in COLORS.items() if math.dist(c[:3], top[:3]) >= CONTRAST]
    grid = [np.linspace(*SMALL_MARGIN, 16), np.linspace(-reach, reach, 101)]
    x, y = (axis.ravel() for axis in np.meshgrid(*grid))
    near = [o for o in others if o.counter.name == counter.name]
    for kind in rng.permutation(list(SMALL_ITEMS)):
        design = SMALL_ITEMS[str(kind)](rng, str(rng.choice(shades)))
        yaw = _between(rng, -0.6, 0.6)
        if design.is_long:
            yaw = _round(yaw + math.pi / 2 * (1 if rng.uniform() < 0.5 else -1))
        r = design.footprint
        clear = np.abs(y - layout.sink_y) > SINK_SIZE[1] / 2 + SINK_GAP + r
        for other in near:
            gap = max(DISH_SPACING, r + other.design.footprint + DISH_GAP)
            clear &= np.hypot(x - other.x, y - other.y) >= gap - 1e-9  # On every machine.
        places = np.flatnonzero(clear)
        if len(places):
            at = places[int(rng.integers(len(places)))]
            return _Place(design, counter, _round(x[at]), _round(y[at]), yaw)
    raise Pi05Error("a kitchen's counter has no place for a small thing: fewer or smaller dishes")


def _is_clear(
    place: _Place, others: list[_Place], sink_y: float, gap: float, spacing: float
) -> bool:
    """Check whether an item is clear of the sink's section of the counter and of the others."""
    r = place.design.footprint
    if (
        place.counter.name == "counter"
        and abs(place.y - sink_y) <= SINK_SIZE[1] / 2 + SINK_GAP + r
    ):
        return False
    return all(
        math.hypot(place.x - o.x, place.y - o.y) >= max(spacing, r + o.design.footprint + gap)
        for o in others
        if o.counter.name == place.counter.name
    )


def _items(
    odom: FloorPose, dishes: list[_Place], clutter: list[_Place], small: _Place
) -> tuple[Item, ...]:
    """Name the placed items and transform them into odom."""
    labels = Tally(place.design.label for place in dishes)
    tally: Tally[str] = Tally()
    items = []
    for place in [*dishes, *clutter, small]:
        design = place.design
        tally[design.kind] += 1
        pose = odom.compose(place.counter.pose.compose(FloorPose(place.x, place.y, place.yaw)))
        ambiguous = labels[design.label] > 1
        is_dish = any(place is dish for dish in dishes)
        items.append(
            Item(
                name=f"{design.kind}_{tally[design.kind]}",
                phrase=f"the {design.color_name} {design.label}"
                if ambiguous
                else f"the {design.label}",
                design=design,
                position=(pose.x, pose.y, place.counter.height),
                yaw=pose.yaw,
                surface=place.counter.name,
                is_dish=is_dish,
                belongs_in="sink" if is_dish else DRAWER if place is small else "",
            )
        )
    return tuple(items)


def _round(value: float) -> float:
    """Round a length or angle to 0.1 mm or 0.1 mrad, for equal results on every machine."""
    return round(float(value), 4)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return _round(rng.uniform(low, high))
