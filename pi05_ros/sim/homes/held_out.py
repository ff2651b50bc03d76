"""Kinds of things for the sink that no training home has: for tests with unseen objects."""

from __future__ import annotations

import math

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
from pi05_ros.sim.homes.parts import ALONG_X, Color, Part, about_y

_WOOD: Color = (0.72, 0.53, 0.33, 1.0)
_CLEAR: Color = (0.78, 0.90, 0.92, 0.4)


def make_ladle(rng: np.random.Generator, color_name: str) -> Design:
    """Make a ladle along x: a cup, and a long handle; graspable across the handle."""
    n, r = draw(rng, 0.2, 0.22), draw(rng, 0.036, 0.042)
    h = 0.62 * r
    outside = ((0, 0), (0.5 * r, 0), (0.85 * r, 0.45 * h), (r, h))
    profile = (*outside, (0.94 * r, h), (0.78 * r, 0.48 * h), (0.4 * r, 0.12 * h), (0, 0.1 * h))
    handle = (-(r + n / 2) + 0.006, 0.0, h - 0.002)
    parts = (
        Part("lathe", profile=profile, color=SILVER, shine=0.9),
        Part("box", (n / 2, 0.006, 0.0025), handle, color=SILVER, shine=0.9),
        Part("box", (0.3 * n, 0.009, 0.005), (handle[0] - 0.25 * n, 0, h), color=BLACK),
        collision_box(0.7 * r, 0.7 * r, h),
        Part("box", (n / 2, 0.009, h / 2), (handle[0], 0, h / 2), visible=False, collides=True),
    )
    grasp = Grasp((handle[0], 0, h + 0.004), 0.014, along=0.0)
    return centred(Design("ladle", "ladle", "", parts, 0.15, grasp))


def make_whisk(rng: np.random.Generator, color_name: str) -> Design:
    """Make a whisk along x: a wooden handle and wires; graspable across the handle."""
    n, r = draw(rng, 0.1, 0.12), draw(rng, 0.024, 0.028)
    wire = 0.05  # Half length of the head [m].
    wires = []
    for angle in (0.0, math.pi / 4, math.pi / 2, 3 * math.pi / 4):
        y, z = r * math.cos(angle), r * math.sin(angle)
        for side in (1.0, -1.0):
            at = side * 0.72
            wires.append(_wire((0.0, 0.2 * at * y, r + 0.2 * at * z), (wire, at * y, r + at * z)))
            wires.append(_wire((wire, at * y, r + at * z), (2 * wire, 0.25 * at * y,
                                                            r + 0.25 * at * z)))  # fmt: skip
    parts = (
        *wires,
        Part("sphere", (0.006,), (2 * wire, 0, r), color=SILVER, shine=0.9),
        Part("capsule", (0.009, n / 2), (-n / 2, 0, r), ALONG_X, _WOOD),
        Part("cylinder", (0.0095, 0.008), (-0.002, 0, r), ALONG_X, SILVER),
        Part("box", (n / 2 + wire, 0.016, 0.8 * r), (wire - n / 2, 0, 0.8 * r), visible=False,
             collides=True),
    )  # fmt: skip
    low = 0.28 * r - 0.003  # Just below the lowest wire, which lies on the ground.
    lowered = tuple(part.shifted((0.0, 0.0, -low)) if part.visible else part for part in parts)
    grasp = Grasp((-n / 2, 0, r - low + 0.006), 0.018, along=0.0)
    return centred(Design("whisk", "whisk", "", lowered, 0.1, grasp))


def _wire(start: tuple[float, ...], end: tuple[float, ...]) -> Part:
    """Make a steel wire between two points (3,) [m]."""
    return _rod(start, end, 0.0016, SILVER)


def _rod(start: tuple[float, ...], end: tuple[float, ...], radius: float, color: Color) -> Part:
    """Make a capsule between two points (3,) [m]."""
    a, b = np.array(start), np.array(end)
    along = (b - a) / np.linalg.norm(b - a)
    w, x, y = 1.0 + along[2], -along[1], along[0]  # Shortest rotation of z onto `along`.
    size = math.hypot(w, x, y)
    mx, my, mz = ((a + b) / 2).tolist()
    turn = (float(w / size), float(x / size), float(y / size), 0.0)
    half = float(np.linalg.norm(b - a)) / 2
    return Part("capsule", (radius, half), (mx, my, mz), turn, color, shine=0.8)


