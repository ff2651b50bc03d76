"""Where a hand that points straight down can take an item."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.expert.transforms import Transform, hand_down, yaw_of
from pi05_ros.sim.homes.geometry import wrap_angle
from pi05_ros.sim.homes.items import Grasp

_RIM_POINTS = 16
_STEEP = 0.7  # Height of a unit vector above which it gives fingers no horizontal direction.


@dataclass(frozen=True)
class HandPose:
    """A hand that points down at `position` (3,) [m], turned by `yaw` [rad]; both in odom."""

    position: np.ndarray
    yaw: float

    @property
    def transform(self) -> Transform:
        """T_odom_tcp."""
        return hand_down(self.position, self.yaw)


def hand_yaw(T_odom_tcp: Transform) -> float:
    """The yaw of `hand_down` that comes nearest to a hand's pose [rad]."""
    across = T_odom_tcp.rotation[:, 1]
    return math.atan2(-across[0], across[1])


def hand_poses(grasp: Grasp, T_odom_item: Transform, facing: float) -> list[HandPose]:
    """Poses of the tool centre point in which closing the fingers takes the item.

    Args:
        grasp: The item's graspable points.
        T_odom_item: Where the item is. It may lie on its side.
        facing: Yaw in odom [rad] that the robot looks along: hand yaws are near it.
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
    """Fingers close the same after half a turn: yaws about `facing`, at most 120° off."""
    first = facing + wrap_angle(yaw - facing)
    turned = facing + wrap_angle(yaw + math.pi - facing)
    return [y for y in (first, turned) if abs(y - facing) <= math.radians(120)]
