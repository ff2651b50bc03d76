"""Choice of the pose in which the hand releases an item into the sink."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.expert.grasps import HandPose, hand_yaw
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.expert.transforms import hand_down, yaw_of
from pi05_ros.sim.expert.workplace import Bounds, Workplace
from pi05_ros.sim.homes.geometry import wrap_angle
from pi05_ros.sim.homes.room import Container, Item

_WALL_GAP = 0.015  # Between an item and the sink's walls [m].
# Between a hand or an item and the tap, across and along the sink [m]; hands approach along it.
_TAP_GAP = np.array([0.012, 0.08])
_HAND_HALF = (0.035, 0.065)  # Half size of an open hand: across and along the finger motion [m].
_MOST_TURNED = math.radians(125)  # Largest yaw of a hand to either side [rad].
_LEAST_DEPTH = 0.05  # Least depth of an item's underside below the sink's rim at release [m].
_GRID = (5, 9)  # Number of candidates across and along the sink.
_TRIED = 8  # Number of best candidates whose reachability is checked.
_ENOUGH_SPACE = 0.15  # Free space around an item above which more has no value [m].
_NEARER_COST = 0.4  # Cost of distance from the counter's front edge [m of free space per m].
# Cost of moving the hand [m of free space per m]. It breaks ties: the hand keeps the place that it
# is approaching.
_WAY_COST = 0.15


@dataclass(frozen=True)
class _Extent:
    """A box around a held item in the sink's axes, relative to the tool centre point [m]."""

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
    workplace: Workplace, robot: RobotState, side: str, item: Item, top: float
) -> HandPose:
    """Return the hand pose in odom in which opening the fingers leaves the item in the sink.

    Long items lie along the sink. Among the places where hand and item fit and that the arm
    reaches, it is the best by free space, distance from the front edge and motion of the hand.

    Args:
        workplace: Workplace with the sink.
        robot: State in which the hand `side` holds the item.
        side: Side of the arm.
        item: The held item.
        top: Height at which the hand moves over the sink [m].
    """
    sink = workplace.room.container("sink")
    yaw = _release_yaw(sink, robot, side, item)
    extent = _extent(sink, robot, side, item, yaw)
    others = [
        (sink.pose.local(robot.items[other.name].position), other.design)
        for other in workplace.room.items
        if other.name != item.name and sink.contains(robot.items[other.name].position)
    ]
    hand_now = sink.pose.local(robot.tcp(side).position)[:2]

    def worth(place: np.ndarray) -> float:
        gaps = [math.dist(place + extent.centre, p[:2]) - d.footprint for p, d in others]
        space = min([*gaps, _ENOUGH_SPACE])
        return space - _NEARER_COST * place[0] - _WAY_COST * math.dist(place, hand_now)

    def pose(place: np.ndarray) -> HandPose:
        below = [
            p[2] + d.size[2]
            for p, d in others
            if math.dist(place + extent.centre, p[:2]) < d.footprint + 0.7 * extent.radius
        ]
        underside = max([sink.floor, *below]) + workplace.config.drop
        underside = min(underside, sink.top - _LEAST_DEPTH)
        x, y = sink.pose.point(place)
        return HandPose(np.array([x, y, underside - extent.low[2]]), yaw)

    places = _places(sink, extent, yaw - sink.pose.yaw, workplace.over_sink)
    places = sorted(places, key=worth, reverse=True)
    for place in places[:_TRIED]:
        if workplace.reaches(side, pose(place), top, robot.base):
            return pose(place)
    return pose(places[0])


def _release_yaw(sink: Container, robot: RobotState, side: str, item: Item) -> float:
    """Return the yaw of the hand in odom at the release [rad]."""
    facing = sink.pose.yaw
    if not item.design.is_long:
        return facing
    # The item's x axis goes along the sink's y axis, in either direction. The smaller turn remains
    # the smaller one while turning, so the choice is stable. Hands cannot turn all the way round.
    item_yaw = yaw_of(robot.item(item.name).rotation)
    turns = [wrap_angle(facing + way - item_yaw) for way in (-math.pi / 2, math.pi / 2)]
    turns = sorted(turns, key=abs)
    ahead = wrap_angle(hand_yaw(robot.tcp(side)) - facing)
    fitting = [turn for turn in turns if abs(ahead + turn) < _MOST_TURNED]
    return facing + ahead + (fitting or turns)[0]


def _extent(sink: Container, robot: RobotState, side: str, item: Item, yaw: float) -> _Extent:
    """Compute the held item's extent with the hand at `yaw` in odom."""
    held = robot.hands[side].held
    assert held is not None and held.name == item.name
    T_sink_item = hand_down(np.zeros(3), yaw - sink.pose.yaw) @ held.T_tcp_item
    boxes = [part for part in item.design.parts if part.collides and part.shape == "box"]
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    corners = np.concatenate([np.array(b.position) + signs * np.array(b.size) for b in boxes])
    corners = T_sink_item.apply(corners)
    return _Extent(corners.min(axis=0), corners.max(axis=0))


def _places(
    sink: Container, extent: _Extent, turned: float, obstacles: tuple[Bounds, ...]
) -> list[np.ndarray]:
    """Return tool centre points (2,) in the sink's frame that keep clear of walls and tap.

    Args:
        sink: The sink.
        extent: Extent of the item.
        turned: Yaw of the hand in the sink's frame [rad].
        obstacles: Lower and upper corners (3,) of obstacles over the sink, in its frame [m].
    """
    c, s = abs(math.cos(turned)), abs(math.sin(turned))
    across, along = _HAND_HALF
    hand = np.array([c * across + s * along, s * across + c * along])
    half = np.array(sink.size[:2]) / 2 - _WALL_GAP
    lower = np.maximum(-half - extent.low[:2], -half + hand)
    upper = np.minimum(half - extent.high[:2], half - hand)
    # An item that is too large for the sink is centred.
    middle = (lower + upper) / 2
    lower, upper = np.minimum(lower, middle), np.maximum(upper, middle)
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
