"""Shapes as data: what furniture and items are made of, before any simulator sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Shape = Literal["box", "cylinder", "sphere", "capsule", "ellipsoid", "lathe"]
Color = tuple[float, float, float, float]  # Red, green, blue, alpha; 0 to 1.
Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]  # w, x, y, z


@dataclass(frozen=True)
class Part:
    """One primitive of a body, in the body's frame.

    Sizes follow MuJoCo: box half lengths (x, y, z); cylinder and capsule (radius, half length);
    sphere (radius); ellipsoid half axes. A lathe turns `profile`, points (radius, height) [m] from
    the bottom's middle along the outside and back along the inside, about the z axis.
    """

    shape: Shape
    size: tuple[float, ...] = ()  # [m]
    position: Vector = (0.0, 0.0, 0.0)  # [m]
    quaternion: Quaternion = (1.0, 0.0, 0.0, 0.0)
    color: Color = (0.8, 0.8, 0.8, 1.0)
    texture: str = ""  # Name of one of the home's textures, tinted by `color`; "": plain.
    profile: tuple[tuple[float, float], ...] = ()  # Of a lathe [m].
    shine: float = 0.2  # How mirror-like it is lit, 0 to 1.
    seen: bool = True  # Drawn in pictures.
    felt: bool = False  # Touches other things.


def about_x(angle: float) -> Quaternion:
    """Rotation by `angle` [rad] about x."""
    return (math.cos(angle / 2), math.sin(angle / 2), 0.0, 0.0)


def about_y(angle: float) -> Quaternion:
    """Rotation by `angle` [rad] about y."""
    return (math.cos(angle / 2), 0.0, math.sin(angle / 2), 0.0)


def about_z(angle: float) -> Quaternion:
    """Rotation by `angle` [rad] about z."""
    return (math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2))


ALONG_X = about_y(math.pi / 2)  # Lays a capsule or cylinder along x.
ALONG_Y = about_x(-math.pi / 2)  # Lays it along y.
