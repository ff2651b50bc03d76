"""A kitchen drawn from a seed: rooms, counters, a sink, dishes and other things, as plain data.

Frames: everything stands in `odom`, whose origin is where the robot starts, looking along x. The
room lies about it at `room.pose`, the room's x axis pointing at the wall behind the main counter.

Seeds 0 to 9999 are for training, 10000 to 19999 for validation, 20000 and up for judging alone.
The same seed gives the same kitchen everywhere: one PCG64 generator, nothing global.
"""

from __future__ import annotations

import math
from collections import Counter as Tally
from dataclasses import dataclass

import numpy as np

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.inference.observation import Pose
from pi05_ros.sim.geometry import FloorPose, yaw_quaternion
from pi05_ros.sim.items import COLORS, DISHES, DISTRACTORS, PAINTED, Design, Grasp
from pi05_ros.sim.parts import Color

DISH_COUNT = 4
FRONT_MARGIN = (0.12, 0.32)  # Of a dish's grasp, behind the counter's front edge [m].
DISH_SPACING = 0.20  # Least distance between two dishes' middles [m].
END_MARGIN = 0.25  # From a dish to the counter's end [m].
SINK_SIZE = (0.38, 0.45, 0.18)  # Inner size: depth, length along the counter, height [m].


@dataclass(frozen=True)
class Counter:
    """A worktop. Its pose is the middle of its front edge; x points across it to the back."""

    name: str
    pose: FloorPose  # In odom.
    length: float  # Along its y [m].
    depth: float  # Along its x [m].
    height: float  # Of the top above the floor [m].


@dataclass(frozen=True)
class Sink:
    """An open basin set into a counter. x of its pose points across the counter."""

    counter: str  # Name of the counter.
    pose: FloorPose  # Middle of the basin, in odom.
    size: tuple[float, float, float]  # Inner size along x, along y, and depth [m].
    top: float  # Height of its rim above the floor [m].

    @property
    def floor(self) -> float:
        """Height of the basin's floor [m]."""
        return self.top - self.size[2]

    def contains(self, position: np.ndarray) -> bool:
        """Whether a point (3,) in odom [m] is inside the basin, below its rim."""
        x, y, z = self.pose.local(position)
        inside = abs(x) <= self.size[0] / 2 and abs(y) <= self.size[1] / 2
        return bool(inside and self.floor - 0.02 <= z <= self.top - 0.01)


@dataclass(frozen=True)
class Item:
    """A thing that can be moved, where the home begins."""

    name: str  # Unique: "plate_1".
    phrase: str  # Unique in text: "the plate", or "the red cup" where there are two cups.
    design: Design
    position: tuple[float, float, float]  # Of its base in odom [m].
    yaw: float  # In odom [rad].
    counter: str  # Name of the counter that it stands on.
    is_dish: bool

    @property
    def label(self) -> str:
        """What people call it ("plate")."""
        return self.design.label

    @property
    def grasp(self) -> Grasp | None:
        """Where to close a gripper on it; None: it is not meant to be picked up."""
        return self.design.grasp

    @property
    def pose(self) -> Pose:
        """Its pose in odom at the start."""
        return Pose(np.array(self.position), yaw_quaternion(self.yaw))


@dataclass(frozen=True)
class Room:
    """Four walls and a floor. The room's frame: x to the wall behind the main counter, y left."""

    pose: FloorPose  # Of the room's frame in odom: below the middle of the main counter's front.
    x: tuple[float, float]  # Where the walls across x stand [m].
    y: tuple[float, float]  # Where the walls across y stand [m].
    height: float  # [m]


@dataclass(frozen=True)
class Look:
    """Colours and light. Changes pictures, never physics."""

    wall: Color
    tile: Color
    floor: Color
    floor_pattern: str  # "wood", "checker"
    cabinet: Color
    top: Color
    sky: Color
    light_direction: tuple[float, float, float]
    light: float  # Strength of the lamp, 0 to 1.
    ambient: float  # Strength of the light from everywhere, 0 to 1.
    window: float  # Middle of the window along the room's y [m].


@dataclass(frozen=True)
class Kitchen:
    """A mock home."""

    seed: int
    room: Room
    look: Look
    counters: tuple[Counter, ...]  # The first is the main one, which holds sink and dishes.
    sink: Sink
    items: tuple[Item, ...]  # Dishes first.

    @property
    def dishes(self) -> tuple[Item, ...]:
        """What belongs in the sink."""
        return tuple(item for item in self.items if item.is_dish)

    def item(self, name: str) -> Item:
        """The item called `name`.

        Raises:
            Pi05Error: There is none.
        """
        for item in self.items:
            if item.name == name:
                return item
        names = [item.name for item in self.items]
        raise Pi05Error(
            f"home {self.seed} has no item '{name}'{did_you_mean(name, names)} "
            f"(valid: {', '.join(names)})"
        )

    def counter(self, name: str) -> Counter:
        """The counter called `name`.

        Raises:
            KeyError: There is none.
        """
        return {counter.name: counter for counter in self.counters}[name]


