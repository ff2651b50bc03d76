"""Choice of the pose in which the hand releases an item into a container."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.expert.grasps import HandPose, hand_yaw
from pi05_ros.sim.expert.obstacles import Bounds
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.expert.transforms import hand_down, yaw_of
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.homes.geometry import FloorPose, wrap_angle
from pi05_ros.sim.homes.room import Container, Item

_WALL_GAP = 0.015  # Between an item and the container's walls [m].
# Between a hand or an item and the tap, across and along a sink [m]; hands approach along it.
_TAP_GAP = np.array([0.012, 0.08])
_HAND_HALF = (0.035, 0.065)  # Half size of an open hand: across and along the finger motion [m].
_MOST_TURNED = math.radians(125)  # Largest yaw of a hand to either side [rad].
_STEEP = 0.7  # Largest |z| of a long item's unit axis that still has a direction on the floor.
_LEAST_DEPTH = 0.05  # Least depth of an item's underside below the container's rim at release [m].
_GRID = (5, 9)  # Number of candidates across and along the container.
_TRIED = 8  # Number of best candidates whose reachability is checked,
_TRIED_NEARER = 8  # and then of candidates nearest to the robot.
_ENOUGH_SPACE = 0.15  # Free space around an item above which more has no value [m].
_NEARER_COST = 0.4  # Cost of distance from the counter's front edge [m of free space per m].
# Space to the walls beyond _WALL_GAP [m], and its worth up to there [m of free space per m]: a
# robot that is beside its path by a centimetre or two must not set a dish on the rim.
_ROOMY = 0.03
_ROOMY_WORTH = 2.0
# Cost of moving the hand [m of free space per m]. It breaks ties: the hand keeps the place that it
# is approaching.
_WAY_COST = 0.15


@dataclass(frozen=True)
class _Extent:
    """A box around a held item in the container's axes, relative to the tool centre point [m]."""

    low: np.ndarray  # (3,)
    high: np.ndarray  # (3,)

    @property
    def centre(self) -> np.ndarray:
        """Horizontal centre, (2,) [m]."""
        return (self.low[:2] + self.high[:2]) / 2

    @property
    def radius(self) -> float:
        """Half of the longer horizontal side [m]."""
        return float((self.high - self.low)[:2].max()) / 2


def release_pose(
    workplace: Workplace,
    robot: RobotState,
    side: str,
    item: Item,
    container: Container,
    top: float,
) -> tuple[HandPose, FloorPose]:
    """Return hand pose and stance in odom in which opening the fingers leaves an item inside.

    Long items lie along the container. Among the places where hand and item fit and that the arm
    reaches, it is the best by free space, distance from the front edge and motion of the hand.

    Args:
        workplace: The room's sites.
        robot: State in which the hand `side` holds the item.
        side: Side of the arm.
        item: The held item.
        container: Where it is now.
        top: Height at which the hand moves over the container [m].
    """
    site = workplace.site_of(container)
    yaw = _release_yaw(container, robot, side, item)
    extent = _extent(container, robot, side, item, yaw)
    others = [
        (container.pose.local(robot.items[other.name].position), other.design)
        for other in workplace.room.items
        if other.name != item.name and container.contains(robot.items[other.name].position)
    ]
    hand_now = container.pose.local(robot.tcp(side).position)[:2]
    on_floor = not container.surface
    stand_off = workplace.stand_off(container, robot)

    turned = yaw - container.pose.yaw
    lower, upper = _range(container, extent, turned)

    def worth(place: np.ndarray) -> float:
        gaps = [math.dist(place + extent.centre, p[:2]) - d.footprint for p, d in others]
        space = min([*gaps, _ENOUGH_SPACE])
        space += _ROOMY_WORTH * float(
            np.minimum(np.minimum(place - lower, upper - place), _ROOMY).sum()
        )
        return space - _NEARER_COST * place[0] - _WAY_COST * math.dist(place, hand_now)

    def pose(place: np.ndarray) -> HandPose:
        below = [
            p[2] + d.size[2]
            for p, d in others
            if math.dist(place + extent.centre, p[:2]) < d.footprint + 0.7 * extent.radius
        ]
        underside = max([container.floor, *below]) + workplace.config.drop
        underside = min(underside, container.top - _LEAST_DEPTH)
        if on_floor:  # Things may fall into it, and hands stay above its rim.
            underside = container.top - _LEAST_DEPTH
        x, y = container.pose.point(place)
        return HandPose(np.array([x, y, underside - extent.low[2]]), yaw)

    def stance(target: HandPose) -> FloorPose:
        ahead = stand_off
        if ahead is not None:  # The base stands before the container.
            ahead += float(container.pose.local(target.position)[0])
        return site.stance(target.position, side, robot.base, ahead)

    obstacles = workplace.obstacles_over(container)
    places = _places(container, extent, turned, obstacles)
    places = sorted(places, key=worth, reverse=True)
    # The best places may all be out of reach; then nearer ones are in reach. A robot that cannot
    # drive may reach a small part of the container only.
    drives = workplace.kinematics.layout.drives
    nearer = sorted(places[_TRIED:], key=lambda place: float(place[0]))
    nearer = nearer[: _TRIED_NEARER if drives else None]
    for place in [*places[:_TRIED], *nearer]:
        target = pose(place)
        if site.reaches(side, target, top, stance(target)):
            return target, stance(target)
    target = pose(places[0])
    return target, stance(target)


