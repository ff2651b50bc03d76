"""Grasp poses of a hand that points straight down."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.expert.transforms import Transform, hand_down, yaw_of
from pi05_ros.sim.homes.geometry import wrap_angle
from pi05_ros.sim.homes.items import Grasp

_RIM_POINTS = 16
_STEEP = 0.7  # Largest |z| of a unit radial vector that still gives a horizontal direction.


@dataclass(frozen=True)
class HandPose:
    """Pose of a hand that points down: `position` (3,) [m] and `yaw` [rad] in odom."""

    position: np.ndarray
    yaw: float

    @property
    def transform(self) -> Transform:
        """Transform T_odom_tcp."""
        return hand_down(self.position, self.yaw)


def hand_yaw(T_odom_tcp: Transform) -> float:
    """Return the yaw [rad] for which `hand_down` is nearest to a hand's pose."""
    across = T_odom_tcp.rotation[:, 1]
    return math.atan2(-across[0], across[1])


def hand_poses(grasp: Grasp, T_odom_item: Transform, facing: float) -> list[HandPose]:
    """Return hand poses in odom in which closing the fingers grasps the item.

    Args:
        grasp: The item's graspable points.
        T_odom_item: Pose of the item, which may lie on its side.
        facing: Yaw of the robot in odom [rad]; hand yaws are within 120° of it.
    """
    point = np.asarray(grasp.point, dtype=np.float64)
    if grasp.along is not None or grasp.radius == 0.0:
        along = grasp.along or 0.0
        axis = T_odom_item.rotation @ np.array([math.cos(along), math.sin(along), 0.0])
        position = T_odom_item.apply(point)
        return [
            HandPose(position, yaw) for yaw in _either_way(math.atan2(axis[1], axis[0]), facing)
        ]
    poses = []
    item_yaw = yaw_of(T_odom_item.rotation)
    for angle in facing - item_yaw + np.arange(_RIM_POINTS) * (2 * math.pi / _RIM_POINTS):
        radial = np.array([math.cos(angle), math.sin(angle), 0.0])
        across = T_odom_item.rotation @ radial
        if abs(across[2]) > _STEEP:
            continue
        position = T_odom_item.apply(point + grasp.radius * radial)
        yaw = math.atan2(across[1], across[0]) - math.pi / 2
        poses += [HandPose(position, yaw) for yaw in _either_way(yaw, facing)]
    return poses


def _either_way(yaw: float, facing: float) -> list[float]:
    """Return `yaw` and the equivalent yaw after half a turn, as far as within 120° of `facing`."""
    first = facing + wrap_angle(yaw - facing)
    turned = facing + wrap_angle(yaw + math.pi - facing)
    return [y for y in (first, turned) if abs(y - facing) <= math.radians(120)]