def make_rolling_pin(rng: np.random.Generator, color_name: str) -> Design:
    """Make a wooden rolling pin along x, with a handle at each end; graspable across it."""
    r, n, grip = draw(rng, 0.019, 0.023), draw(rng, 0.075, 0.09), 0.022
    ends = (n + grip, -n - grip)
    parts = (
        Part("cylinder", (r, n), (0, 0, r), ALONG_X, _WOOD, shine=0.3),
        *(
            Part("capsule", (0.009, grip - 0.004), (x, 0, r), ALONG_X, (0.55, 0.3, 0.2, 1.0))
            for x in ends
        ),
        Part("box", (n + 2 * grip, 0.75 * r, r), (0, 0, r), visible=False, collides=True),
    )
    grasp = Grasp((0, 0, 1.4 * r), 2 * r, along=0.0)
    return Design("rolling_pin", "rolling pin", "", parts, 0.3, grasp)


def make_can(rng: np.random.Generator, color_name: str) -> Design:
    """Make an open tin can with a label; graspable all around its rim."""
    r, h = draw(rng, 0.034, 0.039), draw(rng, 0.09, 0.11)
    parts = (
        Part("lathe", profile=tumbler(r, r, h, 0.003), color=SILVER, shine=0.9),
        _ring(r, r + 0.001, (0.1 * h, 0.4 * h), COLORS[color_name]),
        _ring(r, r + 0.001, (0.4 * h, 0.55 * h), _band(color_name)),
        _ring(r, r + 0.001, (0.55 * h, 0.85 * h), COLORS[color_name]),
        _ring(r - 0.003, r + 0.0015, (0.97 * h, h), SILVER),
        collision_box(0.7 * r, 0.7 * r, h),
    )
    grasp = Grasp((0, 0, h - 0.008), 0.01, r - 0.003)
    return Design("can", "can", color_name, parts, 0.2, grasp)


def _ring(inner: float, outer: float, z: tuple[float, float], color: Color) -> Part:
    """Make a ring between two radii and two heights [m]."""
    profile = ((inner, z[0]), (outer, z[0]), (outer, z[1]), (inner, z[1]), (inner, z[0]))
    return Part("lathe", profile=profile, color=color, shine=0.5)


def _band(color_name: str) -> Color:
    return COLORS["white" if color_name != "white" else "red"]


def make_jar(rng: np.random.Generator, color_name: str) -> Design:
    """Make a glass jar with a narrower neck and jam at its bottom; graspable around its rim."""
    r, h = draw(rng, 0.038, 0.043), draw(rng, 0.095, 0.115)
    neck = 0.84 * r
    outside = ((0, 0), (r, 0), (r, 0.72 * h), (neck, 0.84 * h), (neck, h))
    inside = ((neck - 0.003, h), (neck - 0.003, 0.84 * h), (r - 0.003, 0.71 * h))
    profile = (*outside, *inside, (r - 0.003, 0.004), (0, 0.004))
    jam = (0.55, 0.1, 0.16, 1.0)
    parts = (
        Part("cylinder", (0.93 * r, 0.13 * h), (0, 0, 0.14 * h), color=jam, shine=0.5),
        Part("lathe", profile=profile, color=_CLEAR, shine=0.9),
        collision_box(0.7 * r, 0.7 * r, h),
    )
    grasp = Grasp((0, 0, h - 0.008), 0.01, neck - 0.003)
    return Design("jar", "jar", "", parts, 0.3, grasp)


