"""Generation of a bedroom from a seed. The rules for seeds are those of `kitchen`.

Lengths are drawn in the room's frame: x to the wall behind the bed, y left, the origin on the
floor below the middle of the bed's front edge. At the bed's head stands a nightstand; beyond its
foot the laundry lies on the floor, and the basket stands.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from pi05_ros.sim.homes.bedding import BLANKET, PILLOW, make_blanket, make_pillow
from pi05_ros.sim.homes.bedroom_furniture import BASKET, NIGHTSTAND, bedroom_parts
from pi05_ros.sim.homes.bedroom_things import make_book, make_clock, make_lamp, make_shoe
from pi05_ros.sim.homes.dishes import Maker
from pi05_ros.sim.homes.garments import GARMENTS, UNSEEN_GARMENTS
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.items import COLORS, Design
from pi05_ros.sim.homes.looks import BedroomLook
from pi05_ros.sim.homes.parts import Color
from pi05_ros.sim.homes.room import Bedroom, Container, Item, Surface, Walls

DEPTH = 0.8  # Of the bed [m].
_STREAM = 0x626564726F6F6D  # "bedroom": keeps other rooms of the same seed independent.
_START_DISTANCE = (1.0, 1.5)  # From the robot's start to the bed's front [m].
_START_YAW = 0.5  # Greatest turn away from the bed at the start [rad].
_WALL_GAP = 0.02  # Between the wall and what lies on the bed or stands on the floor [m].
_CONTRAST = 0.35  # Least distance of a garment's colour from the floor's, in rgb.
_PILLOWS = ("white", "blue", "green", "yellow", "teal", "pink", "red", "orange")


class _Layout(NamedTuple):
    """What is where, in the room's frame."""

    head: Literal[-1, 1]
    length: float
    height: float
    garment: FloorPose
    basket: FloorPose
    rim: float  # Height of the basket [m].
    walls: Walls
    start: FloorPose


def draw_bedroom(seed: int) -> Bedroom:
    """Generate the bedroom of a seed, an integer of 0 or more."""
    return _draw(seed, "bedroom", GARMENTS)


def draw_unseen_bedroom(seed: int) -> Bedroom:
    """Generate the bedroom of a seed with a garment of a kind that is held out from training."""
    return _draw(seed, "bedroom_unseen", UNSEEN_GARMENTS)


def _draw(seed: int, kind: str, garments: Mapping[str, Maker]) -> Bedroom:
    rng = np.random.Generator(np.random.PCG64([seed, _STREAM]))
    layout = _draw_layout(rng)
    look = _draw_look(rng, layout)
    odom = layout.start.inverse()  # Pose of the room's frame in odom.
    head, half = layout.head, layout.length / 2
    covered = FloorPose(0.42, head * (0.04 + BLANKET[1] / 2 - half), 0.0)
    pillow_y = head * (half - 0.05 - PILLOW[1] / 2)
    places = (FloorPose(0.20, pillow_y, 0.0), FloorPose(0.58, pillow_y, 0.0))
    # Towards the head and the front, and turned.
    start = (-_between(rng, 0.0, 0.05), head * _between(rng, 0.18, 0.32), _between(rng, -0.2, 0.2))
    # A turned blanket lies nearer to the front, or its corner would be in the wall.
    across = (BLANKET[0] * math.cos(start[2]) + BLANKET[1] * abs(math.sin(start[2]))) / 2
    start = (min(start[0], _round(DEPTH - _WALL_GAP - across - covered.x)), *start[1:])
    blanket = make_blanket(
        rng, look.blanket, look.hem, odom.compose(covered), layout.height, head, start
    )
    stand = FloorPose(DEPTH - NIGHTSTAND[0], head * (half + 0.08 + NIGHTSTAND[1] / 2), 0.0)
    bedroom = Bedroom(
        seed=seed,
        kind=kind,
        walls=dataclasses.replace(layout.walls, pose=odom),
        look=look,
        surfaces=(
            Surface("bed", odom, layout.length, DEPTH, layout.height),
            Surface("nightstand", odom.compose(stand), NIGHTSTAND[1], *NIGHTSTAND[::2]),
        ),
        containers=(
            Container(
                "basket", "the basket", "", odom.compose(layout.basket),
                (BASKET, BASKET, layout.rim - 0.02), layout.rim,
            ),
        ),
        fixtures=(blanket,),
        items=_items(rng, odom, layout, look, garments, stand),
        head=head,
        pillow_places=(odom.compose(places[0]), odom.compose(places[1])),
    )  # fmt: skip
    return dataclasses.replace(bedroom, furniture=bedroom_parts(bedroom))


