"""Generation of a laboratory from a seed. The rules for seeds are those of `kitchen`.

Lengths are drawn in the room's frame: x to the wall behind the table, y left, the origin on the
floor below the middle of the table's front edge. All things on the table, the tray and the bin are
in reach of an arm whose shoulder is 0.16 to 0.2 m before the middle of that edge.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.items import COLORS, Design
from pi05_ros.sim.homes.lab_furniture import lab_parts
from pi05_ros.sim.homes.lab_objects import BLOCK_COLORS, OTHERS, make_block
from pi05_ros.sim.homes.looks import LabLook
from pi05_ros.sim.homes.parts import Color
from pi05_ros.sim.homes.room import Container, Item, Lab, Surface, Walls

TRAY = (0.26, 0.28, 0.05)  # Inner size across the table, along it, and depth [m].
BIN = (0.22, 0.22, 0.09)
_FLOOR = 0.006  # Thickness of the floor of tray and bin [m].
_STREAM = 0x6C6162  # "lab": keeps other rooms of the same seed independent.
_FRONT = (0.07, 0.36)  # Of a thing's middle, behind the table's front edge [m].
_ASIDE = 0.225  # Largest distance of a thing's edge from the middle of the table's front [m].
_GAP = 0.05  # Least distance of the edges of two things [m].
_CONTRAST = 0.35  # Least distance of a block's colour from the table's, in rgb.


class _Place(NamedTuple):
    """A thing on the table, in the room's frame."""

    design: Design
    x: float
    y: float
    yaw: float


def draw_lab(seed: int) -> Lab:
    """Generate the laboratory of a seed, an integer of 0 or more."""
    rng = np.random.Generator(np.random.PCG64([seed, _STREAM]))
    height, depth = _between(rng, 0.72, 0.78), _between(rng, 0.7, 0.8)
    length = _between(rng, 1.35, 1.6)
    walls = Walls(
        FloorPose(0.0, 0.0, 0.0),
        (-_between(rng, 2.2, 3.0), depth + _between(rng, 0.7, 1.2)),
        (-_between(rng, 1.8, 2.4), _between(rng, 1.8, 2.4)),
        2.7,
    )
    look = _draw_look(rng)
    start = FloorPose(-_between(rng, 1.0, 1.4), _between(rng, -0.3, 0.3), _between(rng, -0.4, 0.4))
    odom = start.inverse()  # Pose of the room's frame in odom.
    side = 1 if rng.uniform() < 0.5 else -1  # Of the tray.
    tray = FloorPose(_between(rng, 0.19, 0.23), side * _between(rng, 0.39, 0.42), 0.0)
    waste = FloorPose(_between(rng, 0.17, 0.23), -side * _between(rng, 0.37, 0.4), 0.0)
    places = _place(rng, _draw_designs(rng, look.top))
    lab = Lab(
        seed=seed,
        kind="lab",
        walls=dataclasses.replace(walls, pose=odom),
        look=look,
        surfaces=(Surface("table", odom, length, depth, height),),
        containers=tuple(
            Container(
                name, f"the {name}", "table", odom.compose(pose), size, height + size[2] + _FLOOR
            )
            for name, pose, size in (("tray", tray, TRAY), ("bin", waste, BIN))
        ),
        items=_items(odom, places, height),
    )
    return dataclasses.replace(lab, furniture=lab_parts(lab))


def _draw_look(rng: np.random.Generator) -> LabLook:
    def pick(*colors: tuple[float, float, float]) -> Color:
        color = np.array(colors[int(rng.integers(len(colors)))]) + rng.uniform(-0.03, 0.03, 3)
        r, g, b = (_round(c) for c in np.clip(color, 0, 1))
        return (r, g, b, 1.0)

    return LabLook(
        wall=pick((0.93, 0.94, 0.95), (0.80, 0.82, 0.84), (0.72, 0.78, 0.80), (0.60, 0.64, 0.68)),
        floor=pick((0.62, 0.64, 0.66), (0.48, 0.52, 0.56), (0.76, 0.76, 0.74), (0.40, 0.46, 0.44)),
        floor_pattern="checker",
        top=pick((0.78, 0.78, 0.76), (0.22, 0.23, 0.25), (0.70, 0.58, 0.42), (0.50, 0.60, 0.62)),
        frame=pick((0.30, 0.31, 0.33), (0.78, 0.79, 0.80), (0.24, 0.30, 0.42)),
        tray=pick((0.58, 0.60, 0.63), (0.42, 0.44, 0.40), (0.82, 0.80, 0.74)),
        bin=pick((0.26, 0.28, 0.31), (0.52, 0.36, 0.24), (0.30, 0.36, 0.30)),
        light_direction=(_between(rng, -0.5, 0.6), _between(rng, -0.8, 0.8), -1.0),
        light=_between(rng, 0.25, 0.45),
        ambient=_between(rng, 0.38, 0.52),
        board=_between(rng, -0.5, 0.5),
    )


def _draw_designs(rng: np.random.Generator, top: Color) -> list[Design]:
    """Draw two or three blocks that contrast with the table, and two or three other things."""
    shades = [n for n in BLOCK_COLORS if math.dist(COLORS[n][:3], top[:3]) >= _CONTRAST]
    blocks = rng.permutation(shades)[: int(rng.integers(2, 4))]
    others = rng.permutation(list(OTHERS))[: int(rng.integers(2, 4))]
    paint = [str(name) for name in rng.permutation(list(COLORS))]
    return [
        *(make_block(rng, str(color)) for color in blocks),
        *(OTHERS[str(kind)](rng, paint[n]) for n, kind in enumerate(others)),
    ]


def _place(rng: np.random.Generator, designs: list[Design]) -> list[_Place]:
    """Place each thing between tray and bin, clear of the others."""
    while True:
        places: list[_Place] = []
        for design in designs:
            for _ in range(40):
                r = design.footprint
                x, y = _between(rng, *_FRONT), _between(rng, r - _ASIDE, _ASIDE - r)
                yaw = _between(rng, -0.7, 0.7)
                if design.is_long:  # Along the table, pointing either way.
                    yaw = _round(yaw + math.pi / 2 * (1 if rng.uniform() < 0.5 else -1))
                if all(
                    math.hypot(x - o.x, y - o.y) >= r + o.design.footprint + _GAP for o in places
                ):
                    places.append(_Place(design, x, y, yaw))
                    break
        if len(places) == len(designs):
            return places


def _items(odom: FloorPose, places: list[_Place], height: float) -> tuple[Item, ...]:
    """Name the things and transform them into odom. A block is always called by its colour."""
    items, blocks = [], 0
    for place in places:
        design = place.design
        is_block = design.kind == "block"
        blocks += is_block
        pose = odom.compose(FloorPose(place.x, place.y, place.yaw))
        items.append(
            Item(
                name=f"{design.kind}_{blocks if is_block else 1}",
                phrase=f"the {design.color_name} block" if is_block else f"the {design.label}",
                design=design,
                position=(pose.x, pose.y, height),
                yaw=pose.yaw,
                surface="table",
                is_dish=False,
                belongs_in="tray" if is_block else "bin",
            )
        )
    return tuple(items)


def _round(value: float) -> float:
    """Round a length or angle to 0.1 mm or 0.1 mrad, for equal results on every machine."""
    return round(float(value), 4)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return _round(rng.uniform(low, high))
