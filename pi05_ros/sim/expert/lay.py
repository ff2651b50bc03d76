"""Skill that lays a held pillow at the head of the bed."""

from __future__ import annotations

import itertools
import math

import numpy as np

from pi05_ros.sim.expert.grasps import HandPose, hand_yaw
from pi05_ros.sim.expert.moves import Goal, Moves
from pi05_ros.sim.expert.skills import put_down
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.expert.transforms import Transform, hand_down, yaw_of
from pi05_ros.sim.homes.geometry import FloorPose, wrap_angle
from pi05_ros.sim.homes.room import Bedroom, Item

_DROP = 0.012  # Height of the pillow's lowest corner above the mattress at the release [m].
_OWN_PLACE = 0.15  # Distance within which a pillow keeps the place that it is at [m].
_TAKEN = 0.2  # Distance of another pillow within which a place is taken [m].
_MOST_TURNED = math.radians(125)  # Largest yaw of a hand to either side [rad].


class LaySkill:
    """Lays a held pillow at a free place at the head of the bed, and retracts the hand."""

    def __init__(self, moves: Moves, room: Bedroom, item: Item, robot: RobotState) -> None:
        self._moves = moves = moves.at(moves.workplace.main)
        self._item = item
        self._plan: tuple[str, HandPose, FloorPose] | None = None
        side = robot.holder(item.name)
        if side is not None:
            place = free_place(room, item, robot)
            target = _release(robot, side, item, place, room.bed.height)
            top = moves.passing_height(robot, side)
            stance = moves.site.reaching_stance(side, target, top, robot.base)
            self._plan = (side, target, stance)

    def goal(self, robot: RobotState) -> Goal:
        """Return the goal of the present phase: drive, reach, lower, open, rise or retract."""
        return put_down(self._moves, robot, self._item.name, self._plan)


def preferred_side(moves: Moves, item: Item) -> str | None:
    """Return the side of the arm for a pillow: at the bed's head there is space for one only.

    None: It is no pillow, or no arm is on that side.
    """
    room = moves.workplace.room
    if not isinstance(room, Bedroom) or item not in room.pillows:
        return None
    sides = moves.workplace.main.shoulder_y.items()
    return next((side for side, y in sides if y * room.head > 0), None)


def free_place(room: Bedroom, item: Item, robot: RobotState) -> FloorPose:
    """Return the place in odom for a pillow: its own, else the farther one that is free."""
    here = robot.item(item.name).position
    near, far = room.pillow_places
    others = [robot.item(p.name).position for p in room.pillows if p.name != item.name]
    free = [
        place
        for place in (far, near)
        if all(math.dist(other[:2], (place.x, place.y)) > _TAKEN for other in others)
    ] or [far, near]
    own = [p for p in free if math.dist(here[:2], (p.x, p.y)) < _OWN_PLACE]
    return (own or free)[0]


def pillow_error(item: Item, place: FloorPose, robot: RobotState) -> tuple[float, float]:
    """Return how far a pillow is from a place along x or y [m], and in yaw, to the nearer end."""
    T_odom_item = robot.item(item.name)
    x, y, _ = place.local(T_odom_item.position)
    turned = abs(wrap_angle(yaw_of(T_odom_item.rotation) - place.yaw))
    return max(abs(x), abs(y)), min(turned, math.pi - turned)


def _release(
    robot: RobotState, side: str, item: Item, place: FloorPose, height: float
) -> HandPose:
    """Return the hand pose in odom that brings a held item to `place` above `height` [m]."""
    held = robot.hands[side].held
    assert held is not None and held.name == item.name
    ahead = wrap_angle(hand_yaw(robot.tcp(side)) - place.yaw)
    to_place = wrap_angle(place.yaw - yaw_of(robot.item(item.name).rotation))
    # Either end of the pillow may point to the back; hands cannot turn all the way round.
    turns = sorted((to_place, wrap_angle(to_place + math.pi)), key=abs)
    fitting = [turn for turn in turns if abs(ahead + turn) < _MOST_TURNED]
    yaw = place.yaw + ahead + (fitting or turns)[0]
    T_hand_item = hand_down(np.zeros(3), yaw) @ Transform(
        held.T_tcp_item.rotation, held.T_tcp_item.position
    )
    size = np.array(item.design.size)
    corners = np.array(list(itertools.product((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0)))) * size
    lowest = float(T_hand_item.apply(corners)[:, 2].min())
    x, y = np.array([place.x, place.y]) - T_hand_item.position[:2]
    return HandPose(np.array([x, y, height + _DROP - lowest]), yaw)
