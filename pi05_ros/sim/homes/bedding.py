"""Pillows and blanket of a bed: rigid pieces."""

from __future__ import annotations

import numpy as np

from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.items import COLORS, Design, Grasp, centred, collision_box
from pi05_ros.sim.homes.parts import Color, Part, about_z
from pi05_ros.sim.homes.room import Fixture, FixtureJoint

PILLOW = (0.35, 0.29, 0.10)  # Size across the bed, along it, and height [m].
BLANKET = (0.70, 1.25)  # Size across the bed and along it [m].
_EDGE = 0.07  # From the blanket's front edge to where it is grasped [m].


def make_pillow(rng: np.random.Generator, color_name: str) -> Design:
    """Make a pillow; it is grasped at the middle of its front edge."""
    x, y, z = (length / 2 for length in PILLOW)
    color = COLORS[color_name]
    seam: Color = (*(float(0.88 * c) for c in color[:3]), 1.0)  # type: ignore[assignment]
    parts = (
        Part("ellipsoid", (0.98 * x, 0.98 * y, z), (0.0, 0.0, z), color=color, shine=0.05),
        Part("box", (0.93 * x, 0.93 * y, 0.36 * z), (0.0, 0.0, z), color=color, shine=0.05),
        Part("box", (0.96 * x, 0.96 * y, 0.05 * z), (0.0, 0.0, z), color=seam, shine=0.05),
        Part("ellipsoid", (0.03, 0.06, 0.016), (0.02 - x, 0.0, z), color=seam, shine=0.05),
        collision_box(0.9 * x, 0.9 * y, 2 * z * 0.8),
    )
    grasp = Grasp((0.02 - x, 0.0, z + 0.012), 0.014, along=0.0)
    return centred(Design("pillow", "pillow", color_name, parts, 0.5, grasp))


def make_blanket(
    rng: np.random.Generator,
    color: Color,
    hem: Color,
    pose: FloorPose,
    height: float,
    head: int,
    start: tuple[float, float, float],
) -> Fixture:
    """Make a blanket that slides on the mattress and turns about the vertical.

    It is a thin board without contacts: it slides below pillows. A hand that holds its front edge
    determines its yaw too.

    Args:
        rng: Draws its wrinkles.
        color: Of the cloth.
        hem: Of the band at its upper end.
        pose: Of its middle in odom when it covers the bed.
        height: Of the mattress [m].
        head: The bed's head is at +y (1) or -y (-1) of its frame.
        start: Displacement at the start: x, y [m], yaw [rad].
    """
    x, y = BLANKET[0] / 2, BLANKET[1] / 2
    dark: Color = (*(float(0.82 * c) for c in color[:3]), 1.0)  # type: ignore[assignment]
    parts = [
        Part("box", (x, y, 0.006), (0.0, 0.0, 0.006), color=color, shine=0.05),
        Part("box", (x + 0.002, 0.07, 0.007), (0.0, head * (y - 0.07), 0.0075), color=hem),
    ]
    soft: Color = (*(float(0.93 * c) for c in color[:3]), 1.0)  # type: ignore[assignment]
    for along in np.linspace(-0.8 * y, 0.64 * y, 6):
        place = (float(rng.uniform(-0.15, 0.15)) * x, float(head * along), 0.010)
        turn = about_z(float(rng.uniform(-0.25, 0.25)))
        size = (float(rng.uniform(0.5, 0.8)) * x, 0.05, float(rng.uniform(0.006, 0.010)))
        parts.append(Part("ellipsoid", size, place, turn, soft, shine=0.05))
    fold = (_EDGE - x, 0.0, 0.02)
    parts.append(Part("ellipsoid", (0.05, 0.022, 0.022), fold, color=dark, shine=0.05))
    slide = {"damping": 30.0, "friction": 4.0}
    return Fixture(
        name="blanket",
        phrase="the blanket",
        pose=pose,
        height=height,
        parts=tuple(parts),
        mass=1.5,
        joints=(
            FixtureJoint("slide", (1.0, 0.0, 0.0), (-0.4, 0.4), start[0], **slide),
            FixtureJoint("slide", (0.0, 1.0, 0.0), (-0.7, 0.7), start[1], **slide),
            FixtureJoint("hinge", (0.0, 0.0, 1.0), (-0.8, 0.8), start[2], 3.0, 0.5),
        ),
        grasp=Grasp((fold[0], fold[1], 0.032), 0.012, along=0.0),
        turns_with_hand=True,
    )