def draw_kitchen(seed: int) -> Kitchen:
    """Draws the kitchen of a seed.

    Args:
        seed: Any whole number from 0 up.

    Raises:
        Pi05Error: The seed is negative.
    """
    if seed < 0:
        raise Pi05Error(f"home {seed}: a home is a whole number from 0 up")
    rng = np.random.Generator(np.random.PCG64([seed, _STREAM]))
    start, room, counters, sink_y = _draw_layout(rng)
    odom = start.inverse()  # The room's frame as the robot sees it when it starts.
    designs = _draw_dishes(rng)
    main = counters[0]
    places = _place_dishes(rng, designs, main, sink_y)
    sink_x = 0.09 + SINK_SIZE[0] / 2
    items = []
    phrases = _phrases(designs)
    tally: Tally[str] = Tally()
    for design, phrase, (x, y, yaw) in zip(designs, phrases, places, strict=True):
        tally[design.kind] += 1
        items.append(
            _item(
                design, f"{design.kind}_{tally[design.kind]}", phrase, odom, main, x, y, yaw, True
            )
        )
    for design, counter, x, y, yaw in _draw_distractors(rng, counters, sink_y, places, designs):
        tally[design.kind] += 1
        items.append(
            _item(design, f"{design.kind}_{tally[design.kind]}", f"the {design.label}", odom,
                  counter, x, y, yaw, False)
        )  # fmt: skip
    look = _draw_look(rng, sink_y)
    return Kitchen(
        seed=seed,
        room=Room(odom, room.x, room.y, room.height),
        look=look,
        counters=tuple(
            Counter(c.name, odom.compose(c.pose), c.length, c.depth, c.height) for c in counters
        ),
        sink=Sink(main.name, odom.compose(FloorPose(sink_x, sink_y, 0.0)), SINK_SIZE, main.height),
        items=tuple(items),
    )


_STREAM = 0x6B69746368656E  # "kitchen": keeps other layouts of the same seed independent.


def _round(value: float) -> float:
    return round(float(value), 4)


def _draw_layout(rng: np.random.Generator) -> tuple[FloorPose, Room, list[Counter], float]:
    """Start pose, walls, counters (poses in the room's frame) and the sink's y."""
    height = _round(rng.uniform(0.84, 0.92))
    depth = _round(rng.uniform(0.58, 0.66))
    length = _round(rng.uniform(2.3, 2.9))
    main = Counter("counter", FloorPose(0.0, 0.0, 0.0), length, depth, height)
    left = length / 2 + _round(rng.uniform(0.5, 1.0))
    right = -length / 2 - _round(rng.uniform(0.5, 1.0))
    back = -_round(rng.uniform(2.9, 3.6))
    counters = [main]
    second = rng.choice(["none", "left", "right", "back"])
    side_depth = _round(rng.uniform(0.5, 0.6))
    if second == "left":
        left = length / 2 + 0.5 + side_depth
        counters.append(
            Counter(
                "side_counter",
                FloorPose(-1.0, left - side_depth, math.pi / 2),
                1.6,
                side_depth,
                height,
            )
        )
    elif second == "right":
        right = -length / 2 - 0.5 - side_depth
        counters.append(
            Counter(
                "side_counter",
                FloorPose(-1.0, right + side_depth, -math.pi / 2),
                1.6,
                side_depth,
                height,
            )
        )
    elif second == "back":
        counters.append(
            Counter(
                "side_counter", FloorPose(back + side_depth, 0.0, math.pi), 1.8, side_depth, height
            )
        )
    room = Room(FloorPose(0, 0, 0), (back, depth), (right, left), 2.5)
    sink_y = _round(rng.uniform(-length / 2 + 0.75, length / 2 - 0.75))
    start = FloorPose(
        -_round(rng.uniform(1.0, 1.6)),
        _round(np.clip(sink_y + rng.uniform(-0.7, 0.7), -0.8, 0.8)),
        _round(rng.uniform(-0.5, 0.5)),
    )
    return start, room, counters, sink_y


def _draw_dishes(rng: np.random.Generator) -> list[Design]:
    """Four dishes, at most two of a kind, and then of different colours."""
    kinds: list[str] = []
    while len(kinds) < DISH_COUNT:
        kind = str(rng.choice(list(DISHES)))
        if kinds.count(kind) < (2 if kind in PAINTED else 1):
            kinds.append(kind)
    colors = [str(c) for c in rng.permutation(list(COLORS))]
    return [DISHES[kind](rng, color) for kind, color in zip(kinds, colors, strict=False)]


