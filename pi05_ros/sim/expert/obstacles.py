"""What the base and the hands of a robot must keep clear of in a room."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.drawers import SHUT, drawers, floor_area, opening
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.homes.geometry import FloorPose, wrap_angle
from pi05_ros.sim.homes.room import Container, Room

Bounds = tuple[np.ndarray, np.ndarray]  # Lower and upper corner of a box, (3,) each [m].

_CHASSIS_TOP = 0.3  # Furniture that begins higher than this is no obstacle of the base [m].
_ON_FLOOR = 0.2  # Height of an item's frame below which it is an obstacle of the base [m].
# Box around both retracted arms, relative to the base and the height of the hands [m].
_ARMS = np.array([[0.17, -0.30, 0.0], [0.45, 0.30, 0.3]])
_THIN = 0.02  # Furniture lower than this can be driven over: a rug [m].
_BESIDE = 0.1  # Distance from a container within which furniture is an obstacle [m].
_ARM_SPACE = 0.5  # Height above a container beyond which furniture is no obstacle [m].
_ROW = -0.5  # What begins behind this x of the room stands in one row with its main surface [m].
_IN_LINE = 0.03  # Lateral distance within which the base goes straight in [m].


class FloorObstacles:
    """Boxes on the floor, in the frame of the room (the main surface's)."""

    def __init__(self, room: Room, config: ScriptedExpertConfig) -> None:
        self._room = room
        self._config = config
        self._frame = room.surfaces[0].pose
        in_room = self._frame.inverse().compose(room.walls.pose)
        boxes = [_turned(part.bounds(), in_room) for part in room.furniture if part.collides]
        self._boxes = np.array(boxes).reshape(-1, 2, 3)  # Lower and upper corners.
        low = [(a, b) for a, b in boxes if a[2] < _CHASSIS_TOP and b[2] > _THIN]
        containers = [
            _rectangle(self._frame, c.pose, c.size[0] / 2, c.size[1] / 2)
            for c in room.containers
            if not c.surface
        ]
        standing = [(a[:2], b[:2]) for a, b in (*low, *containers)]
        self._standing = np.array(standing).reshape(-1, 2, 2)  # Lower and upper corners.
        self._row = [(low, high) for low, high in standing if low[0] > _ROW]

    def is_free(self, stance: FloorPose, height: float) -> bool:
        """Check that base and retracted arms touch no furniture.

        Args:
            stance: Pose of the base in odom; the robot faces the room's main surface.
            height: Of the hands [m].
        """
        middle = self._frame.local((stance.x, stance.y))
        half = np.array(self._config.footprint) + self._config.gap / 2
        lower, upper = self._standing[:, 0], self._standing[:, 1]
        touches = (middle - half < upper) & (middle + half > lower)
        if touches.all(axis=1).any():
            return False
        arms = np.array([[*middle + _ARMS[0, :2], height], [*middle + _ARMS[1, :2], height]])
        arms[:, 2] += _ARMS[:, 2]
        touches = (arms[0] < self._boxes[:, 1]) & (arms[1] > self._boxes[:, 0])
        return not touches.all(axis=1).any()

    def waypoint(self, robot: RobotState, goal: FloorPose) -> FloorPose:
        """Return where the base drives next on its way to `goal` in odom.

        It goes straight, unless something stands on the floor on its way along the room: then it
        first backs out, drives along, and goes in.
        """
        here = self._frame.local((robot.base.x, robot.base.y))
        there = self._frame.local((goal.x, goal.y))
        if abs(there[1] - here[1]) < _IN_LINE:
            return goal
        margin = np.array(self._config.footprint) + self._config.gap
        low, high = min(here[1], there[1]) - margin[1], max(here[1], there[1]) + margin[1]
        behind = min(here[0], there[0]) - margin[0]
        fronts = [
            b_low[0]
            for b_low, b_high in (*self._row, *self._lying(robot), *self._open(robot))
            if b_low[1] < high and b_high[1] > low and b_high[0] > behind
        ]
        line = min(fronts, default=math.inf) - margin[0]
        if max(here[0], there[0]) <= line + 1e-3:
            return goal
        if here[0] > line + _IN_LINE:  # Back out first.
            return self._frame.compose(FloorPose(line, float(here[1]), 0.0))
        return self._frame.compose(FloorPose(line, float(there[1]), 0.0))

    def _open(self, robot: RobotState) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the bounds (2,) of drawers that are not shut."""
        areas = [
            floor_area(robot, drawer, self._frame)
            for drawer in drawers(self._room)
            if opening(robot, drawer) > SHUT
        ]
        return [(low, high) for low, high in areas]

    def _lying(self, robot: RobotState) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the bounds (2,) of items that lie on the floor."""
        found = []
        for item in self._room.items:
            T_odom_item = robot.items[item.name]
            if T_odom_item.position[2] > _ON_FLOOR or robot.holder(item.name) is not None:
                continue
            middle = self._frame.local(T_odom_item.position)[:2]
            found.append((middle - item.design.footprint, middle + item.design.footprint))
        return found


def obstacles_over(room: Room, container: Container) -> tuple[Bounds, ...]:
    """Return the bounds, in the container's frame, of furniture that rises over it."""
    to_container = container.pose.inverse().compose(room.walls.pose)
    reach = np.array(container.size[:2]) / 2 + _BESIDE
    found = []
    for part in room.furniture:
        low, high = _turned(part.bounds(), to_container)
        is_near = (high[:2] > -reach).all() and (low[:2] < reach).all()
        stands_up = high[2] > container.top + 0.02 and low[2] < container.top + _ARM_SPACE
        if part.collides and is_near and stands_up:
            found.append((low, high))
    return tuple(found)


def _turned(bounds: Bounds, frame: FloorPose) -> Bounds:
    """Return the bounds, in the parent frame, of a box in a frame."""
    low, high = bounds
    if abs(wrap_angle(frame.yaw)) < 1e-9:
        shift = np.array([frame.x, frame.y, 0.0])
        return low + shift, high + shift
    corners = np.array([frame.point((x, y, z)) for x in (low[0], high[0])
                        for y in (low[1], high[1]) for z in (low[2], high[2])])  # fmt: skip
    return corners.min(axis=0), corners.max(axis=0)


def _rectangle(frame: FloorPose, pose: FloorPose, x: float, y: float) -> Bounds:
    """Return the bounds (2,) in `frame` of a rectangle with half lengths x, y about a pose."""
    pose = frame.inverse().compose(pose)
    corners = np.array([pose.point((sx * x, sy * y)) for sx in (-1, 1) for sy in (-1, 1)])
    return corners.min(axis=0), corners.max(axis=0)
