"""What a robot that cannot drive reaches from where it stands, by inverse kinematics."""

from __future__ import annotations

import numpy as np

from pi05_ros.sim.expert.grasps import HandPose, hand_poses
from pi05_ros.sim.expert.sites import Site
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.homes.room import Container, Item

_STEP = 0.005  # Movement of an item within which an answer is reused [m].
_INTO = 0.05  # Height of a hand above the rim of a container that it reaches [m].


class Reach:
    """Answers which arms reach items and containers; answers are kept.

    Args:
        workplace: The room's sites.
    """

    def __init__(self, workplace: Workplace) -> None:
        self._place = workplace
        self._arms = [arm.side for arm in workplace.kinematics.layout.arms]
        self._known: dict[tuple[object, ...], bool] = {}

    @property
    def is_limited(self) -> bool:
        """Whether the robot cannot drive to what is out of reach."""
        return not self._place.kinematics.layout.drives

    def arms_for(self, item: Item, robot: RobotState) -> tuple[str, ...]:
        """Return the arms that can pick an item up.

        Where there are such, only those that can put it into the container that it belongs in.
        """
        found = tuple(side for side in self._arms if self.takes(side, item, robot))
        belongs = [c for c in self._place.room.containers if c.name == item.belongs_in]
        best = tuple(s for s in found if all(self.fills(s, c, robot) for c in belongs))
        return best or found

    def can_put(self, item: Item, container: Container, robot: RobotState) -> bool:
        """Check whether an arm can pick an item up and put it into a container."""
        return any(
            self.takes(side, item, robot) and self.fills(side, container, robot)
            for side in self._arms
        )

    def takes(self, side: str, item: Item, robot: RobotState) -> bool:
        """Check whether the arm `side` can grasp an item where it is."""
        if item.grasp is None:
            return False
        T_odom_item = robot.item(item.name)
        cell = tuple(np.round(T_odom_item.position / _STEP).astype(int).tolist())
        key = (side, item.name, cell, *_cell(robot))
        if key not in self._known:
            site = self._place.site_at(T_odom_item.position)
            self._known[key] = any(
                self.reaches(site, side, pose, robot)
                for pose in hand_poses(item.grasp, T_odom_item, self._place.facing)
            )
        return self._known[key]

    def fills(self, side: str, container: Container, robot: RobotState) -> bool:
        """Check whether the arm `side` can hold something over the middle of a container."""
        here = self._place.container(container.name, robot)
        key = (side, here, *_cell(robot))
        if key not in self._known:
            place = np.array([here.pose.x, here.pose.y, here.top + _INTO])
            pose = HandPose(place, self._place.facing)
            self._known[key] = self.reaches(self._place.site_of(here), side, pose, robot)
        return self._known[key]

    def reaches(self, site: Site, side: str, pose: HandPose, robot: RobotState) -> bool:
        """Check whether a hand reaches a pose in odom, from where the robot stands."""
        top = site.pass_height + self._place.config.fingertip
        return site.reaches(side, pose, max(top, pose.position[2]), robot.base)


def _cell(robot: RobotState) -> tuple[int, ...]:
    """Return where the robot stands, as whole numbers of small steps."""
    base = robot.base
    return tuple(round(value / _STEP) for value in (base.x, base.y, base.yaw))
