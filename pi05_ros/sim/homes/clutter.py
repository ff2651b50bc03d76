"""Clutter: items on the counters that are not dishes and no part of a task."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.sim.homes.dishes import Maker
from pi05_ros.sim.homes.geometry import quaternion_multiply
from pi05_ros.sim.homes.items import (
    BLACK,
    COLORS,
    SILVER,
    Design,
    centred,
    collision_box,
    draw,
    tumbler,
)
from pi05_ros.sim.homes.parts import ALONG_X, Color, Part, Quaternion, about_y, about_z


def make_cereal(rng: np.random.Generator, color_name: str) -> Design:
    """Make a cereal box with a label on its broad sides."""
    x, y, h = 0.03, draw(rng, 0.08, 0.1), draw(rng, 0.24, 0.3)
    label = COLORS["yellow" if color_name != "yellow" else "red"]
    parts = (
        Part("box", (x, y, h / 2), (0, 0, h / 2), color=COLORS[color_name], collides=True),
        Part("box", (x + 0.001, 0.7 * y, 0.14 * h), (0, 0, 0.68 * h), color=label),
        Part("cylinder", (0.5 * y, x + 0.001), (0, 0, 0.3 * h), ALONG_X, COLORS["white"]),
    )
    return Design("cereal", "cereal box", color_name, parts, 0.4)


def _fruit(kind: str, r: float, color: Color, stretch: float = 1.0) -> Design:
    """Make a round fruit with a collision box, so that it does not roll."""
    parts = (
        Part("ellipsoid", (r * stretch, r, r), (0, 0, r), color=color, shine=0.4),
        Part("capsule", (0.003, 0.006), (0, 0, 2 * r), color=(0.4, 0.27, 0.15, 1.0)),
        collision_box(0.7 * r * stretch, 0.7 * r, 1.7 * r),
    )
    return Design(kind, kind, "", parts, 0.15)


def make_apple(rng: np.random.Generator, color_name: str) -> Design:
    """Make an apple."""
    return _fruit("apple", draw(rng, 0.034, 0.04), (0.72, 0.15, 0.1, 1.0))


def make_lemon(rng: np.random.Generator, color_name: str) -> Design:
    """Make a lemon."""
    return _fruit("lemon", draw(rng, 0.026, 0.03), (0.95, 0.85, 0.2, 1.0), 1.3)


def make_kettle(rng: np.random.Generator, color_name: str) -> Design:
    """Make a kettle with its spout along x."""
    r, h = draw(rng, 0.075, 0.085), draw(rng, 0.16, 0.19)
    color = COLORS[color_name] if color_name != "white" else SILVER
    profile = ((0, 0), (r, 0), (1.02 * r, 0.3 * h), (0.8 * r, 0.75 * h), (0.4 * r, 0.86 * h),
               (0, 0.88 * h))  # fmt: skip
    parts = (
        Part("lathe", profile=profile, color=color, shine=0.8),
        Part("sphere", (0.012,), (0, 0, 0.91 * h), color=BLACK),
        Part("capsule", (0.011, 0.04), (0.98 * r, 0, 0.62 * h), about_y(0.75), color),
        Part("capsule", (0.009, 0.035), (-1.25 * r, 0, 0.55 * h), color=BLACK),
        Part("capsule", (0.009, 0.03), (-0.95 * r, 0, 0.8 * h), ALONG_X, BLACK),
        collision_box(0.8 * r, 0.8 * r, 0.9 * h),
    )
    return centred(Design("kettle", "kettle", color_name, parts, 1.0))


def make_bottle(rng: np.random.Generator, color_name: str) -> Design:
    """Make a bottle of washing-up liquid."""
    r, h = draw(rng, 0.03, 0.036), draw(rng, 0.19, 0.24)
    neck = 0.42 * r
    profile = ((0, 0), (r, 0), (r, 0.62 * h), (neck, 0.8 * h), (neck, 0.9 * h), (0, 0.9 * h))
    parts = (
        Part("lathe", profile=profile, color=COLORS[color_name], shine=0.5),
        Part("cylinder", (0.45 * r, 0.05 * h), (0, 0, 0.95 * h), color=COLORS["white"]),
        collision_box(0.72 * r, 0.72 * r, h),
    )
    return Design("bottle", "bottle", color_name, parts, 0.5)


def make_plant(rng: np.random.Generator, color_name: str) -> Design:
    """Make a herb in a pot."""
    r, h = draw(rng, 0.05, 0.06), draw(rng, 0.085, 0.1)
    leaves = [_leaf(rng, h) for _ in range(7)]
    parts = (
        Part("lathe", profile=tumbler(0.7 * r, r, h, 0.006), color=(0.73, 0.4, 0.28, 1.0)),
        Part("cylinder", (0.86 * r, 0.004), (0, 0, 0.86 * h), color=(0.2, 0.14, 0.1, 1.0)),
        *leaves,
        collision_box(0.7 * r, 0.7 * r, h),
    )
    return centred(Design("plant", "plant", "", parts, 0.6))


def _leaf(rng: np.random.Generator, foot: float) -> Part:
    """Make a leaf with a random direction, starting at the height `foot` [m]."""
    heading = float(rng.uniform(0, 2 * math.pi))
    tilt, reach = float(rng.uniform(0.1, 0.7)), float(rng.uniform(0.05, 0.08))
    across, up = reach * math.sin(tilt), reach * math.cos(tilt)
    place = (across * math.cos(heading), across * math.sin(heading), foot + up)
    green = (0.16, round(float(rng.uniform(0.42, 0.6)), 3), 0.2, 1.0)
    return Part("ellipsoid", (0.024, 0.016, 0.034), place, _leaning(tilt, heading), green)


def _leaning(tilt: float, heading: float) -> Quaternion:
    """Return the rotation that tilts z by `tilt` [rad] towards the direction `heading` [rad]."""
    turned = quaternion_multiply(np.array(about_z(heading)), np.array(about_y(tilt)))
    w, x, y, z = turned.tolist()
    return (w, x, y, z)


CLUTTER: dict[str, Maker] = {
    "cereal": make_cereal,
    "apple": make_apple,
    "lemon": make_lemon,
    "kettle": make_kettle,
    "bottle": make_bottle,
    "plant": make_plant,
}
