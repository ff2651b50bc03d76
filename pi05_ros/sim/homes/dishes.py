"""Dishes, the items of the kitchen tasks. Each maker draws random proportions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

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


def make_plate(rng: np.random.Generator, color_name: str) -> Design:
    """Make a dinner plate; graspable all around its rim."""
    r, h = draw(rng, 0.085, 0.105), draw(rng, 0.016, 0.022)
    profile = ((0, 0), (0.6 * r, 0), (r, h), (r - 0.002, h + 0.003), (0.62 * r, 0.006), (0, 0.005))
    parts = (
        Part("lathe", profile=profile, color=COLORS[color_name], shine=0.6),
        collision_box(0.68 * r, 0.68 * r, h),
    )
    return Design("plate", "plate", color_name, parts, 0.35, Grasp((0, 0, h), 0.01, r - 0.004))


def make_bowl(rng: np.random.Generator, color_name: str) -> Design:
    """Make a cereal bowl; graspable all around its rim."""
    r, h = draw(rng, 0.062, 0.08), draw(rng, 0.048, 0.062)
    outside = ((0, 0), (0.5 * r, 0), (0.82 * r, 0.35 * h), (0.96 * r, 0.7 * h), (r, h))
    inside = ((r - 0.005, h), (0.9 * r, 0.7 * h), (0.74 * r, 0.36 * h), (0.45 * r, 0.1 * h))
    profile = (*outside, *inside, (0, 0.08 * h))
    parts = (
        Part("lathe", profile=profile, color=COLORS[color_name], shine=0.6),
        collision_box(0.66 * r, 0.66 * r, h),
    )
    grasp = Grasp((0, 0, h - 0.005), 0.01, r - 0.004)
    return Design("bowl", "bowl", color_name, parts, 0.3, grasp)


def make_cup(rng: np.random.Generator, color_name: str) -> Design:
    """Make a cup without a handle, wider at the top; graspable all around its rim."""
    r, h = draw(rng, 0.036, 0.042), draw(rng, 0.075, 0.095)
    parts = (
        Part("lathe", profile=tumbler(0.72 * r, r, h, 0.004), color=COLORS[color_name], shine=0.5),
        collision_box(0.7 * r, 0.7 * r, h),
    )
    return Design("cup", "cup", color_name, parts, 0.2, Grasp((0, 0, h - 0.008), 0.01, r - 0.004))


def make_mug(rng: np.random.Generator, color_name: str) -> Design:
    """Make a straight mug with a handle along x; graspable all around its rim."""
    r, h, reach = draw(rng, 0.038, 0.043), draw(rng, 0.085, 0.1), 0.028
    color = COLORS[color_name]
    parts = (
        Part("lathe", profile=tumbler(r, r, h, 0.004), color=color, shine=0.5),
        Part("capsule", (0.006, reach / 2), (r + reach / 2, 0, 0.78 * h), ALONG_X, color),
        Part("capsule", (0.006, 0.28 * h), (r + reach, 0, 0.5 * h), color=color),
        Part("capsule", (0.006, reach / 2), (r + reach / 2, 0, 0.22 * h), ALONG_X, color),
        collision_box(0.7 * r, 0.7 * r, h),
    )
    grasp = Grasp((0, 0, h - 0.008), 0.01, r - 0.003)
    return centred(Design("mug", "mug", color_name, parts, 0.3, grasp))


def make_glass(rng: np.random.Generator, color_name: str) -> Design:
    """Make a tall transparent drinking glass; graspable all around its rim."""
    r, h = draw(rng, 0.032, 0.037), draw(rng, 0.105, 0.13)
    clear = (0.75, 0.88, 0.92, 0.45)
    parts = (
        Part("lathe", profile=tumbler(0.85 * r, r, h, 0.003), color=clear, shine=0.9),
        collision_box(0.72 * r, 0.72 * r, h),
    )
    return Design("glass", "glass", "", parts, 0.25, Grasp((0, 0, h - 0.008), 0.01, r - 0.003))


def _cutlery(kind: str, length: float, parts: tuple[Part, ...]) -> Design:
    """Make a piece of cutlery along x, graspable across its middle."""
    collision = collision_box(length / 2, 0.012, 0.01)
    return centred(
        Design(kind, kind, "", (*parts, collision), 0.08, Grasp((0, 0, 0.016), 0.014, along=0.0))
    )


def _steel(shape: str, size: tuple[float, ...], x: float, y: float = 0.0) -> Part:
    """Make a steel part of cutlery at a height of 6 mm."""
    return Part(shape, size, (x, y, 0.006), color=SILVER, shine=0.9)  # type: ignore[arg-type]


def make_spoon(rng: np.random.Generator, color_name: str) -> Design:
    """Make a table spoon."""
    n = draw(rng, 0.18, 0.2)
    handle = _steel("box", (0.27 * n, 0.006, 0.003), -0.22 * n)
    neck = _steel("box", (0.14 * n, 0.004, 0.003), 0.16 * n)
    head = _steel("ellipsoid", (0.14 * n, 0.019, 0.005), 0.36 * n)
    return _cutlery("spoon", n, (handle, neck, head))


def make_fork(rng: np.random.Generator, color_name: str) -> Design:
    """Make a table fork with three tines."""
    n = draw(rng, 0.18, 0.2)
    handle = _steel("box", (0.27 * n, 0.006, 0.003), -0.22 * n)
    neck = _steel("box", (0.12 * n, 0.004, 0.003), 0.15 * n)
    root = _steel("box", (0.04 * n, 0.014, 0.003), 0.29 * n)
    tines = (_steel("box", (0.09 * n, 0.0025, 0.002), 0.41 * n, y) for y in (-0.0115, 0, 0.0115))
    return _cutlery("fork", n, (handle, neck, root, *tines))


def make_knife(rng: np.random.Generator, color_name: str) -> Design:
    """Make a table knife with a dark handle."""
    n = draw(rng, 0.2, 0.22)
    blade = _steel("box", (0.24 * n, 0.010, 0.002), 0.25 * n)
    grip = Part("box", (0.24 * n, 0.0095, 0.005), (-0.25 * n, 0, 0.006), color=BLACK)
    return _cutlery("knife", n, (blade, grip))


def make_pan(rng: np.random.Generator, color_name: str) -> Design:
    """Make a small frying pan; graspable at its handle, which points along x."""
    r, h, handle = draw(rng, 0.075, 0.085), draw(rng, 0.035, 0.042), 0.13
    profile = ((0, 0), (0.88 * r, 0), (r, h), (r - 0.004, h), (0.85 * r, 0.004), (0, 0.004))
    middle = (r + handle / 2 - 0.003, 0.0, h - 0.006)
    parts = (
        Part("lathe", profile=profile, color=(0.22, 0.22, 0.24, 1.0), shine=0.7),
        Part("capsule", (0.009, handle / 2 - 0.009), middle, ALONG_X, BLACK),
        collision_box(0.7 * r, 0.7 * r, h),
        Part("box", (handle / 2, 0.009, 0.009), middle, visible=False, collides=True),
    )
    grasp = Grasp((r + 0.07, 0, h - 0.004), 0.018, along=0.0)
    return centred(Design("pan", "pan", "", parts, 0.45, grasp))


Maker = Callable[[np.random.Generator, str], Design]

DISHES: dict[str, Maker] = {
    "plate": make_plate,
    "bowl": make_bowl,
    "cup": make_cup,
    "mug": make_mug,
    "glass": make_glass,
    "fork": make_fork,
    "spoon": make_spoon,
    "knife": make_knife,
    "pan": make_pan,
}
PAINTED = ("plate", "bowl", "cup", "mug")  # Kinds with a random colour.
