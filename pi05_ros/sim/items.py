"""The things that stand about in a mock home: what they look like, weigh, and where to grasp them.

An item's frame has its origin in the middle of its base and z up. Every `make_*` function draws
the item's proportions from the given generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.geometry import quaternion_multiply
from pi05_ros.sim.parts import ALONG_X, Color, Part, Quaternion, Vector, about_y, about_z


@dataclass(frozen=True)
class Grasp:
    """Where a parallel gripper may close on an item, coming straight down.

    The graspable points are the circle of `radius` about `point`, parallel to the floor; with
    radius 0 the point alone. On a rim the fingers close along the radius. On a long thing they
    close across `along`.
    """

    point: Vector  # In the item's frame [m].
    width: float  # What is between the fingers [m].
    radius: float = 0.0  # [m]
    along: float | None = None  # Yaw of the long axis in the item's frame [rad]; None: a rim.

    def distance(self, local: np.ndarray) -> float:
        """Distance [m] from a point (3,) in the item's frame to the nearest graspable point."""
        offset = local - np.asarray(self.point)
        return math.hypot(math.hypot(offset[0], offset[1]) - self.radius, offset[2])


@dataclass(frozen=True)
class Design:
    """One drawn thing, not yet placed."""

    kind: str  # "plate"
    label: str  # What people call it in text ("plate").
    color_name: str  # "red"; "silver" for cutlery.
    parts: tuple[Part, ...]  # In the item's frame.
    mass: float  # [kg]
    size: Vector  # Bounding box in the item's frame, centred on z [m].
    grasp: Grasp | None  # None: not meant to be picked up.

    @property
    def footprint(self) -> float:
        """Radius of a circle about the origin that holds the base [m]."""
        return math.hypot(self.size[0], self.size[1]) / 2 if self.is_long else self.size[0] / 2

    @property
    def is_long(self) -> bool:
        """Whether the item has a direction, so that its bounding box is not round."""
        return abs(self.size[0] - self.size[1]) > 0.02


COLORS: dict[str, Color] = {
    "white": (0.93, 0.93, 0.90, 1.0),
    "red": (0.80, 0.16, 0.14, 1.0),
    "blue": (0.16, 0.32, 0.72, 1.0),
    "green": (0.22, 0.55, 0.28, 1.0),
    "yellow": (0.93, 0.76, 0.18, 1.0),
    "orange": (0.91, 0.47, 0.13, 1.0),
    "teal": (0.12, 0.55, 0.58, 1.0),
    "pink": (0.90, 0.52, 0.62, 1.0),
    "black": (0.12, 0.12, 0.13, 1.0),
}
_SILVER: Color = (0.74, 0.75, 0.78, 1.0)
_WOOD: Color = (0.62, 0.42, 0.24, 1.0)


def _draw(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 4)


def _felt_box(x: float, y: float, height: float, offset: float = 0.0) -> Part:
    """What other things feel of an item: a box of half lengths x, y and of full `height`."""
    return Part("box", (x, y, height / 2), (offset, 0.0, height / 2), seen=False, felt=True)


def make_plate(rng: np.random.Generator, color_name: str) -> Design:
    """A dinner plate; graspable all around its rim."""
    r, h = _draw(rng, 0.085, 0.105), _draw(rng, 0.016, 0.022)
    profile = ((0, 0), (0.6 * r, 0), (r, h), (r - 0.002, h + 0.003), (0.62 * r, 0.006), (0, 0.005))
    return Design(
        "plate", "plate", color_name,
        (Part("lathe", profile=profile, color=COLORS[color_name], shine=0.6),
         _felt_box(0.68 * r, 0.68 * r, h)),
        0.35, (2 * r, 2 * r, h + 0.003), Grasp((0, 0, h), 0.01, radius=r - 0.004),
    )  # fmt: skip