def _release_yaw(container: Container, robot: RobotState, side: str, item: Item) -> float:
    """Return the yaw of the hand in odom at the release [rad]."""
    facing = container.pose.yaw
    along = robot.item(item.name).rotation[:, 0]
    if not item.design.is_long or abs(along[2]) > _STEEP:  # A pan may hang by its handle.
        return facing
    # The item's x axis goes along the container's y axis, in either direction. The smaller turn
    # remains the smaller one while turning, so the choice is stable. Hands cannot turn all the
    # way round.
    item_yaw = yaw_of(robot.item(item.name).rotation)
    turns = [wrap_angle(facing + way - item_yaw) for way in (-math.pi / 2, math.pi / 2)]
    turns = sorted(turns, key=abs)
    ahead = wrap_angle(hand_yaw(robot.tcp(side)) - facing)
    fitting = [turn for turn in turns if abs(ahead + turn) < _MOST_TURNED]
    return facing + ahead + (fitting or turns)[0]


def _extent(container: Container, robot: RobotState, side: str, item: Item, yaw: float) -> _Extent:
    """Compute the held item's extent with the hand at `yaw` in odom."""
    held = robot.hands[side].held
    assert held is not None and held.name == item.name
    T_container_item = hand_down(np.zeros(3), yaw - container.pose.yaw) @ held.T_tcp_item
    boxes = [part for part in item.design.parts if part.collides and part.shape == "box"]
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    corners = np.concatenate([np.array(b.position) + signs * np.array(b.size) for b in boxes])
    corners = T_container_item.apply(corners)
    return _Extent(corners.min(axis=0), corners.max(axis=0))


def _hand_half(turned: float) -> np.ndarray:
    """Return the half size (2,) of an open hand at a yaw in the container's frame [m]."""
    c, s = abs(math.cos(turned)), abs(math.sin(turned))
    across, along = _HAND_HALF
    return np.array([c * across + s * along, s * across + c * along])


def _range(container: Container, extent: _Extent, turned: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds, (2,) each, of tool centre points that keep clear of the walls [m]."""
    hand = _hand_half(turned)
    half = np.array(container.size[:2]) / 2 - _WALL_GAP
    lower = np.maximum(-half - extent.low[:2], -half + hand)
    upper = np.minimum(half - extent.high[:2], half - hand)
    # An item that is too large for the container is centred.
    middle = (lower + upper) / 2
    return np.minimum(lower, middle), np.maximum(upper, middle)


def _places(
    container: Container, extent: _Extent, turned: float, obstacles: tuple[Bounds, ...]
) -> list[np.ndarray]:
    """Return tool centre points (2,) in the container's frame that keep clear of walls and tap.

    Args:
        container: The container.
        extent: Extent of the item.
        turned: Yaw of the hand in the container's frame [rad].
        obstacles: Lower and upper corners (3,) of obstacles over the container, in its frame [m].
    """
    hand = _hand_half(turned)
    lower, upper = _range(container, extent, turned)
    xs, ys = (np.linspace(a, b, n) for a, b, n in zip(lower, upper, _GRID, strict=True))
    places = [np.array([x, y]) for x in xs for y in ys]

    def is_free(place: np.ndarray) -> bool:
        parts = ((place - hand, place + hand), (place + extent.low[:2], place + extent.high[:2]))
        return not any(
            (low < o_high[:2] + _TAP_GAP).all() and (high > o_low[:2] - _TAP_GAP).all()
            for low, high in parts
            for o_low, o_high in obstacles
        )

    return [place for place in places if is_free(place)] or places
