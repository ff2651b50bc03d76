"""Things on a laboratory's table: coloured blocks, and others that no home has."""

from __future__ import annotations

import numpy as np

from pi05_ros.sim.homes.dishes import Maker
from pi05_ros.sim.homes.items import (
    BLACK,
    COLORS,
    SILVER,
    Design,
    Grasp,
    centred,
    collision_box,
    draw,
    tumbler,
)
from pi05_ros.sim.homes.parts import ALONG_X, Part


def make_block(rng: np.random.Generator, color_name: str) -> Design:
    """Make a painted wooden block, a little longer along x."""
    x, y, h = draw(rng, 0.022, 0.034), draw(rng, 0.018, 0.022), draw(rng, 0.036, 0.05)
    half = (x, y, h / 2)
    part = Part("box", half, (0, 0, h / 2), color=COLORS[color_name], shine=0.3, collides=True)
    grasp = Grasp((0, 0, h - 0.012), 2 * y, along=0.0)
    return Design("block", "block", color_name, (part,), 0.08, grasp)


def make_battery(rng: np.random.Generator, color_name: str) -> Design:
    """Make a large battery cell: a steel cylinder in a coloured sleeve, with a pole on top."""
    r, h = draw(rng, 0.026, 0.031), draw(rng, 0.08, 0.11)
    parts = (
        Part("cylinder", (r, h / 2), (0, 0, h / 2), color=SILVER, shine=0.9),
        Part("cylinder", (0.35 * r, 0.003), (0, 0, h + 0.003), color=SILVER, shine=0.9),
        Part(
            "cylinder", (r + 0.0008, 0.36 * h), (0, 0, h / 2), color=COLORS[color_name], shine=0.1
        ),
        collision_box(0.75 * r, 0.75 * r, h),
    )
    return Design("battery", "battery", "", parts, 0.2, Grasp((0, 0, h - 0.015), 2 * r))


def make_ball(rng: np.random.Generator, color_name: str) -> Design:
    """Make a rubber ball with a stripe; it collides as a box, so that it does not roll."""
    r = draw(rng, 0.026, 0.032)
    parts = (
        Part("sphere", (r,), (0, 0, r), color=COLORS[color_name], shine=0.3),
        Part("cylinder", (r + 0.0006, 0.005), (0, 0, r), color=COLORS["white"]),
        collision_box(0.7 * r, 0.7 * r, 1.9 * r),
    )
    return Design("ball", "ball", "", parts, 0.08, Grasp((0, 0, 1.1 * r), 2 * r))


def make_wrench(rng: np.random.Generator, color_name: str) -> Design:
    """Make an open-ended wrench, its handle along x."""
    half, y = draw(rng, 0.06, 0.07), 0.009
    parts = (
        Part("box", (0.75 * half, y, 0.005), (0, 0, 0.006), color=SILVER, shine=0.9),
        *(
            Part("box", (0.014, 0.006, 0.006), (side * 0.88 * half, jaw * 0.013, 0.006),
                 color=SILVER, shine=0.9)
            for side in (-1, 1)
            for jaw in (-1, 1)
        ),
        *(
            Part("cylinder", (0.017, 0.006), (side * 0.72 * half, 0, 0.006), color=SILVER,
                 shine=0.9)
            for side in (-1, 1)
        ),
        collision_box(half, 0.014, 0.014),
    )  # fmt: skip
    return Design("wrench", "wrench", "", parts, 0.2, Grasp((0, 0, 0.016), 2 * y, along=0.0))


def make_beaker(rng: np.random.Generator, color_name: str) -> Design:
    """Make a glass beaker with a coloured liquid; graspable all around its rim."""
    r, h = draw(rng, 0.03, 0.036), draw(rng, 0.07, 0.085)
    liquid = (*COLORS[color_name][:3], 1.0)
    parts = (
        Part("cylinder", (0.9 * r, 0.2 * h), (0, 0, 0.2 * h + 0.004), color=liquid),
        Part("lathe", profile=tumbler(r, r, h, 0.003), color=(0.8, 0.9, 0.92, 0.4), shine=0.9),
        collision_box(0.72 * r, 0.72 * r, h),
    )
    grasp = Grasp((0, 0, h - 0.008), 0.01, r - 0.0015)
    return Design("beaker", "beaker", "", parts, 0.12, grasp)


def make_brush(rng: np.random.Generator, color_name: str) -> Design:
    """Make a paint brush, its handle along x."""
    half, y = draw(rng, 0.075, 0.085), 0.016
    parts = (
        Part("capsule", (0.009, 0.42 * half), (-0.4 * half, 0, 0.012), ALONG_X,
             COLORS[color_name], shine=0.5),
        Part("box", (0.15 * half, y, 0.009), (0.28 * half, 0, 0.012), color=SILVER, shine=0.8),
        Part("box", (0.28 * half, 0.95 * y, 0.007), (0.7 * half, 0, 0.012), color=BLACK, shine=0),
        collision_box(0.95 * half, 0.85 * y, 0.024),
    )  # fmt: skip
    grasp = Grasp((-0.35 * half, 0, 0.018), 0.018, along=0.0)
    return centred(Design("brush", "brush", "", parts, 0.08, grasp))


BLOCK_COLORS = ("red", "blue", "green", "yellow", "orange", "teal")
OTHERS: dict[str, Maker] = {
    "battery": make_battery,
    "ball": make_ball,
    "wrench": make_wrench,
    "beaker": make_beaker,
    "brush": make_brush,
}
KINDS = ("block", *OTHERS)
