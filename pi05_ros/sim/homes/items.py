"""The things that stand about in a mock home: what they are made of, and where to grasp them.

An item's frame has its origin below the middle of its bounding box, on what it stands on, z up.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.homes.parts import Color, Part, Profile, Vector, bounds


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
        x, y, z = (float(a) - b for a, b in zip(local, self.point, strict=True))
        return math.hypot(math.hypot(x, y) - self.radius, z)


@dataclass(frozen=True)
class Design:
    """One drawn thing, not yet placed."""

    kind: str  # "plate"
    label: str  # What people call it in text ("plate").
    color_name: str  # "red"; empty where the colour goes without saying.
    parts: tuple[Part, ...]  # In the item's frame.
    mass: float  # [kg]
    grasp: Grasp | None = None  # None: not meant to be picked up.

    @functools.cached_property
    def size(self) -> Vector:
        """Bounding box [m]: along x and y half to each side of the origin, along z from 0 up."""
        low, high = bounds(self.parts)
        return (float(high[0] - low[0]), float(high[1] - low[1]), float(high[2]))

    @property
    def is_long(self) -> bool:
        """Whether it lies along its x axis, like a fork or a pan."""
        return self.size[0] > 1.6 * self.size[1]

    @property
    def footprint(self) -> float:
        """Radius of a circle about the origin that holds the item [m]."""
        x, y, _ = self.size
        return math.hypot(x, y) / 2 if self.is_long else max(x, y) / 2


def centred(design: Design) -> Design:
    """The same thing with its origin below the middle of its bounding box."""
    low, high = bounds(design.parts)
    shift = (-float(low[0] + high[0]) / 2, -float(low[1] + high[1]) / 2, 0.0)
    grasp = design.grasp
    if grasp is not None:
        x, y, z = (a + b for a, b in zip(grasp.point, shift, strict=True))
        grasp = dataclasses.replace(grasp, point=(x, y, z))
    parts = tuple(part.shifted(shift) for part in design.parts)
    return dataclasses.replace(design, parts=parts, grasp=grasp)


def draw(rng: np.random.Generator, low: float, high: float) -> float:
    """A length between two bounds, to a tenth of a millimetre [m]."""
    return round(float(rng.uniform(low, high)), 4)


def collision_box(x: float, y: float, height: float) -> Part:
    """What others feel of an item: a box of half lengths x, y and of full `height` [m].

    Boxes rest on boxes without wobbling and are quick to collide. A hollow thing is felt as solid,
    so nothing falls into a bowl.
    """
    return Part("box", (x, y, height / 2), (0.0, 0.0, height / 2), visible=False, collides=True)


def tumbler(r_base: float, r_top: float, height: float, wall: float) -> Profile:
    """Profile of an open vessel with straight walls [m]."""
    return (
        (0.0, 0.0), (r_base, 0.0), (r_top, height), (r_top - wall, height),
        (r_base - wall, wall), (0.0, wall),
    )  # fmt: skip


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
SILVER: Color = (0.74, 0.75, 0.78, 1.0)
BLACK: Color = (0.10, 0.10, 0.11, 1.0)
