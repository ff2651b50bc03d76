"""Garments, the items of the laundry task: rigid pieces that look like crumpled cloth."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.sim.homes.dishes import Maker
from pi05_ros.sim.homes.items import COLORS, Design, Grasp, centred, collision_box, draw
from pi05_ros.sim.homes.parts import ALONG_X, Color, Part, about_z, lying

_MASS = 0.25  # [kg]
_SHADE = 0.86  # Brightness of the folds that lie lower.


def _heap(
    rng: np.random.Generator, color: Color, x: float, y: float, folds: int
) -> tuple[Part, ...]:
    """Make a heap of cloth with half lengths x, y [m]: a flat base, and folds in two shades."""
    dark: Color = (*(float(_SHADE * c) for c in color[:3]), 1.0)  # type: ignore[assignment]
    parts = [Part("ellipsoid", (x, y, 0.022), (0.0, 0.0, 0.022), color=dark, shine=0.05)]
    for number in range(folds):
        angle = 2 * math.pi * number / folds + draw(rng, -0.4, 0.4)
        out = draw(rng, 0.3, 0.5)
        place = (out * x * math.cos(angle), out * y * math.sin(angle), draw(rng, 0.028, 0.036))
        size = (draw(rng, 0.4, 0.55) * x, draw(rng, 0.22, 0.3) * y, draw(rng, 0.016, 0.022))
        turn = about_z(draw(rng, -1.5, 1.5))
        parts.append(
            Part("ellipsoid", size, place, turn, color if number % 2 else dark, shine=0.05)
        )
    parts.append(  # The fold at which it is picked up.
        Part("ellipsoid", (0.5 * x, 0.024, 0.03), (0.0, 0.0, 0.04), color=color, shine=0.05)
    )
    return tuple(parts)


def _garment(kind: str, color_name: str, parts: tuple[Part, ...], x: float, y: float) -> Design:
    """Make a garment that is grasped across the fold on its top, which runs along x."""
    grasp = Grasp((0.0, 0.0, 0.058), 0.012, along=0.0)
    box = collision_box(0.85 * x, 0.85 * y, 0.05)
    return centred(Design(kind, kind, color_name, (*parts, box), _MASS, grasp))


def make_shirt(rng: np.random.Generator, color_name: str) -> Design:
    """Make a crumpled shirt with a white collar."""
    x, y = draw(rng, 0.11, 0.13), draw(rng, 0.085, 0.1)
    parts = _heap(rng, COLORS[color_name], x, y, 5)
    collar = COLORS["white" if color_name != "white" else "blue"]
    ring = Part("capsule", (0.009, 0.03), (0.62 * x, 0.25 * y, 0.042), lying(0.9), collar)
    return _garment("shirt", color_name, (*parts, ring), x, y)


def make_towel(rng: np.random.Generator, color_name: str) -> Design:
    """Make a towel with stripes at one end."""
    x, y = draw(rng, 0.12, 0.14), draw(rng, 0.075, 0.09)
    color = COLORS[color_name]
    stripe = COLORS["white" if color_name != "white" else "teal"]
    parts = [Part("box", (x, y, 0.014), (0.0, 0.0, 0.014), color=color, shine=0.05)]
    for offset in (-0.72, -0.5):
        parts.append(
            Part("box", (0.012, y + 0.001, 0.0145), (offset * x, 0.0, 0.0145), color=stripe)
        )
    parts += _heap(rng, color, 0.62 * x, 0.7 * y, 3)
    return _garment("towel", color_name, tuple(parts), x, y)


def make_trousers(rng: np.random.Generator, color_name: str) -> Design:
    """Make trousers with two legs along x."""
    x, y = draw(rng, 0.13, 0.15), draw(rng, 0.08, 0.09)
    color = COLORS[color_name]
    legs = tuple(
        Part("capsule", (0.028, 0.42 * x), (-0.45 * x, side * 0.48 * y, 0.028), ALONG_X, color)
        for side in (-1, 1)
    )
    belt = Part("box", (0.012, 0.6 * y, 0.012), (0.86 * x, 0.0, 0.03), color=COLORS["black"])
    return _garment("trousers", color_name, (*legs, belt, *_heap(rng, color, x, y, 3)), x, y)


def make_sweater(rng: np.random.Generator, color_name: str) -> Design:
    """Make a thick sweater with two sleeves."""
    x, y = draw(rng, 0.12, 0.13), draw(rng, 0.1, 0.11)
    color = COLORS[color_name]
    sleeves = tuple(
        Part("capsule", (0.024, 0.35 * x), (0.1 * x, side * 0.8 * y, 0.024), lying(0.5), color)
        for side in (-1, 1)
    )
    return _garment("sweater", color_name, (*sleeves, *_heap(rng, color, x, y, 6)), x, y)


def make_sock(rng: np.random.Generator, color_name: str) -> Design:
    """Make a pair of socks, rolled up."""
    x, y = draw(rng, 0.07, 0.08), draw(rng, 0.05, 0.06)
    return _garment("sock", color_name, _heap(rng, COLORS[color_name], x, y, 2), x, y)


def make_skirt(rng: np.random.Generator, color_name: str) -> Design:
    """Make a skirt with a waistband."""
    x, y = draw(rng, 0.11, 0.12), draw(rng, 0.09, 0.1)
    band = Part("box", (0.5 * x, 0.01, 0.012), (0.0, 0.82 * y, 0.025), color=COLORS["white"])
    return _garment("skirt", color_name, (band, *_heap(rng, COLORS[color_name], x, y, 7)), x, y)


def make_jacket(rng: np.random.Generator, color_name: str) -> Design:
    """Make a jacket with a dark lining and buttons."""
    x, y = draw(rng, 0.13, 0.14), draw(rng, 0.1, 0.11)
    lining = Part("ellipsoid", (0.6 * x, 0.4 * y, 0.024), (-0.2 * x, 0.3 * y, 0.03),
                  color=COLORS["black"], shine=0.05)  # fmt: skip
    buttons = tuple(
        Part("sphere", (0.007,), (offset * x, -0.5 * y, 0.046), color=COLORS["yellow"])
        for offset in (-0.3, 0.0, 0.3)
    )
    heap = _heap(rng, COLORS[color_name], x, y, 5)
    return _garment("jacket", color_name, (*heap, lining, *buttons), x, y)


GARMENTS: dict[str, Maker] = {
    "shirt": make_shirt,
    "towel": make_towel,
    "trousers": make_trousers,
    "sweater": make_sweater,
}
# Kinds that no bedroom for training has.
UNSEEN_GARMENTS: dict[str, Maker] = {
    "sock": make_sock,
    "skirt": make_skirt,
    "jacket": make_jacket,
}
