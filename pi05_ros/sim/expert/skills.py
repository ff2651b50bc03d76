"""Skills of the low level. Each is created for one chunk and returns a goal for each row."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from pi05_ros.sim.expert.drawers import is_open
from pi05_ros.sim.expert.grasps import HandPose, hand_poses, hand_yaw
from pi05_ros.sim.expert.moves import Goal, Moves
from pi05_ros.sim.expert.placement import release_pose
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.homes.geometry import FloorPose, wrap_angle
from pi05_ros.sim.homes.room import Container, Item

# Costs of a grasp, relative to the driving distance of the base.
_TURN_COST = 0.08  # Of turning the hand [m/rad].
# Of moving the hand [m/m]. It breaks ties: the hand keeps the option that it is approaching.
_WAY_COST = 0.2
_GROUND_GAP = 0.004  # Between fingertips and the surface below an item [m].
_WIDE = 0.8  # Opening fraction above which a hand may go down around an item.
_OTHER_ARM_COST = 1.0  # Of using an arm that is not preferred [m].
_SIDE_ON_COST = 0.15  # Of the hand's yaw relative to the counter [m/rad].


class Skill(Protocol):
    """A rule from the robot's state to its goal."""

    def goal(self, robot: RobotState) -> Goal:
        """Return the goal at the present row."""


class HoldSkill:
    """Stops and holds the robot."""

    def __init__(self, moves: Moves) -> None:
        self._moves = moves

    def goal(self, robot: RobotState) -> Goal:
        """Return the goal to stop everything in place."""
        return self._moves.stay(robot)


class PickSkill:
    """Grasps an item, lifts it and retracts it, with the arm of least cost.

    Args:
        moves: Moves in the room.
        item: The item.
        robot: Present state.
        prefer: Side of the arm that it is grasped with if possible; None: either.
    """

    def __init__(
        self, moves: Moves, item: Item, robot: RobotState, prefer: str | None = None
    ) -> None:
        if item.grasp is None:
            raise ValueError(f"{item.name} has no grasp")
        self._grasp = item.grasp
        position = robot.item(item.name).position
        self._moves = moves.at(moves.workplace.site_at(position))
        self._item = item
        self._prefer = prefer
        self._layout = robot.kinematics.layout
        self._plan = None if robot.holder(item.name) else self._choose(robot)

    def goal(self, robot: RobotState) -> Goal:
        """Return the goal of the present phase: drive, reach, close, lift or retract."""
        moves = self._moves
        side = robot.holder(self._item.name)
        if side is not None:
            return carry(moves, robot, side)
        if self._plan is None:  # Every hand is full.
            return moves.rest(robot)
        return take_hold(moves, robot, self._item.name, self._plan)

    def _choose(self, robot: RobotState) -> tuple[str, HandPose, FloorPose] | None:
        """Choose the free arm, hand pose and stance of least cost; None: no hand is free.

        Costs decrease on the way to a chosen option, so that the choice is stable. Without a base,
        it is an option that is in reach.
        """
        place, site, reach = self._moves.workplace, self._moves.site, self._moves.in_reach
        sides = [arm.side for arm in self._layout.arms]
        if reach.is_limited:
            sides = list(reach.arms_for(self._item, robot))
        options = []
        for arm in self._layout.arms:
            if arm.side not in sides or robot.hands[arm.side].held is not None:
                continue
            here = hand_yaw(robot.tcp(arm.side))
            for pose in hand_poses(self._grasp, robot.item(self._item.name), place.facing):
                stance = site.stance(pose.position, arm.side, robot.base)
                cost = math.hypot(stance.x - robot.base.x, stance.y - robot.base.y)
                cost += _WAY_COST * math.dist(pose.position[:2], robot.tcp(arm.side).position[:2])
                cost += _TURN_COST * abs(wrap_angle(pose.yaw - here))
                cost += _SIDE_ON_COST * abs(wrap_angle(pose.yaw - place.facing))
                # On an item that lies on its side, only the upper points are reachable.
                cost -= 2.0 * pose.position[2]
                cost += 0.0 if self._prefer in (None, arm.side) else _OTHER_ARM_COST
                options.append((cost, arm.side, pose, stance))
        top = self._moves.passing_height
        for _, side, pose, _ in sorted(options, key=lambda option: option[0]):
            if not reach.is_limited or reach.reaches(site, side, pose, robot):
                target = off_the_ground(self._moves, pose, robot)
                stance = site.reaching_stance(side, target, top(robot, side), robot.base)
                return side, target, stance
        return None


