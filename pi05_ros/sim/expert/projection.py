"""Boxes of items in the model's pictures, computed from the robot's kinematics."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.brain.interface import Box
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.cameras.rotation import to_upright, upright_size
from pi05_ros.platforms.platform import Camera
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import Transform
from pi05_ros.sim.homes.room import Item

_NEAREST = 0.02  # Points nearer to the camera than this, or behind it, are not projected [m].


def item_boxes(
    kinematics: ArmKinematics,
    vector: np.ndarray,
    T_odom_base: Transform,
    item: Item,
    T_odom_item: Transform,
    picture_size: tuple[int, int],
) -> tuple[Box, ...]:
    """Compute a box around the item for each planner camera that has its centre in view.

    The box encloses the projected corners of the item's bounding box, clipped to the camera's
    picture. Occlusion is ignored.

    Args:
        kinematics: Kinematics of the robot.
        vector: (D,) measured state, platform units.
        T_odom_base: Pose of the robot.
        item: The item.
        T_odom_item: Its pose.
        picture_size: (height, width) of the model's pictures [pixel].
    """
    x, y, z = item.design.size
    signs = np.array([[i, j, k] for i in (-0.5, 0.5) for j in (-0.5, 0.5) for k in (0.0, 1.0)])
    corners = T_odom_item.apply(signs * np.array([x, y, z]))
    boxes = []
    for name in kinematics.platform.planner_cameras:
        T_odom_camera = T_odom_base @ kinematics.camera(vector, name)
        camera = kinematics.platform.camera(name)
        seen = project(camera, T_odom_camera.inverse().apply(corners))
        if seen is None:
            continue
        seen = to_upright(seen, camera.rotate)
        low, high = seen.min(axis=0), seen.max(axis=0)
        middle = (low + high) / 2
        if (middle < 0).any() or (middle > 1).any():
            continue
        low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
        width, height = upright_size(camera.width, camera.height, camera.rotate)
        fit = Letterbox.fit(width, height, picture_size[1], picture_size[0])
        boxes.append(Box(name, item.label, *fit.to_canvas(*low), *fit.to_canvas(*high)))
    return tuple(boxes)


def project(camera: Camera, points: np.ndarray) -> np.ndarray | None:
    """Project points in a camera's frame to fractions of the driver's picture, (n, 2).

    x points right, y down.

    Args:
        camera: An ideal pinhole camera with square pixels.
        points: (n, 3) in the optical frame [m].

    Returns:
        (n, 2), which may lie outside 0 to 1; None if a point is behind the camera.
    """
    depth = points[:, 2]
    if (depth < _NEAREST).any():
        return None
    focal_y = 0.5 / math.tan(math.radians(camera.fov_y_deg) / 2)  # In picture heights.
    focal = np.array([focal_y * camera.height / camera.width, focal_y])
    return 0.5 + focal * points[:, :2] / depth[:, None]