def make_bowl(rng: np.random.Generator, color_name: str) -> Design:
    """A cereal bowl; graspable all around its rim."""
    r, h = _draw(rng, 0.062, 0.08), _draw(rng, 0.048, 0.062)
    profile = ((0, 0), (0.5 * r, 0), (0.82 * r, 0.35 * h), (0.96 * r, 0.7 * h), (r, h),
               (r - 0.005, h), (0.9 * r, 0.7 * h), (0.74 * r, 0.36 * h), (0.45 * r, 0.1 * h),
               (0, 0.08 * h))  # fmt: skip
    return Design(
        "bowl", "bowl", color_name,
        (Part("lathe", profile=profile, color=COLORS[color_name], shine=0.6),
         _felt_box(0.66 * r, 0.66 * r, h)),
        0.3, (2 * r, 2 * r, h), Grasp((0, 0, h - 0.005), 0.01, radius=r - 0.004),
    )  # fmt: skip


def _tumbler(r_base: float, r_top: float, h: float, wall: float) -> tuple:
    return ((0, 0), (r_base, 0), (r_top, h), (r_top - wall, h), (r_base - wall, wall), (0, wall))


def make_cup(rng: np.random.Generator, color_name: str) -> Design:
    """A cup without a handle, wider at the top."""
    r, h = _draw(rng, 0.036, 0.042), _draw(rng, 0.075, 0.095)
    return Design(
        "cup", "cup", color_name,
        (Part("lathe", profile=_tumbler(0.72 * r, r, h, 0.004), color=COLORS[color_name]),
         _felt_box(0.7 * r, 0.7 * r, h)),
        0.2, (2 * r, 2 * r, h), Grasp((0, 0, h - 0.008), 0.01, radius=r - 0.004),
    )  # fmt: skip


def make_mug(rng: np.random.Generator, color_name: str) -> Design:
    """A straight mug with a handle along its x axis."""
    r, h = _draw(rng, 0.038, 0.043), _draw(rng, 0.085, 0.1)
    color = COLORS[color_name]
    reach = 0.028
    handle = (
        Part("capsule", (0.006, reach / 2), (r + reach / 2, 0, 0.78 * h), ALONG_X, color),
        Part("capsule", (0.006, 0.28 * h), (r + reach, 0, 0.5 * h), color=color),
        Part("capsule", (0.006, reach / 2), (r + reach / 2, 0, 0.22 * h), ALONG_X, color),
    )
    return Design(
        "mug", "mug", color_name,
        (Part("lathe", profile=_tumbler(r, r, h, 0.004), color=color), *handle,
         _felt_box(0.7 * r, 0.7 * r, h)),
        0.3, (2 * r, 2 * r, h), Grasp((0, 0, h - 0.008), 0.01, radius=r - 0.003),
    )  # fmt: skip


def make_glass(rng: np.random.Generator, color_name: str) -> Design:
    """A tall drinking glass that one can see through."""
    r, h = _draw(rng, 0.032, 0.037), _draw(rng, 0.105, 0.13)
    return Design(
        "glass", "glass", color_name,
        (Part("lathe", profile=_tumbler(0.85 * r, r, h, 0.003), color=(0.75, 0.88, 0.92, 0.45),
              shine=0.9),
         _felt_box(0.72 * r, 0.72 * r, h)),
        0.25, (2 * r, 2 * r, h), Grasp((0, 0, h - 0.008), 0.01, radius=r - 0.003),
    )  # fmt: skip


def _cutlery(kind: str, length: float, head: tuple[Part, ...]) -> Design:
    """A handle along x with its head on the +x side. Taken around the middle."""
    handle = Part("box", (0.27 * length, 0.006, 0.003), (-0.22 * length, 0, 0.006), color=_SILVER,
                  shine=0.9)  # fmt: skip
    return Design(
        kind, kind, "silver",
        (handle, *head, _felt_box(length / 2, 0.012, 0.01)),
        0.08, (length, 0.028, 0.012), Grasp((0, 0, 0.016), 0.014, along=0.0),
    )  # fmt: skip


def make_spoon(rng: np.random.Generator, color_name: str) -> Design:
    """A table spoon."""
    length = _draw(rng, 0.18, 0.2)
    neck = Part("box", (0.14 * length, 0.004, 0.003), (0.16 * length, 0, 0.006), color=_SILVER)
    head = Part("ellipsoid", (0.14 * length, 0.019, 0.005), (0.36 * length, 0, 0.006),
                color=_SILVER, shine=0.9)  # fmt: skip
    return _cutlery("spoon", length, (neck, head))


