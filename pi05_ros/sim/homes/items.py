"""Designs of the items in a mock home: parts, mass and grasp.

The origin of an item's frame is at the centre of the bottom of its bounding box, with z up.
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
    """Graspable points of an item, for a parallel gripper that points down.

    The points are the horizontal circle of `radius` about `point`, or `point` alone if the radius
    is 0. On a rim the fingers close along the radius; on a long item they close across `along`.
    """

    point: Vector  # In the item's frame [m].
    width: float  # Width between the closed fingers [m].
    radius: float = 0.0  # [m]
    along: float | None = None  # Yaw of the long axis in the item's frame [rad]; None: a rim.

    def distance(self, local: np.ndarray) -> float:
        """Compute the distance [m] of a point (3,) in the item's frame to the graspable points."""
        x, y, z = (float(a) - b for a, b in zip(local, self.point, strict=True))
        return math.hypot(math.hypot(x, y) - self.radius, z)


@dataclass(frozen=True)
class Design:
    """One generated item, without a pose."""

    kind: str  # "plate"
    label: str  # Common name in text ("plate").
    color_name: str  # "red"; empty for kinds with one colour.
    parts: tuple[Part, ...]  # In the item's frame.
    mass: float  # [kg]
    grasp: Grasp | None = None  # None: not to be picked up.

    @functools.cached_property
    def size(self) -> Vector:
        """Size of the bounding box [m], centred on the origin in x and y, from 0 up in z."""
        low, high = bounds(self.parts)
        return (float(high[0] - low[0]), float(high[1] - low[1]), float(high[2]))

    @property
    def is_long(self) -> bool:
        """True for an item that is long along its x axis, like a fork or a pan."""
        return self.size[0] > 1.6 * self.size[1]

    @property
    def footprint(self) -> float:
        """Radius of a circle about the origin that covers the item [m]."""
        x, y, _ = self.size
        return math.hypot(x, y) / 2 if self.is_long else max(x, y) / 2


def centred(design: Design) -> Design:
    """Shift a design so that its origin is below the centre of its bounding box."""
    low, high = bounds(design.parts)
    shift = (-float(low[0] + high[0]) / 2, -float(low[1] + high[1]) / 2, 0.0)
    grasp = design.grasp
    if grasp is not None:
        x, y, z = (a + b for a, b in zip(grasp.point, shift, strict=True))
        grasp = dataclasses.replace(grasp, point=(x, y, z))
    parts = tuple(part.shifted(shift) for part in design.parts)
    return dataclasses.replace(design, parts=parts, grasp=grasp)


def draw(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a length between two bounds, rounded to 0.1 mm [m]."""
    return round(float(rng.uniform(low, high)), 4)


def collision_box(x: float, y: float, height: float) -> Part:
    """Make the invisible collision box of an item, with half lengths x, y and full `height` [m].

    Contacts between boxes are stable and cheap to compute. A hollow item collides as a solid one,
    so nothing falls into a bowl.
    """
    return Part("box", (x, y, height / 2), (0.0, 0.0, height / 2), visible=False, collides=True)


def tumbler(r_base: float, r_top: float, height: float, wall: float) -> Profile:
    """Return the profile of an open vessel with straight walls [m]."""
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
