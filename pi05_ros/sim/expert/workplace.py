"""The sites of one room, and what a hand or the base must keep clear of."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.drawers import drawers, floor_area
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.obstacles import Bounds, FloorObstacles, obstacles_over
from pi05_ros.sim.expert.sites import Site
from pi05_ros.sim.expert.state import RobotState, planar_pose
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.parts import bounds
from pi05_ros.sim.homes.room import Container, Fixture, Room

_OVER_MARGIN = 0.12  # Largest extent of a hand and its load around the tool centre point [m].
_FALLEN = 0.25  # Depth below the main surface at which a thing lies on the floor [m].
_WALL = 0.03  # Thickness of the wall of a container on the floor, at most [m].
_SAME_POSTURE = 0.02  # Largest difference of two postures that count as one [m].


class Workplace:
    """The sites of one room: its main surface and the floor.

    Attributes:
        main: Site of the room's main surface.
        floor: Site of things on the floor.
        facing: Yaw of a working robot in odom [rad].
        highest: The larger passing height of both sites [m].
        obstacles: What the base must keep clear of.
    """

    def __init__(
        self, kinematics: ArmKinematics, room: Room, config: ScriptedExpertConfig
    ) -> None:
        self.kinematics = kinematics
        self.room = room
        self.config = config
        self._surface = surface = room.surfaces[0]
        self.facing = surface.pose.yaw
        self._turn = math.cos(self.facing), math.sin(self.facing)
        self.obstacles = FloorObstacles(room, config)
        self._over: dict[str, tuple[FloorPose, tuple[Bounds, ...]]] = {}
        self._drawers = [_drawer_zone(drawer, surface.pose) for drawer in drawers(room)]
        on_main = [i for i in room.items if i.surface == surface.name and i.grasp is not None]
        tallest = max((item.design.size[2] for item in on_main), default=0.0)
        rims = [c.top - surface.height for c in room.containers if c.surface == surface.name]
        tallest = max(tallest, *rims, 0.0)
        # A hand at this height passes over everything that stands on the surface.
        clear = surface.height + tallest + config.clearance
        free = self.obstacles.is_free
        self.main = Site(
            kinematics, config, surface.name, surface.pose, surface.height, clear, free
        )
        low = [item.design.size[2] for item in room.items if item.grasp is not None]
        low += [container.top for container in room.containers if not container.surface]
        low_clear = max([*low, config.floor_pass]) + config.clearance
        self.floor = Site(
            kinematics, config, "floor", surface.pose, 0.0, low_clear, free, is_floor=True
        )
        torso = kinematics.layout.torso
        apart = np.abs(self.main.posture[torso] - self.floor.posture[torso])
        if apart.max(initial=0.0) < _SAME_POSTURE:
            # Hands keep one height in the whole room where the torso does not move.
            self.main.pass_height = self.floor.pass_height = max(clear, low_clear)
        self.highest = max(self.main.pass_height, self.floor.pass_height)

    def site_at(self, position: np.ndarray) -> Site:
        """Return the site of a thing at `position` (3,) in odom [m]."""
        return self.floor if position[2] < self._surface.height - _FALLEN else self.main

    def site_of(self, container: Container) -> Site:
        """Return the site at which things are put into a container."""
        return self.main if container.surface else self.floor

    def container(self, name: str, robot: RobotState) -> Container:
        """Return the container called `name` where it is now."""
        poses = {f.name: planar_pose(robot, f.name) for f in self.room.fixtures}
        return self.room.container(name, poses)

    def ground(self, position: np.ndarray, robot: RobotState) -> float:
        """Return the height [m] of what is below `position` (3,): a surface, a floor."""
        for container in self.room.containers:
            here = self.container(container.name, robot)
            x, y, z = here.pose.local(position)
            inside = abs(x) < here.size[0] / 2 and abs(y) < here.size[1] / 2
            if inside and z > here.floor - 0.03:
                return here.floor
        return self.site_at(position).height

    def obstacles_over(self, container: Container) -> tuple[Bounds, ...]:
        """Return bounds, in the container's frame, of furniture that rises over it (the tap)."""
        known = self._over.get(container.name)
        if known is None or known[0] != container.pose:
            known = container.pose, obstacles_over(self.room, container)
            self._over[container.name] = known
        return known[1]

    def stand_off(self, container: Container, robot: RobotState) -> float | None:
        """Return how far ahead of base_link the middle of a container is at its stance [m].

        None: the base stands where it stands for all of the site. Before a container on the floor,
        and before an opened drawer, it keeps its distance.
        """
        if not container.surface:
            return self.config.footprint[0] + self.config.gap + _WALL + container.size[0] / 2
        if not container.fixture:
            return None
        area = floor_area(robot, self.room.fixture(container.fixture), self._surface.pose)
        middle = self._surface.pose.local((container.pose.x, container.pose.y))
        return float(middle[0] - area[0, 0]) + self.config.footprint[0] + self.config.gap

    def clear_height(self, position: np.ndarray) -> float:
        """Return the height [m] at which a hand at `position` (3,) in odom clears all below."""
        if self.is_over_surface(position):
            return self.main.pass_height
        return min(self.floor.pass_height, self.main.pass_height)

    def is_over_surface(self, position: np.ndarray) -> bool:
        """Check whether a hand at `position` (3,) in odom is over the surface or a drawer."""
        # Plain numbers: this is asked several times in each row of a chunk.
        frame, (x, y, _) = self._surface.pose, position.tolist()
        c, s = self._turn
        x, y = x - frame.x, y - frame.y
        x, y = c * x + s * y, c * y - s * x
        if x > -_OVER_MARGIN and abs(y) < self._surface.length / 2 + _OVER_MARGIN:
            return True
        return any(x > front and low < y < high for front, low, high in self._drawers)


def _drawer_zone(drawer: Fixture, frame: FloorPose) -> tuple[float, float, float]:
    """Return where a hand may be over a drawer, open or shut: its front, and both ends along y.

    Args:
        drawer: The drawer.
        frame: Of its surface, in odom.
    """
    low, high = bounds(drawer.parts)
    _, y, _ = frame.local((drawer.pose.x, drawer.pose.y, 0.0))
    front = float(low[0]) - drawer.joints[0].range[1] - _OVER_MARGIN
    return front, float(y + low[1]) - _OVER_MARGIN, float(y + high[1]) + _OVER_MARGIN