def make_teapot(rng: np.random.Generator, color_name: str) -> Design:
    """Make a teapot with spout and handle along x; graspable at the knob of its lid."""
    r, h = draw(rng, 0.052, 0.06), draw(rng, 0.085, 0.1)
    color = COLORS[color_name]
    profile = ((0, 0), (0.6 * r, 0), (0.92 * r, 0.25 * h), (r, 0.5 * h), (0.85 * r, 0.8 * h),
               (0.5 * r, h), (0, h))  # fmt: skip
    lid = ((0, 0.97 * h), (0.56 * r, 0.97 * h), (0.3 * r, 1.1 * h), (0, 1.12 * h))
    reach = 0.35 * r
    parts = (
        Part("lathe", profile=profile, color=color, shine=0.7),
        Part("lathe", profile=lid, color=_band(color_name), shine=0.7),
        Part("capsule", (0.008, 0.010), (0, 0, 1.2 * h), color=color, shine=0.7),
        Part("capsule", (0.010, 0.025), (1.15 * r, 0, 0.66 * h), about_y(0.8), color),
        Part("capsule", (0.006, reach / 2), (-r - reach / 2, 0, 0.75 * h), ALONG_X, color),
        Part("capsule", (0.006, 0.2 * h), (-r - reach, 0, 0.55 * h), color=color),
        Part("capsule", (0.006, reach / 2), (-r - reach / 2, 0, 0.35 * h), ALONG_X, color),
        collision_box(0.72 * r, 0.72 * r, h),
    )
    grasp = Grasp((0, 0, 1.2 * h + 0.004), 0.014)
    return centred(Design("teapot", "teapot", color_name, parts, 0.5, grasp))


def make_jug(rng: np.random.Generator, color_name: str) -> Design:
    """Make a jug with a spout and a large handle along x; graspable all around its rim."""
    r, h, reach = draw(rng, 0.045, 0.052), draw(rng, 0.13, 0.15), 0.036
    color = COLORS[color_name]
    outside = ((0, 0), (0.85 * r, 0), (1.1 * r, 0.3 * h), (0.8 * r, 0.75 * h), (r, h))
    inside = ((r - 0.004, h), (0.8 * r - 0.004, 0.75 * h), (1.1 * r - 0.004, 0.3 * h))
    parts = (
        Part("lathe", profile=(*outside, *inside, (0, 0.05 * h)), color=color, shine=0.6),
        _rod((-0.85 * r, 0.0, 0.8 * h), (-1.15 * r, 0.0, 0.98 * h), 0.009, color),
        Part("capsule", (0.007, reach / 2), (r + reach / 2, 0, 0.85 * h), ALONG_X, color),
        Part("capsule", (0.007, 0.24 * h), (r + reach, 0, 0.61 * h), color=color),
        Part("capsule", (0.007, reach / 2), (r + reach / 2, 0, 0.37 * h), ALONG_X, color),
        collision_box(0.75 * r, 0.75 * r, h),
    )
    grasp = Grasp((0, 0, h - 0.008), 0.01, r - 0.003)
    return centred(Design("jug", "jug", color_name, parts, 0.45, grasp))


def make_wine_glass(rng: np.random.Generator, color_name: str) -> Design:
    """Make a wine glass on a stem; graspable all around its rim."""
    r, h = draw(rng, 0.034, 0.038), draw(rng, 0.13, 0.15)
    outside = ((0, 0), (0.9 * r, 0), (0.9 * r, 0.004), (0.1 * r, 0.06 * h), (0.1 * r, 0.45 * h),
               (0.75 * r, 0.58 * h), (1.08 * r, 0.75 * h), (r, h))  # fmt: skip
    inside = ((r - 0.003, h), (1.08 * r - 0.003, 0.75 * h), (0.75 * r - 0.002, 0.6 * h))
    parts = (
        Part("lathe", profile=(*outside, *inside, (0, 0.5 * h)), color=_CLEAR, shine=0.9),
        collision_box(0.75 * r, 0.75 * r, h),
    )
    grasp = Grasp((0, 0, h - 0.008), 0.01, r - 0.003)
    return Design("wine_glass", "wine glass", "", parts, 0.2, grasp)


HELD_OUT: dict[str, Maker] = {
    "ladle": make_ladle,
    "whisk": make_whisk,
    "rolling_pin": make_rolling_pin,
    "can": make_can,
    "jar": make_jar,
    "teapot": make_teapot,
    "jug": make_jug,
    "wine_glass": make_wine_glass,
}
HELD_OUT_PAINTED = ("can", "teapot", "jug")  # Kinds with a random colour.