def _draw_layout(rng: np.random.Generator) -> _Layout:
    head: Literal[-1, 1] = 1 if rng.uniform() < 0.5 else -1
    length, height = _between(rng, 1.84, 1.98), _between(rng, 0.45, 0.54)
    half = length / 2
    if rng.uniform() < 0.5:  # The garment lies nearer to the bed than the basket stands.
        near = _between(rng, 0.62, 0.75)
        garment, basket = near, near + _between(rng, 0.55, 0.7)
    else:
        near = _between(rng, 0.55, 0.65)
        basket, garment = near, near + _between(rng, 0.6, 0.75)
    beyond = max(garment, basket) + _between(rng, 0.45, 0.7)
    ends = sorted((head * (half + _between(rng, 0.55, 0.8)), -head * (half + beyond)))
    back = -_between(rng, 2.9, 3.5)
    return _Layout(
        head=head,
        length=length,
        height=height,
        garment=FloorPose(
            _between(rng, -0.15, 0.05), -head * (half + garment), _between(rng, -0.7, 0.7)
        ),
        basket=FloorPose(_between(rng, 0.42, 0.54), -head * (half + basket), 0.0),
        rim=_between(rng, 0.30, 0.38),
        walls=Walls(FloorPose(0.0, 0.0, 0.0), (back, DEPTH), (ends[0], ends[1]), 2.5),
        start=FloorPose(
            -_between(rng, *_START_DISTANCE),
            -head * _between(rng, -0.3, 0.9),
            _between(rng, -_START_YAW, _START_YAW),
        ),
    )


def _draw_look(rng: np.random.Generator, layout: _Layout) -> BedroomLook:
    def pick(*colors: tuple[float, float, float]) -> Color:
        color = np.array(colors[int(rng.integers(len(colors)))]) + rng.uniform(-0.03, 0.03, 3)
        r, g, b = (_round(c) for c in np.clip(color, 0, 1))
        return (r, g, b, 1.0)

    return BedroomLook(
        wall=pick((0.90, 0.88, 0.84), (0.78, 0.84, 0.88), (0.88, 0.82, 0.80), (0.82, 0.86, 0.78)),
        floor=pick((0.66, 0.50, 0.34), (0.52, 0.38, 0.26), (0.74, 0.70, 0.64), (0.56, 0.54, 0.52)),
        floor_pattern="wood" if rng.uniform() < 0.8 else "checker",
        wood=pick((0.45, 0.30, 0.18), (0.72, 0.55, 0.36), (0.90, 0.89, 0.86), (0.28, 0.27, 0.28)),
        sheet=pick((0.95, 0.95, 0.94), (0.86, 0.89, 0.93), (0.94, 0.90, 0.84)),
        blanket=pick(
            (0.25, 0.34, 0.55), (0.55, 0.28, 0.28), (0.35, 0.48, 0.36), (0.80, 0.66, 0.36),
            (0.46, 0.40, 0.52),
        ),
        hem=pick((0.93, 0.92, 0.90), (0.85, 0.80, 0.70)),
        rug=pick((0.62, 0.40, 0.36), (0.38, 0.46, 0.52), (0.80, 0.76, 0.68)),
        basket=pick((0.72, 0.56, 0.36), (0.55, 0.42, 0.28), (0.85, 0.83, 0.78)),
        sky=pick((0.66, 0.83, 0.96), (0.82, 0.88, 0.93), (0.97, 0.82, 0.64)),
        curtain=pick((0.85, 0.80, 0.74), (0.60, 0.66, 0.70), (0.74, 0.56, 0.50)),
        light_direction=(_between(rng, 0.15, 0.8), _between(rng, -0.6, 0.6), -1.0),
        light=_between(rng, 0.32, 0.5),
        ambient=_between(rng, 0.40, 0.52),
        window=_between(rng, -0.4, 0.4),
        wardrobe=_round(layout.head * _between(rng, -0.6, 0.6)),
    )  # fmt: skip


