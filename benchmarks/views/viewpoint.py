"""Projection of points of the odom frame into a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_NEAR = 0.05  # Points nearer than this are not drawn [m].


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """A pinhole camera anywhere in the room."""

    width: int  # Of the picture [pixel].
    height: int
    focal: float  # [pixel]
    pose: np.ndarray  # (4, 4) T_odom_optical: x right, y down, z forward.

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return pixels (N, 2) and depths (N,) [m] of points (N, 3) in odom; NaN behind it."""
        local = (points - self.pose[:3, 3]) @ self.pose[:3, :3]
        depth = np.where(local[:, 2] > _NEAR, local[:, 2], np.nan)
        middle = np.array([(self.width - 1) / 2, (self.height - 1) / 2])
        return middle + self.focal * local[:, :2] / depth[:, None], depth


def look_at(
    eye: np.ndarray, target: np.ndarray, width: int, height: int, fov_y_deg: float
) -> Viewpoint:
    """Return an upright viewpoint at `eye` (3,) towards `target` (3,), both in odom."""
    forward = np.asarray(target, dtype=np.float64) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.column_stack([right, np.cross(forward, right), forward])
    pose[:3, 3] = eye
    focal = height / 2 / math.tan(math.radians(fov_y_deg) / 2)
    return Viewpoint(width, height, focal, pose)
