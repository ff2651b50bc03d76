"""Poses on the floor and quaternions, as plain numpy. Quaternions are w, x, y, z."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FloorPose:
    """A pose on the floor: where a frame stands in its parent, and which way its x axis looks."""

    x: float  # [m]
    y: float  # [m]
    yaw: float  # [rad] about z, counter-clockwise

    def point(self, local: tuple[float, ...] | np.ndarray) -> np.ndarray:
        """A point of this frame, (2,) or (3,) [m], in the parent frame; height is unchanged."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        moved = np.array(local, dtype=np.float64)
        moved[0] = self.x + c * local[0] - s * local[1]
        moved[1] = self.y + s * local[0] + c * local[1]
        return moved

    def local(self, point: tuple[float, ...] | np.ndarray) -> np.ndarray:
        """A point of the parent frame, (2,) or (3,) [m], in this frame; the inverse of `point`."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        dx, dy = point[0] - self.x, point[1] - self.y
        moved = np.array(point, dtype=np.float64)
        moved[0], moved[1] = c * dx + s * dy, -s * dx + c * dy
        return moved

    def compose(self, other: FloorPose) -> FloorPose:
        """`other`, given in this frame, as seen from the parent frame."""
        x, y = self.point((other.x, other.y))
        return FloorPose(float(x), float(y), wrap_angle(self.yaw + other.yaw))

    def inverse(self) -> FloorPose:
        """The parent frame as seen from this one."""
        x, y = self.local((0.0, 0.0))
        return FloorPose(float(x), float(y), wrap_angle(-self.yaw))


def wrap_angle(angle: float) -> float:
    """The same direction, between -π and π [rad]."""
    return math.remainder(angle, 2.0 * math.pi)


def yaw_quaternion(yaw: float) -> np.ndarray:
    """Rotation by `yaw` [rad] about z, (4,) w x y z."""
    return np.array([math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)])


def quaternion_conjugate(q: np.ndarray) -> np.ndarray:
    """Inverse rotations of unit quaternions, (..., 4)."""
    return q * np.array([1.0, -1.0, -1.0, -1.0])


def quaternion_multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rotation `b` followed by `a`, (..., 4)."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Vectors `v` (..., 3) turned by unit quaternions `q` (..., 4)."""
    w, u = q[..., :1], q[..., 1:]
    t = 2.0 * np.cross(u, v)
    return v + w * t + np.cross(u, t)
