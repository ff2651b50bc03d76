"""Parts of furniture from their extents, and the shell of a room."""

from __future__ import annotations

import dataclasses

import numpy as np

from pi05_ros.sim.homes.geometry import FloorPose, quaternion_multiply, yaw_quaternion
from pi05_ros.sim.homes.parts import Color, Part
from pi05_ros.sim.homes.room import Walls

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


def shell(walls: Walls, wall: Color, floor: Color, floor_pattern: str) -> list[Part]:
    """Make the floor and the four walls of a room."""
    (x0, x1), (y0, y1), z, t = walls.x, walls.y, (0.0, walls.height), 0.1
    return [
        box((x0, x1), (y0, y1), (-0.1, 0.0), floor, texture=floor_pattern, collides=True),
        box((x1, x1 + t), (y0 - t, y1 + t), z, wall, collides=True),
        box((x0 - t, x0), (y0 - t, y1 + t), z, wall, collides=True),
        box((x0, x1), (y1, y1 + t), z, wall, collides=True),
        box((x0, x1), (y0 - t, y0), z, wall, collides=True),
    ]


def skirting(walls: Walls, color: Color) -> list[Part]:
    """Make a skirting along the four walls of a room."""
    (x0, x1), (y0, y1), z = walls.x, walls.y, (0.0, 0.08)
    return [
        box((x0, x0 + 0.012), (y0, y1), z, color),
        box((x1 - 0.012, x1), (y0, y1), z, color),
        box((x0, x1), (y0, y0 + 0.012), z, color),
        box((x0, x1), (y1 - 0.012, y1), z, color),
    ]