class PlaceSkill:
    """Puts a held item into a container and retracts the hand."""

    def __init__(self, moves: Moves, item: Item, container: Container, robot: RobotState) -> None:
        place = moves.workplace
        container = place.container(container.name, robot)
        self._moves = moves = moves.at(place.site_of(container))
        self._item = item
        self._plan = None
        side = robot.holder(item.name)
        if container.fixture and not is_open(robot, place.room.fixture(container.fixture)):
            side = None  # It was shut meanwhile: the hand retracts with the item.
        if side is not None:
            target, stance = release_pose(
                place, robot, side, item, container, moves.passing_height(robot, side)
            )
            self._plan = (side, target, stance)

    def goal(self, robot: RobotState) -> Goal:
        """Return the goal of the present phase: drive, reach, lower, open, rise or retract."""
        return put_down(self._moves, robot, self._item.name, self._plan)


def take_hold(
    moves: Moves, robot: RobotState, name: str, plan: tuple[str, HandPose, FloorPose]
) -> Goal:
    """Return the goal to drive, reach and close a hand around a thing, by (side, hand, base)."""
    side, target, stance = plan
    goal = moves.rest(robot, working=side)
    arm = robot.kinematics.layout.arm(side)
    goal.vector[arm.gripper] = arm.opened
    if moves.reach(robot, goal, side, target, stance):
        goal.vector[arm.gripper] = arm.closed
        if not robot.is_open(side):
            robot.grasp(side, name)
    else:
        wait_until_open(robot, goal, side, target)
    return goal


def put_down(
    moves: Moves, robot: RobotState, name: str, plan: tuple[str, HandPose, FloorPose] | None
) -> Goal:
    """Return the goal to bring a held thing to its place and retract, by (side, hand, base)."""
    if plan is None or robot.holder(name) != plan[0]:
        return after_release(moves, robot)
    side, target, stance = plan
    goal = moves.rest(robot, working=side)
    arm = robot.kinematics.layout.arm(side)
    goal.vector[arm.gripper] = arm.closed
    if moves.reach(robot, goal, side, target, stance):
        goal.vector[arm.gripper] = arm.opened
        if robot.is_open(side):
            robot.release(side)
    return goal


def wait_until_open(robot: RobotState, goal: Goal, side: str, target: HandPose) -> None:
    """Stop a hand near its target until its fingers are open enough to go down around a thing."""
    arm = robot.kinematics.layout.arm(side)
    if arm.opening(robot.command[arm.gripper]) < _WIDE:
        hand = robot.tcp(side).position
        if math.dist(hand[:2], target.position[:2]) < 0.1:
            goal.vector[arm.joints] = robot.command[arm.joints]


def off_the_ground(moves: Moves, pose: HandPose, robot: RobotState) -> HandPose:
    """Raise a pose in which fingertips would touch what is below."""
    place = moves.workplace
    ground = place.ground(pose.position, robot)
    lowest = ground + place.config.fingertip + _GROUND_GAP
    x, y, z = pose.position
    return HandPose(np.array([x, y, max(z, lowest)]), pose.yaw)


def carry(moves: Moves, robot: RobotState, side: str) -> Goal:
    """Return the goal to lift and retract the item in the hand `side`, once it is closed."""
    goal = moves.rest(robot, working=side)
    arm = robot.kinematics.layout.arm(side)
    goal.vector[arm.gripper] = arm.closed
    if robot.hands[side].since >= moves.workplace.config.dwell:
        moves.retract(robot, goal, side)
    return goal


def after_release(moves: Moves, robot: RobotState) -> Goal:
    """Return the goal after a release: wait until the fingers are open, then retract all hands."""
    goal = moves.rest(robot)
    for arm in robot.kinematics.layout.arms:
        hand = robot.hands[arm.side]
        if hand.held is None and robot.is_open(arm.side):
            goal.vector[arm.gripper] = arm.opened
            if hand.since < moves.workplace.config.dwell:
                goal.vector[arm.joints] = robot.command[arm.joints]
    return goal