def make_fork(rng: np.random.Generator, color_name: str) -> Design:
    """A table fork with three tines."""
    length = _draw(rng, 0.18, 0.2)
    neck = Part("box", (0.12 * length, 0.004, 0.003), (0.15 * length, 0, 0.006), color=_SILVER)
    root = Part("box", (0.04 * length, 0.014, 0.003), (0.29 * length, 0, 0.006), color=_SILVER)
    tines = tuple(
        Part("box", (0.09 * length, 0.0025, 0.002), (0.41 * length, y, 0.007), color=_SILVER)
        for y in (-0.0115, 0.0, 0.0115)
    )
    return _cutlery("fork", length, (neck, root, *tines))


def make_knife(rng: np.random.Generator, color_name: str) -> Design:
    """A table knife with a dark handle."""
    length = _draw(rng, 0.2, 0.22)
    blade = Part("box", (0.24 * length, 0.010, 0.002), (0.26 * length, 0, 0.006), color=_SILVER,
                 shine=0.9)  # fmt: skip
    grip = Part("box", (0.24 * length, 0.0095, 0.005), (-0.25 * length, 0, 0.006),
                color=(0.13, 0.12, 0.12, 1.0))  # fmt: skip
    return _cutlery("knife", length, (blade, grip))


def make_pan(rng: np.random.Generator, color_name: str) -> Design:
    """A small frying pan; its handle points along x and is where it is held."""
    r, h, handle = _draw(rng, 0.075, 0.085), _draw(rng, 0.035, 0.042), 0.13
    profile = ((0, 0), (0.88 * r, 0), (r, h), (r - 0.004, h), (0.85 * r, 0.004), (0, 0.004))
    grip = Part("capsule", (0.009, handle / 2 - 0.009), (r + handle / 2 - 0.003, 0, h - 0.006),
                ALONG_X, (0.1, 0.1, 0.1, 1.0))  # fmt: skip
    return Design(
        "pan", "pan", color_name,
        (Part("lathe", profile=profile, color=(0.22, 0.22, 0.24, 1.0), shine=0.7), grip,
         _felt_box(0.7 * r, 0.7 * r, h),
         Part("box", (handle / 2, 0.009, 0.009), (r + handle / 2 - 0.003, 0, h - 0.006),
              seen=False, felt=True)),
        0.45, (2 * (r + handle), 2 * r, h + 0.004),
        Grasp((r + 0.07, 0, h - 0.004), 0.018, along=0.0),
    )  # fmt: skip


def make_cereal(rng: np.random.Generator, color_name: str) -> Design:
    """A box of cereal with a label on its broad sides."""
    x, y, h = 0.03, _draw(rng, 0.08, 0.1), _draw(rng, 0.24, 0.3)
    label = COLORS["yellow" if color_name != "yellow" else "red"]
    return Design(
        "cereal", "cereal box", color_name,
        (Part("box", (x, y, h / 2), (0, 0, h / 2), color=COLORS[color_name], felt=True),
         Part("box", (x + 0.001, 0.7 * y, 0.14 * h), (0, 0, 0.68 * h), color=label),
         Part("cylinder", (0.5 * y, x + 0.001), (0, 0, 0.3 * h), ALONG_X,
              COLORS["white"])),
        0.4, (2 * x, 2 * y, h), None,
    )  # fmt: skip


def _fruit(kind: str, r: float, color: Color, stretch: float = 1.0) -> Design:
    return Design(
        kind, kind, "", (
            Part("ellipsoid", (r * stretch, r, r), (0, 0, r), color=color, shine=0.4),
            Part("capsule", (0.003, 0.006), (0, 0, 2 * r), color=_WOOD),
            _felt_box(0.7 * r * stretch, 0.7 * r, 1.7 * r)),
        0.15, (2 * r * stretch, 2 * r, 2 * r), None,
    )  # fmt: skip


def make_apple(rng: np.random.Generator, color_name: str) -> Design:
    """An apple. Flat below, so that it does not roll."""
    return _fruit("apple", _draw(rng, 0.034, 0.04), (0.72, 0.15, 0.1, 1.0))


def make_lemon(rng: np.random.Generator, color_name: str) -> Design:
    """A lemon."""
    return _fruit("lemon", _draw(rng, 0.026, 0.03), (0.95, 0.85, 0.2, 1.0), 1.3)


