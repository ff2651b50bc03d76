"""Parts of furniture from their extents."""

from __future__ import annotations

import dataclasses

import numpy as np

from pi05_ros.sim.homes.geometry import FloorPose, quaternion_multiply, yaw_quaternion
from pi05_ros.sim.homes.parts import Color, Part

Span = tuple[float, float]  # Lower and upper end along an axis [m].


def box(
    x: Span,
    y: Span,
    z: Span,
    color: Color,
    *,
    collides: bool = False,
    shine: float = 0.2,
    texture: str = "",
) -> Part:
    """Make a box from its extents along each axis [m]."""
    (a, b), (c, d), (e, f) = x, y, z
    size, middle = ((b - a) / 2, (d - c) / 2, (f - e) / 2), ((a + b) / 2, (c + d) / 2, (e + f) / 2)
    return Part("box", size, middle, color=color, collides=collides, shine=shine, texture=texture)


def placed(part: Part, pose: FloorPose) -> Part:
    """Transform a part from a frame at `pose` into the parent frame."""
    x, y = pose.point(part.position[:2])
    w, i, j, k = quaternion_multiply(yaw_quaternion(pose.yaw), np.array(part.quaternion)).tolist()
    position = (float(x), float(y), part.position[2])
    return dataclasses.replace(part, position=position, quaternion=(w, i, j, k))
