"""Rigid transforms as rotation matrix and position, and the rotations that the expert uses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.observation import Pose
from pi05_ros.sim.homes.geometry import FloorPose


@dataclass(frozen=True)
class Transform:
    """Rigid transform between frames: `T_base_tcp.apply(p_tcp)` is the point in the base frame."""

    rotation: np.ndarray  # (3, 3) float64
    position: np.ndarray  # (3,) float64 [m]

    def __matmul__(self, other: Transform) -> Transform:
        return Transform(
            self.rotation @ other.rotation, self.rotation @ other.position + self.position
        )

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Transform points (..., 3) [m]."""
        return points @ self.rotation.T + self.position

    def inverse(self) -> Transform:
        """Return the inverse transform."""
        return Transform(self.rotation.T, -self.rotation.T @ self.position)

    @classmethod
    def from_pose(cls, pose: Pose) -> Transform:
        """Convert the pose of a frame B in a frame A to T_a_b."""
        w, x, y, z = pose.quaternion / np.linalg.norm(pose.quaternion)
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
        return cls(rotation, np.array(pose.position, dtype=np.float64))


def on_floor(pose: FloorPose) -> Transform:
    """Convert a planar pose to a transform."""
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return Transform(rotation, np.array([pose.x, pose.y, 0.0]))


def yaw_of(rotation: np.ndarray) -> float:
    """Return the heading of a rotation's x axis about z [rad], -π to π."""
    return math.atan2(rotation[1, 0], rotation[0, 0])


def hand_down(position: np.ndarray, yaw: float) -> Transform:
    """Return the pose of a hand at `position` [m] that points down, closing along yaw + 90°.

    Yaw 0 is the orientation of an arm that reaches out along x with its wrist bent down.
    """
    c, s = math.cos(yaw), math.sin(yaw)
    x, y = np.array([0.0, 0.0, -1.0]), np.array([-s, c, 0.0])
    return Transform(np.column_stack([x, y, np.cross(x, y)]), np.asarray(position, np.float64))