def make_kettle(rng: np.random.Generator, color_name: str) -> Design:
    """A kettle with a spout along x."""
    r, h = _draw(rng, 0.075, 0.085), _draw(rng, 0.16, 0.19)
    color = COLORS[color_name] if color_name != "white" else _SILVER
    profile = ((0, 0), (r, 0), (1.02 * r, 0.3 * h), (0.8 * r, 0.75 * h), (0.4 * r, 0.86 * h),
               (0, 0.88 * h))  # fmt: skip
    black = (0.1, 0.1, 0.1, 1.0)
    return Design(
        "kettle", "kettle", color_name,
        (Part("lathe", profile=profile, color=color, shine=0.8),
         Part("sphere", (0.012,), (0, 0, 0.91 * h), color=black),
         Part("capsule", (0.011, 0.04), (0.98 * r, 0, 0.62 * h), about_y(0.75), color),
         Part("capsule", (0.009, 0.035), (-1.25 * r, 0, 0.55 * h), color=black),
         Part("capsule", (0.009, 0.03), (-0.95 * r, 0, 0.8 * h), ALONG_X, black),
         _felt_box(0.8 * r, 0.8 * r, 0.9 * h)),
        1.0, (2.4 * r, 2 * r, 0.95 * h), None,
    )  # fmt: skip


def make_bottle(rng: np.random.Generator, color_name: str) -> Design:
    """A bottle of washing-up liquid."""
    r, h = _draw(rng, 0.03, 0.036), _draw(rng, 0.19, 0.24)
    profile = ((0, 0), (r, 0), (r, 0.62 * h), (0.42 * r, 0.8 * h), (0.42 * r, 0.9 * h),
               (0, 0.9 * h))  # fmt: skip
    return Design(
        "bottle", "bottle", color_name,
        (Part("lathe", profile=profile, color=COLORS[color_name], shine=0.5),
         Part("cylinder", (0.45 * r, 0.05 * h), (0, 0, 0.95 * h), color=COLORS["white"]),
         _felt_box(0.72 * r, 0.72 * r, h)),
        0.5, (2 * r, 2 * r, h), None,
    )  # fmt: skip


def _leaf_turn(tilt: float, heading: float) -> Quaternion:
    """Leaning by `tilt` [rad] from upright towards `heading` [rad]."""
    turned = quaternion_multiply(np.array(about_z(heading)), np.array(about_y(tilt)))
    return tuple(turned.tolist())


def make_plant(rng: np.random.Generator, color_name: str) -> Design:
    """A herb in a pot."""
    r, h = _draw(rng, 0.05, 0.06), _draw(rng, 0.085, 0.1)
    leaves = []
    for _ in range(7):
        angle, tilt, reach = (
            rng.uniform(0, 2 * math.pi),
            rng.uniform(0.1, 0.7),
            rng.uniform(0.05, 0.08),
        )
        x, y = reach * math.sin(tilt) * math.cos(angle), reach * math.sin(tilt) * math.sin(angle)
        green = (0.16, float(rng.uniform(0.42, 0.6)), 0.2, 1.0)
        leaves.append(Part("ellipsoid", (0.024, 0.016, 0.034), (x, y, h + reach * math.cos(tilt)),
                           _leaf_turn(tilt, angle), green))  # fmt: skip
    return Design(
        "plant", "plant", color_name,
        (Part("lathe", profile=_tumbler(0.7 * r, r, h, 0.006), color=(0.73, 0.4, 0.28, 1.0)),
         Part("cylinder", (0.86 * r, 0.004), (0, 0, 0.86 * h), color=(0.2, 0.14, 0.1, 1.0)),
         *leaves, _felt_box(0.7 * r, 0.7 * r, h)),
        0.6, (2.2 * r, 2.2 * r, h + 0.1), None,
    )  # fmt: skip


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
DISTRACTORS: dict[str, Maker] = {
    "cereal": make_cereal,
    "apple": make_apple,
    "lemon": make_lemon,
    "kettle": make_kettle,
    "bottle": make_bottle,
    "plant": make_plant,
}
PAINTED = ("plate", "bowl", "cup", "mug")  # Dishes that come in any colour.
