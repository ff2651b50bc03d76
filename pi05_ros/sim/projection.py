"""Projection of points, items and moving furniture into a platform's cameras. Needs no OpenGL."""

from __future__ import annotations

import itertools

import mujoco
import numpy as np

from pi05_ros.platforms.platform import Camera, Platform
from pi05_ros.sim.cameras import find_camera, pose_data
from pi05_ros.sim.home_spec import fixture_body, item_body
from pi05_ros.sim.homes.geometry import rotate
from pi05_ros.sim.homes.parts import bounds
from pi05_ros.sim.homes.room import Room
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

    def object_boxes(
        self, snapshot: Snapshot, camera: str, only: str = ""
    ) -> dict[str, FractionBox]:
        """Compute boxes around items and fixtures in view, in fractions, clipped to the picture.

        With `only`, the box of the thing of that name alone.

        A box encloses the projected corners of a thing's bounding box, so it is slightly larger
        than the thing. A thing is omitted if a corner is behind the camera or the centre of its
        box is outside the picture. Occlusion is ignored: an item behind an arm still has a box.

        Raises:
            Pi05Error: The platform has no such camera.
        """
        settings = find_camera(self._platform, camera)
        data = self._posed(snapshot)
        boxes = {}
        for name, (body_name, low, high) in self._extents.items():
            if only not in ("", name):
                continue
            body = data.body(body_name)
            corners = itertools.product(*zip(low, high, strict=True))
            points = body.xpos + rotate(body.xquat, np.array(list(corners)))
            # The left edge of the first pixel is fraction 0; its middle is pixel 0.
            pixels = self._project(settings, points, data) + 0.5
            fractions = pixels / (settings.width, settings.height)
            if not np.isfinite(fractions).all():
                continue
            least, most = fractions.min(axis=0), fractions.max(axis=0)
            middle = (least + most) / 2
            if (middle < 0).any() or (middle > 1).any():
                continue
            left, top = np.clip(least, 0, 1).tolist()
            right, bottom = np.clip(most, 0, 1).tolist()
            boxes[name] = (left, top, right, bottom)
        return boxes

    def _posed(self, snapshot: Snapshot) -> mujoco.MjData:
        if snapshot.model is not self._model:
            self._model = snapshot.model
            self._extents = _extents(snapshot.room)
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


def _extents(room: Room) -> dict[str, tuple[str, np.ndarray, np.ndarray]]:
    """Return the MuJoCo body of each item and fixture, and the corners (3,) of its bounds."""
    found = {}
    for item in room.items:
        x, y, z = item.design.size
        low, high = np.array([-x / 2, -y / 2, 0.0]), np.array([x / 2, y / 2, z])
        found[item.name] = (item_body(item.name), low, high)
    for fixture in room.fixtures:
        found[fixture.name] = (fixture_body(fixture.name), *bounds(fixture.parts))
    return found
