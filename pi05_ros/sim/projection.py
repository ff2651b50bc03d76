"""Projection of points and items into a platform's cameras. Needs no OpenGL."""

from __future__ import annotations

import itertools

import mujoco
import numpy as np

from pi05_ros.platforms.platform import Camera, Platform
from pi05_ros.sim.cameras import find_camera, pose_data
from pi05_ros.sim.home_spec import item_body
from pi05_ros.sim.homes.geometry import rotate
from pi05_ros.sim.robot import camera_name
from pi05_ros.sim.world import Snapshot

FractionBox = tuple[float, float, float, float]  # x_min, y_min, x_max, y_max; 0 to 1, y down.

_NEAR = 0.01  # Points nearer to the camera plane than this are not projected [m].


class CameraGeometry:
    """Pinhole models of a platform's cameras in a mock home."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._model: mujoco.MjModel | None = None

    def project(self, camera: str, points: np.ndarray, snapshot: Snapshot) -> np.ndarray:
        """Project points (N, 3) in odom [m] to pixels (N, 2) float64, x right and y down.

        A point behind the camera gives NaN. Pixels may lie outside the picture.

        Raises:
            Pi05Error: The platform has no such camera.
        """
        settings = find_camera(self._platform, camera)
        return self._project(settings, np.asarray(points, dtype=np.float64), self._posed(snapshot))

    def object_boxes(self, snapshot: Snapshot, camera: str) -> dict[str, FractionBox]:
        """Compute boxes around the items in view, as fractions of the picture, clipped to it.

        A box encloses the projected corners of the item's bounding box, so it is slightly larger
        than the item. An item is omitted if a corner is behind the camera or the centre of its box
        is outside the picture. Occlusion is ignored: an item behind an arm still has a box.

        Raises:
            Pi05Error: The platform has no such camera.
        """
        settings = find_camera(self._platform, camera)
        data = self._posed(snapshot)
        boxes = {}
        for item in snapshot.room.items:
            body = data.body(item_body(item.name))
            x, y, z = item.design.size
            corners = itertools.product((-x / 2, x / 2), (-y / 2, y / 2), (0.0, z))
            points = body.xpos + rotate(body.xquat, np.array(list(corners)))
            # The left edge of the first pixel is fraction 0; its middle is pixel 0.
            pixels = self._project(settings, points, data) + 0.5
            fractions = pixels / (settings.width, settings.height)
            if not np.isfinite(fractions).all():
                continue
            low, high = fractions.min(axis=0), fractions.max(axis=0)
            middle = (low + high) / 2
            if (middle < 0).any() or (middle > 1).any():
                continue
            low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
            boxes[item.name] = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        return boxes

    def _posed(self, snapshot: Snapshot) -> mujoco.MjData:
        if snapshot.model is not self._model:
            self._model = snapshot.model
            self._data = mujoco.MjData(snapshot.model)
        pose_data(snapshot, self._data)
        return self._data

    def _project(self, camera: Camera, points: np.ndarray, data: mujoco.MjData) -> np.ndarray:
        fx, fy, cx, cy = camera.intrinsics
        view = data.camera(camera_name(camera.name))
        # MuJoCo's camera frame: x right, y up, looking along -z.
        local = (points - view.xpos) @ view.xmat.reshape(3, 3)
        depth = np.where(local[:, 2] < -_NEAR, -local[:, 2], np.nan)
        return np.stack([cx + fx * local[:, 0] / depth, cy - fy * local[:, 1] / depth], axis=1)