def _items(
    rng: np.random.Generator,
    odom: FloorPose,
    layout: _Layout,
    look: BedroomLook,
    garments: Mapping[str, Maker],
    stand: FloorPose,
) -> tuple[Item, ...]:
    """Draw garment, pillows and things that are no part of a task."""
    shades = [n for n, c in COLORS.items() if math.dist(c[:3], look.floor[:3]) >= _CONTRAST]
    kind = str(rng.choice(list(garments)))
    garment = garments[kind](rng, str(rng.choice(shades)))
    found = [
        _item(garment, "the " + garment.label, odom, layout.garment, 0.0, "floor", 1, "basket")
    ]
    head, half = layout.head, layout.length / 2
    shades = [n for n in _PILLOWS if math.dist(COLORS[n][:3], look.blanket[:3]) >= _CONTRAST]
    colors = [str(name) for name in rng.permutation(shades)[:2]]
    # From the bed's foot [m]: 0.38 apart or more, so that turned pillows do not touch.
    spots = (_between(rng, 0.20, 0.28), _between(rng, 0.66, 0.76))
    for number, (color, spot) in enumerate(zip(colors, rng.permutation(spots), strict=True), 1):
        pillow = make_pillow(rng, color)
        place = FloorPose(
            _between(rng, 0.26, 0.46), head * (float(spot) - half), _between(rng, -0.3, 0.3)
        )
        phrase = f"the {color} pillow"
        found.append(_item(pillow, phrase, odom, place, layout.height, "bed", number))
    top = NIGHTSTAND[2]
    makers = [(make_lamp, 0.1), (make_book, -0.08), (make_clock, -0.09)]
    for maker, aside in (makers[0], makers[1 + int(rng.integers(2))]):
        design = maker(rng, str(rng.choice(list(COLORS))))
        place = stand.compose(FloorPose(0.2, aside, _between(rng, -0.3, 0.3)))
        found.append(_item(design, "the " + design.label, odom, place, top, "nightstand"))
    if rng.uniform() < 0.6:
        shoe = make_shoe(rng, str(rng.choice(list(COLORS))))
        y = 0.5 * (layout.garment.y + layout.basket.y)
        turn = _between(rng, -0.3, 0.3)
        length, width, _ = shoe.size
        across = (length * math.cos(turn) + width * abs(math.sin(turn))) / 2
        place = FloorPose(_round(DEPTH - _WALL_GAP - across), _round(y), turn)
        if abs(place.y - layout.basket.y) > BASKET / 2 + 0.16:
            found.append(_item(shoe, "the shoes", odom, place, 0.0, "floor"))
    return tuple(found)


def _item(
    design: Design,
    phrase: str,
    odom: FloorPose,
    place: FloorPose,
    height: float,
    surface: str,
    number: int = 1,
    belongs_in: str = "",
) -> Item:
    pose = odom.compose(place)
    return Item(
        name=f"{design.kind}_{number}",
        phrase=phrase,
        design=design,
        position=(pose.x, pose.y, height),
        yaw=pose.yaw,
        surface=surface,
        is_dish=False,
        belongs_in=belongs_in,
    )


def _round(value: float) -> float:
    """Round a length or angle to 0.1 mm or 0.1 mrad, for equal results on every machine."""
    return round(float(value), 4)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return _round(rng.uniform(low, high))