def _phrases(designs: list[Design]) -> list[str]:
    """How text names each: "the cup", or by colour where two would be meant."""
    labels = Tally(design.label for design in designs)
    return [
        f"the {design.color_name} {design.label}"
        if labels[design.label] > 1
        else f"the {design.label}"
        for design in designs
    ]


def _place_dishes(
    rng: np.random.Generator, designs: list[Design], counter: Counter, sink_y: float
) -> list[tuple[float, float, float]]:
    """Where each dish stands on the counter: x, y, yaw in the counter's frame."""
    reach = counter.length / 2 - END_MARGIN
    while True:
        places: list[tuple[float, float, float]] = []
        for design in designs:
            for _ in range(60):
                r = design.footprint
                x = _round(rng.uniform(max(FRONT_MARGIN[0], r + 0.02), FRONT_MARGIN[1]))
                y = _round(rng.uniform(-reach, reach))
                yaw = _round(rng.uniform(-0.6, 0.6) + (math.pi / 2 if design.is_long else 0.0))
                clear_of_sink = abs(y - sink_y) > SINK_SIZE[1] / 2 + 0.06 + r
                apart = all(
                    math.hypot(x - px, y - py) > max(DISH_SPACING, r + other.footprint + 0.08)
                    for (px, py, _), other in zip(places, designs, strict=False)
                )
                if clear_of_sink and apart:
                    places.append((x, y, yaw))
                    break
            else:
                break
        if len(places) == len(designs):
            return places


def _draw_distractors(rng, counters, sink_y, places, designs):
    """Things to leave alone, along the wall: (design, counter, x, y, yaw in its frame)."""
    placed = []
    for kind in rng.permutation(list(DISTRACTORS))[: int(rng.integers(2, 5))]:
        color = str(rng.choice(list(COLORS)))
        design = DISTRACTORS[str(kind)](rng, color)
        for _ in range(30):
            counter = counters[int(rng.integers(len(counters)))]
            r = design.footprint
            x = _round(counter.depth - r - rng.uniform(0.03, 0.06))
            y = _round(rng.uniform(-1, 1) * (counter.length / 2 - r - 0.05))
            yaw = _round(rng.uniform(-0.4, 0.4))
            if counter is counters[0]:
                if abs(y - sink_y) < SINK_SIZE[1] / 2 + r + 0.05:
                    continue
                if any(
                    math.hypot(x - px, y - py) < r + d.footprint + 0.08
                    for (px, py, _), d in zip(places, designs, strict=False)
                ):
                    continue
            if any(
                c is counter and math.hypot(x - px, y - py) < r + d.footprint + 0.04
                for d, c, px, py, _ in placed
            ):
                continue
            placed.append((design, counter, x, y, yaw))
            break
    return placed


def _item(design, name, phrase, odom, counter, x, y, yaw, is_dish) -> Item:
    """An item at (x, y, yaw) of a counter whose pose is in the room's frame."""
    pose = odom.compose(counter.pose.compose(FloorPose(x, y, yaw)))
    return Item(
        name, phrase, design, (pose.x, pose.y, counter.height), pose.yaw, counter.name, is_dish
    )


def _draw_look(rng: np.random.Generator, sink_y: float) -> Look:
    def pick(*colors: tuple[float, float, float]) -> Color:
        color = np.array(colors[int(rng.integers(len(colors)))]) + rng.uniform(-0.03, 0.03, 3)
        return (*(_round(c) for c in np.clip(color, 0, 1)), 1.0)

    return Look(
        wall=pick((0.90, 0.88, 0.83), (0.78, 0.85, 0.86), (0.87, 0.80, 0.72), (0.82, 0.86, 0.78)),
        tile=pick((0.93, 0.93, 0.92), (0.70, 0.82, 0.85), (0.85, 0.78, 0.66), (0.75, 0.83, 0.74)),
        floor=pick((0.66, 0.50, 0.34), (0.50, 0.36, 0.25), (0.72, 0.70, 0.66), (0.45, 0.46, 0.48)),
        floor_pattern=str(rng.choice(["wood", "checker"])),
        cabinet=pick(
            (0.92, 0.91, 0.88), (0.30, 0.42, 0.40), (0.25, 0.32, 0.45), (0.66, 0.50, 0.34)
        ),
        top=pick((0.30, 0.30, 0.32), (0.62, 0.45, 0.28), (0.80, 0.79, 0.76), (0.52, 0.50, 0.48)),
        sky=pick((0.66, 0.83, 0.96), (0.82, 0.88, 0.93), (0.95, 0.80, 0.62)),
        light_direction=tuple(
            _round(v) for v in (rng.uniform(-0.3, 0.7), rng.uniform(-0.6, 0.6), -1.0)
        ),
        light=_round(rng.uniform(0.45, 0.7)),
        ambient=_round(rng.uniform(0.3, 0.45)),
        window=_round(sink_y + rng.uniform(-0.2, 0.2)),
    )
