"""Where in the sink to put an item down."""

from __future__ import annotations

import math

import numpy as np

from pi05_ros.sim.expert.grasps import HandPose, hand_yaw
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.expert.transforms import hand_down, yaw_of
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.geometry import wrap_angle
from pi05_ros.sim.kitchen import Item

_WALL_GAP = 0.015  # Between an item and the sink's walls [m].
_HAND_HALF = (0.035, 0.065)  # Half size of an open hand: across and along its fingers' way [m].
_MOST_TURNED = math.radians(125)  # Of a hand to either side.
_GRID = (5, 9)  # Candidates across and along the sink.
_NEARER_COST = 0.4  # How much free space a metre nearer to the counter's edge is worth.


def release_pose(workplace: Workplace, robot: RobotState, side: str, item: Item) -> HandPose:
    """The hand pose in odom in which opening the fingers leaves the item in the sink.

    Long items lie along the sink. Of all places that hand and item fit in, it is the one farthest
    from what lies in the sink already.
    """
    sink = workplace.kitchen.sink
    facing = sink.pose.yaw
    held = robot.hands[side].held
    assert held is not None and held.name == item.name
    here = hand_yaw(robot.tcp(side))
    if item.design.is_long:
        # The item's x axis along the sink's y axis, either way round: the one that is less of a
        # turn from here stays so during the turn. Hands do not turn all the way round.
        item_yaw = yaw_of(robot.item(item.name).rotation)
        turns = [wrap_angle(facing + way - item_yaw) for way in (-math.pi / 2, math.pi / 2)]
        turns = sorted(turns, key=abs)
        ahead = wrap_angle(here - facing)
        fitting = [turn for turn in turns if abs(ahead + turn) < _MOST_TURNED]
        yaw = facing + ahead + (fitting or turns)[0]
    else:
        yaw = facing
    # Item in the sink's frame, relative to the tool centre point.
    T_sink_item = hand_down(np.zeros(3), yaw - facing) @ held.T_tcp_item
    offset = T_sink_item.position
    corners = T_sink_item.rotation @ _felt_corners(item).T
    low, high = corners.min(axis=1) + offset, corners.max(axis=1) + offset
    c, s = abs(math.cos(yaw - facing)), abs(math.sin(yaw - facing))
    hand = np.array([c * _HAND_HALF[0] + s * _HAND_HALF[1], s * _HAND_HALF[0] + c * _HAND_HALF[1]])
    half = np.array(sink.size[:2]) / 2 - _WALL_GAP
    # Bounds of the tool centre point, from the item and from the hand.
    lower = np.maximum(-half - low[:2], -half + hand)
    upper = np.minimum(half - high[:2], half - hand)
    middle = (lower + upper) / 2
    lower, upper = np.minimum(lower, middle), np.maximum(upper, middle)
    others = [
        (sink.pose.local(robot.items[other.name].position), other.design)
        for other in workplace.kitchen.items
        if other.name != item.name and sink.contains(robot.items[other.name].position)
    ]
    best, best_worth = middle, -math.inf
    for x in np.linspace(lower[0], upper[0], _GRID[0]):
        for y in np.linspace(lower[1], upper[1], _GRID[1]):
            centre = np.array([x, y]) + (low[:2] + high[:2]) / 2
            gaps = [math.dist(centre, p[:2]) - d.footprint for p, d in others]
            worth = min([*gaps, 0.15]) - _NEARER_COST * x - 0.05 * abs(y)
            if worth > best_worth:
                best, best_worth = np.array([x, y]), worth
    footprint = max(high[0] - low[0], high[1] - low[1]) / 2
    centre = best + (low[:2] + high[:2]) / 2
    below = [
        p[2] + d.size[2]
        for p, d in others
        if math.dist(centre, p[:2]) < d.footprint + 0.7 * footprint
    ]
    floor = max([sink.floor, *below])
    # Not so deep that the hand could not open, not so high that the item is not in the sink.
    underside = min(floor + workplace.config.drop, sink.top - 0.05)
    x, y = sink.pose.point(best)
    return HandPose(np.array([x, y, underside - low[2]]), yaw)


def _felt_corners(item: Item) -> np.ndarray:
    """Corners of the boxes that touch other things, (n, 3) in the item's frame [m]."""
    boxes = [part for part in item.design.parts if part.felt and part.shape == "box"]
    signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    return np.concatenate([np.array(b.position) + signs * np.array(b.size) for b in boxes])
