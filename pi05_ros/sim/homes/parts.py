"""Geometric primitives of furniture and items, independent of the simulator."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pi05_ros.sim.homes.geometry import rotate

Shape = Literal["box", "cylinder", "sphere", "capsule", "ellipsoid", "lathe"]
Color = tuple[float, float, float, float]  # Red, green, blue, alpha; 0 to 1.
Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]  # w, x, y, z
Profile = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Part:
    """One primitive of a body, in the body's frame.

    Sizes follow MuJoCo: box half lengths (x, y, z); cylinder and capsule (radius, half length);
    sphere (radius); ellipsoid half axes. A lathe is the surface of revolution about z of
    `profile`, points (radius, height) [m] from the centre of the bottom along the outside and back
    along the inside.
    """

    shape: Shape
    size: tuple[float, ...] = ()  # [m]
    position: Vector = (0.0, 0.0, 0.0)  # [m]
    quaternion: Quaternion = (1.0, 0.0, 0.0, 0.0)
    color: Color = (0.8, 0.8, 0.8, 1.0)
    texture: str = ""  # Name of one of the home's textures, tinted by `color`; "": none.
    profile: Profile = ()  # Of a lathe [m].
    shine: float = 0.2  # Specular reflection, 0 to 1.
    visible: bool = True  # Whether it is rendered.
    collides: bool = False  # Whether it has contacts.

    def shifted(self, by: Vector) -> Part:
        """Return the part moved by a vector [m]."""
        x, y, z = (float(a + b) for a, b in zip(self.position, by, strict=True))
        return dataclasses.replace(self, position=(x, y, z))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper corner (3,) of the part's bounds in the body's frame [m]."""
        low, high = self._local_bounds()
        corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1])
                            for z in (low[2], high[2])])  # fmt: skip
        moved = rotate(np.array(self.quaternion), corners) + np.array(self.position)
        return moved.min(axis=0), moved.max(axis=0)

    def _local_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        if self.shape == "lathe":
            radius = max(r for r, _ in self.profile)
            heights = [h for _, h in self.profile]
            return np.array([-radius, -radius, min(heights)]), np.array(
                [radius, radius, max(heights)]
            )
        if self.shape in ("box", "ellipsoid"):
            half = np.array(self.size)
        elif self.shape == "sphere":
            half = np.full(3, self.size[0])
        else:
            caps = self.size[0] if self.shape == "capsule" else 0.0
            half = np.array([self.size[0], self.size[0], self.size[1] + caps])
        return -half, half


def bounds(parts: Iterable[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper corner (3,) of the bounds of all visible parts [m]."""
    lows, highs = zip(*(part.bounds() for part in parts if part.visible), strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def about_x(angle: float) -> Quaternion:
    """Return the rotation by `angle` [rad] about x."""
    return (math.cos(angle / 2), math.sin(angle / 2), 0.0, 0.0)


def about_y(angle: float) -> Quaternion:
    """Return the rotation by `angle` [rad] about y."""
    return (math.cos(angle / 2), 0.0, math.sin(angle / 2), 0.0)


def about_z(angle: float) -> Quaternion:
    """Return the rotation by `angle` [rad] about z."""
    return (math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2))


def lying(yaw: float) -> Quaternion:
    """Return the rotation that lays the axis of a capsule or cylinder down along `yaw` [rad]."""
    c, s = math.sqrt(0.5) * math.cos(yaw / 2), math.sqrt(0.5) * math.sin(yaw / 2)
    return (c, -s, c, s)


UPRIGHT: Quaternion = (1.0, 0.0, 0.0, 0.0)
ALONG_X = about_y(math.pi / 2)  # Rotates the axis of a capsule or cylinder to x.
ALONG_Y = about_x(-math.pi / 2)  # Rotates it to y.
