"""Drawers as the expert sees them: how far open they are, where they stand in the way."""

from __future__ import annotations

import numpy as np

from pi05_ros.sim.expert.state import RobotState, planar_pose
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.parts import bounds
from pi05_ros.sim.homes.room import Fixture, Room

SHUT = 0.01  # Opening up to which a drawer counts as shut [m]; less than the rubric of its task.
_FROM_END = 0.01  # From the end of the slide to the opening that is wanted [m].
WIDE = 0.05  # From that opening to the least one in which things are put into the drawer [m].


def drawers(room: Room) -> tuple[Fixture, ...]:
    """Return the fixtures of a room that are opened and closed: those on a single slide."""
    return tuple(f for f in room.fixtures if len(f.joints) == 1 and f.joints[0].kind == "slide")


def opening(robot: RobotState, drawer: Fixture) -> float:
    """Return how far a drawer is open [m]."""
    return drawer.opening(planar_pose(robot, drawer.name))


def is_open(robot: RobotState, drawer: Fixture) -> bool:
    """Check whether a drawer is open so far that things are put into it."""
    return opening(robot, drawer) >= _wanted(drawer) - WIDE


def opened_pose(drawer: Fixture) -> FloorPose:
    """Return the pose in odom of an opened drawer's frame."""
    x, y, _ = drawer.joints[0].axis
    return drawer.pose.compose(FloorPose(_wanted(drawer) * x, _wanted(drawer) * y, 0.0))


def floor_area(robot: RobotState, drawer: Fixture, frame: FloorPose) -> np.ndarray:
    """Return the bounds of a drawer, as it is now, over the floor.

    Args:
        robot: Present state.
        drawer: The drawer.
        frame: In odom; the drawer moves along its x axis.

    Returns:
        (2, 2) lower and upper corner in `frame` [m].
    """
    low, high = bounds(drawer.parts)
    along = frame.inverse().compose(drawer.pose)
    slide = opening(robot, drawer) * np.array(drawer.joints[0].axis[:2])
    corners = [along.point(corner[:2] + slide) for corner in (low, high)]
    return np.array([np.min(corners, axis=0), np.max(corners, axis=0)])


def _wanted(drawer: Fixture) -> float:
    return drawer.joints[0].range[1] - _FROM_END
