"""A kitchen's drawer: where it is in the counter's front, its parts, and how it moves."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pi05_ros.sim.homes.furniture import (
    BASIN_WALL,
    BAY_HEIGHT,
    CHROME,
    WORKTOP,
    cupboard_spans,
    door_color,
)
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.items import Grasp, draw
from pi05_ros.sim.homes.parts import ALONG_X, ALONG_Y, Color, Part
from pi05_ros.sim.homes.room import Container, Fixture, FixtureJoint, Surface
from pi05_ros.sim.homes.shapes import Span, box

NAME, PHRASE = "drawer_1", "the drawer"
INNER_WIDTH = (0.36, 0.42)  # Along the counter [m].
INNER_DEPTH, INNER_HEIGHT = 0.32, 0.10  # [m]
TRAVEL = (0.26, 0.30)  # Largest opening [m].
HANDLE_FRONT = 0.07  # From the counter's front edge to the bar: room for a hand beside it [m].
HANDLE_BELOW = 0.10  # From the top of the counter down to the bar [m].
_FLOOR_BELOW = 0.195  # From the top of the counter down to the drawer's floor [m].
_PANEL = (-0.002, 0.03)  # Front and back, so that a hand that pushes it clears the worktop [m].
_WALL, _BOTTOM = 0.012, 0.016  # Thickness of the sides and of the floor [m].
_MASS = 2.5  # [kg]
_DAMPING, _FRICTION = 8.0, 3.0  # [N s/m], [N]: it stays where it is let go.


class DrawerPlan(NamedTuple):
    """What is drawn about a drawer, in the frame of its counter."""

    bay: Span  # The cupboard's section of the front that it is in, along y [m].
    width: float  # Inner width [m].
    travel: float  # Largest opening [m].
    inside: Color


def draw_drawer(rng: np.random.Generator, length: float, basin: Span, oven: int) -> DrawerPlan:
    """Draw a drawer in the front of a kitchen's main counter.

    Args:
        rng: The generator.
        length: Of the counter [m].
        basin: Extent of the basin along the counter's y [m]: no drawer goes below it.
        oven: Index of the section of the front that is an oven.
    """
    low, high = basin[0] - BASIN_WALL, basin[1] + BASIN_WALL
    bays = [
        span
        for i, span in enumerate(cupboard_spans(length))
        if i != oven and (span[1] <= low or span[0] >= high)
    ]
    tone = float(rng.uniform(0.0, 1.0))
    light, wood = np.array([0.93, 0.92, 0.9]), np.array([0.76, 0.6, 0.42])
    r, g, b = (round(float(c), 3) for c in light + tone * (wood - light))
    return DrawerPlan(
        bay=bays[int(rng.integers(len(bays)))],
        width=draw(rng, *INNER_WIDTH),
        travel=draw(rng, *TRAVEL),
        inside=(r, g, b, 1.0),
    )


def drawer_fixture(plan: DrawerPlan, counter: Surface, cabinet: Color) -> Fixture:
    """Make the drawer as moving furniture.

    Its frame is on the counter's front edge in the middle of the drawer, at the height of the
    drawer's floor; x points to the back. The drawer opens along -x.

    Args:
        plan: What was drawn.
        counter: Its counter, in odom.
        cabinet: Colour of the cupboards.
    """
    middle = (plan.bay[0] + plan.bay[1]) / 2
    bar = (-HANDLE_FRONT, 0.0, _FLOOR_BELOW - HANDLE_BELOW)
    joint = FixtureJoint(
        "slide", (-1.0, 0.0, 0.0), (0.0, plan.travel), damping=_DAMPING, friction=_FRICTION
    )
    return Fixture(
        name=NAME,
        phrase=PHRASE,
        pose=counter.pose.compose(FloorPose(0.0, middle, 0.0)),
        height=counter.height - _FLOOR_BELOW,
        parts=(*_box_parts(plan), *_front(plan, cabinet, bar)),
        mass=_MASS,
        joints=(joint,),
        grasp=Grasp(bar, 0.016, along=math.pi / 2),
    )


def drawer_container(plan: DrawerPlan, fixture: Fixture, counter: Surface) -> Container:
    """Make the drawer's box as a container that moves with the fixture."""
    place = fixture.pose.compose(FloorPose(_PANEL[1] + INNER_DEPTH / 2, 0.0, 0.0))
    size = (INNER_DEPTH, plan.width, INNER_HEIGHT)
    top = fixture.height + INNER_HEIGHT
    return Container(NAME, PHRASE, counter.name, place, size, top, fixture.name)


def _box_parts(plan: DrawerPlan) -> list[Part]:
    """Make the floor and the three walls behind the panel."""
    half, (front, back) = plan.width / 2, (_PANEL[1], _PANEL[1] + INNER_DEPTH)

    def board(x: Span, y: Span, z: Span) -> Part:
        return box(x, y, z, plan.inside, collides=True)

    sides, height = (front, back + _WALL), (0.0, INNER_HEIGHT)
    return [
        board(sides, (-half - _WALL, half + _WALL), (-_BOTTOM, 0.0)),
        board(sides, (half, half + _WALL), height),
        board(sides, (-half - _WALL, -half), height),
        board((back, back + _WALL), (-half, half), height),
    ]


def _front(plan: DrawerPlan, cabinet: Color, bar: tuple[float, float, float]) -> list[Part]:
    """Make the panel and its handle, a bar along y on two posts."""
    half, top = (plan.bay[1] - plan.bay[0]) / 2, _FLOOR_BELOW - WORKTOP
    y, z = (-half + 0.006, half - 0.006), (top - BAY_HEIGHT + 0.006, top - 0.006)
    length, post = 0.075, (_PANEL[0] - bar[0]) / 2
    return [
        box(_PANEL, y, z, door_color(cabinet), collides=True),
        Part("capsule", (0.008, length), bar, ALONG_Y, CHROME, shine=0.9),
        *(
            Part("cylinder", (0.006, post), (bar[0] + post, side, bar[2]), ALONG_X, CHROME)
            for side in (-0.8 * length, 0.8 * length)
        ),
    ]
