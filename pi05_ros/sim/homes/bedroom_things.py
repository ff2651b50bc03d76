"""Things in a bedroom that are no part of a task."""

from __future__ import annotations

import numpy as np

from pi05_ros.sim.homes.items import BLACK, COLORS, Design, centred, collision_box, draw
from pi05_ros.sim.homes.parts import ALONG_X, Part


def make_lamp(rng: np.random.Generator, color_name: str) -> Design:
    """Make a table lamp with a shade."""
    h, r = draw(rng, 0.26, 0.32), draw(rng, 0.06, 0.075)
    shade = ((0.95 * r, 0.62 * h), (0.6 * r, h), (0.58 * r, h), (0.93 * r, 0.62 * h))
    parts = (
        Part("cylinder", (0.05, 0.008), (0.0, 0.0, 0.008), color=COLORS[color_name], shine=0.5),
        Part("capsule", (0.008, 0.3 * h), (0.0, 0.0, 0.35 * h), color=COLORS[color_name]),
        Part("lathe", profile=shade, color=(0.96, 0.92, 0.80, 1.0)),
        collision_box(0.05, 0.05, 0.7 * h),
    )
    return Design("lamp", "lamp", "", parts, 0.8)


def make_book(rng: np.random.Generator, color_name: str) -> Design:
    """Make a closed book."""
    x, y, h = 0.065, draw(rng, 0.085, 0.1), draw(rng, 0.018, 0.03)
    parts = (
        Part("box", (x, y, h / 2), (0.0, 0.0, h / 2), color=COLORS[color_name], collides=True),
        Part("box", (x - 0.004, y + 0.001, 0.35 * h), (0.004, 0.0, h / 2), color=COLORS["white"]),
    )
    return Design("book", "book", color_name, parts, 0.3)


def make_clock(rng: np.random.Generator, color_name: str) -> Design:
    """Make an alarm clock whose face looks along -x."""
    r = draw(rng, 0.045, 0.055)
    parts = (
        Part("cylinder", (r, 0.02), (0.0, 0.0, r), ALONG_X, COLORS[color_name], shine=0.5),
        Part("cylinder", (0.85 * r, 0.0205), (-0.001, 0.0, r), ALONG_X, COLORS["white"]),
        Part("box", (0.001, 0.003, 0.3 * r), (-0.0225, 0.0, 1.25 * r), color=BLACK),
        Part("box", (0.001, 0.2 * r, 0.003), (-0.0225, 0.18 * r, r), color=BLACK),
        collision_box(0.02, 0.8 * r, 2 * r),
    )
    return centred(Design("clock", "alarm clock", "", parts, 0.3))


def make_shoe(rng: np.random.Generator, color_name: str) -> Design:
    """Make a pair of shoes, side by side along x."""
    color, parts = COLORS[color_name], []
    for side in (-1, 1):
        y = side * 0.055
        parts += [
            Part("ellipsoid", (0.13, 0.045, 0.04), (0.0, y, 0.04), color=color),
            Part("ellipsoid", (0.055, 0.04, 0.05), (-0.065, y, 0.055), color=color),
            Part("box", (0.12, 0.038, 0.008), (0.0, y, 0.008), color=COLORS["white"]),
        ]
    return Design("shoe", "shoes", color_name, (*parts, collision_box(0.12, 0.095, 0.07)), 0.6)
