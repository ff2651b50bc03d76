"""Skill that moves a part of the furniture by its handle, while the base drives."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.expert.grasps import HandPose, hand_poses, hand_yaw
from pi05_ros.sim.expert.moves import Goal, Moves
from pi05_ros.sim.expert.skills import after_release, take_hold
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.expert.transforms import on_floor, yaw_of
from pi05_ros.sim.homes.geometry import FloorPose, wrap_angle
from pi05_ros.sim.homes.room import Fixture

_LEAST_AHEAD = 0.42  # Least distance of the hand ahead of base_link, for a low handle [m].
_OUT = 0.012  # Between a drawer's handle and the middle of a hand that takes it [m].
_REACHED = 0.006  # Largest distance of a held handle from its goal at the release [m].
_TURNED = 0.012  # Largest angle of what is held from its goal at the release [rad].
_STILL = 0.02  # Largest velocity of the base at the release [m/s, rad/s].
_WAY_COST = 0.2  # Of moving the hand [m/m].
_TURN_COST = 0.08  # Of turning the hand [m/rad].


@dataclass(frozen=True)
class Tolerance:
    """Largest distance of the handle [m], and angle [rad], from the goal."""

    distance: float
    angle: float


# A blanket within it is straight and stays where it is. The task's rubric accepts 4 cm as neat.
STRAIGHT = Tolerance(0.025, 0.03)


class DragSkill:
    """Grasps the handle of a fixture, drives until the fixture is at its goal, and lets go.

    The arm keeps its place above the base; only the wrist turns what turns with the hand.

    Args:
        moves: Moves at the fixture's site.
        fixture: What is moved.
        goal: Pose of its frame in odom that is wanted.
        robot: Present state.
        enough: Within this tolerance a fixture that is not held stays where it is.
    """

    def __init__(
        self,
        moves: Moves,
        fixture: Fixture,
        goal: FloorPose,
        robot: RobotState,
        enough: Tolerance,
    ) -> None:
        self._moves = moves
        self._fixture = fixture
        self._goal = goal
        self._enough = enough
        self._layout = robot.kinematics.layout
        self._handle = np.asarray(fixture.grasp.point, dtype=np.float64)
        self._joints: np.ndarray | None = None
        held = robot.holder(fixture.name) is not None
        self._plan = None if held else self._choose(robot)

    def goal(self, robot: RobotState) -> Goal:
        """Return the goal of the present phase: drive, reach, close, drag, open or retract."""
        side = robot.holder(self._fixture.name)
        if side is not None:
            return self._drag(robot, side)
        if self._plan is None or self._is_within(robot, self._enough):
            return after_release(self._moves, robot)
        return take_hold(self._moves, robot, self._fixture.name, self._plan)

    def _drag(self, robot: RobotState, side: str) -> Goal:
        moves, arm = self._moves, self._layout.arm(side)
        goal = moves.rest(robot, working=side)
        goal.vector[arm.gripper] = arm.closed
        if robot.hands[side].since < moves.workplace.config.dwell and not robot.is_open(side):
            return goal
        still = np.abs(robot.velocity[self._layout.base]).max() < _STILL
        if robot.is_open(side) or (still and self._is_within(robot, Tolerance(_REACHED, _TURNED))):
            goal.vector[arm.gripper] = arm.opened
            if robot.is_open(side):
                robot.release(side)
            return goal
        if self._joints is None:
            self._joints = self._turned_joints(robot, side)
        goal.vector[arm.joints] = self._joints
        handle = robot.item(self._fixture.name).apply(self._handle)
        away = (self._goal.point(self._handle) - handle)[:2]
        base, facing = robot.base, moves.site.frame.yaw
        goal.base = FloorPose(base.x + float(away[0]), base.y + float(away[1]), facing)
        return goal

    def _turned_joints(self, robot: RobotState, side: str) -> np.ndarray:
        """Solve for the joints (n,) with the hand where it is, turned as the goal needs it."""
        joints = self._layout.arm(side).joints
        if not self._fixture.turns_with_hand:
            return robot.command[joints]
        T_base_tcp = on_floor(robot.base).inverse() @ robot.tcp(side)
        now = yaw_of(robot.item(self._fixture.name).rotation)
        left = wrap_angle(self._goal.yaw - now)
        ahead = hand_yaw(robot.tcp(side)) - self._moves.site.frame.yaw + left
        height = self._fixture.height + self._handle[2]
        place = np.array([*T_base_tcp.position[:2], height])
        target = HandPose(place, wrap_angle(ahead)).transform
        seed = robot.command + robot.tracking_error
        return robot.kinematics.solve(side, target, seed).vector[joints]

    def _is_within(self, robot: RobotState, tolerance: Tolerance) -> bool:
        """Check whether the handle and the fixture's yaw are within a tolerance of the goal."""
        distance, angle = drag_error(robot, self._fixture, self._goal)
        return distance < tolerance.distance and angle < tolerance.angle

    def _off_the_front(self, pose: HandPose) -> HandPose:
        """Move the hand at a drawer's handle a little away from the furniture behind it."""
        if self._fixture.turns_with_hand:
            return pose
        x, y, _ = self._fixture.joints[0].axis
        c, s = math.cos(self._fixture.pose.yaw), math.sin(self._fixture.pose.yaw)
        out = np.array([c * x - s * y, s * x + c * y, 0.0])
        return HandPose(pose.position + _OUT * out, pose.yaw)

    def _choose(self, robot: RobotState) -> tuple[str, HandPose, FloorPose] | None:
        """Choose the free arm, hand pose and stance of least cost; None: there is none."""
        site, facing = self._moves.site, self._moves.workplace.facing
        end = self._goal.point(self._handle)
        options = []
        for arm in self._layout.arms:
            if robot.hands[arm.side].held is not None:
                continue
            tcp = robot.tcp(arm.side)
            now = robot.item(self._fixture.name)
            for pose in map(self._off_the_front, hand_poses(self._fixture.grasp, now, facing)):
                # The base keeps its distance from the front edge on the whole way.
                handles = (site.frame.local(pose.position)[0], site.frame.local(end)[0])
                ahead = max(float(max(handles)) + site.config.standoff, _LEAST_AHEAD)
                stance = site.stance(pose.position, arm.side, robot.base, ahead)
                cost = math.hypot(stance.x - robot.base.x, stance.y - robot.base.y)
                cost += _WAY_COST * math.dist(pose.position[:2], tcp.position[:2])
                cost += _TURN_COST * abs(wrap_angle(pose.yaw - hand_yaw(tcp)))
                final = FloorPose(
                    stance.x + float(end[0] - pose.position[0]),
                    stance.y + float(end[1] - pose.position[1]),
                    stance.yaw,
                )
                cost += 0.0 if site.is_free(stance) and site.is_free(final) else 10.0
                options.append((cost, arm.side, pose, stance))
        if not options:
            return None
        _, side, pose, stance = min(options, key=lambda option: option[0])
        return side, pose, stance


def drag_error(robot: RobotState, fixture: Fixture, goal: FloorPose) -> tuple[float, float]:
    """Return how far a fixture's handle [m] and its yaw [rad] are from a goal pose in odom.

    Where it does not turn, its yaw is that of the goal.
    """
    T_odom_fixture = robot.item(fixture.name)
    handle = np.asarray(fixture.grasp.point, dtype=np.float64)
    away = T_odom_fixture.apply(handle)[:2] - goal.point(handle)[:2]
    if not fixture.turns_with_hand:
        return math.hypot(*away), 0.0
    return math.hypot(*away), abs(wrap_angle(yaw_of(T_odom_fixture.rotation) - goal.yaw))
