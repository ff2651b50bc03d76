"""Elementary moves of the skills: retract, drive, reach down. Each fills in a Goal."""

from __future__ import annotations

import copy
import itertools
import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.sim.expert.grasps import HandPose, hand_yaw
from pi05_ros.sim.expert.reach import Reach
from pi05_ros.sim.expert.sites import Site
from pi05_ros.sim.expert.state import Held, RobotState
from pi05_ros.sim.expert.vertical_paths import VerticalPath, VerticalPaths
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.homes.geometry import FloorPose, wrap_angle

_LOW = (
    0.03  # Below its passing height by more than this, a hand goes up before it goes anywhere [m].
)
_TILTED = 0.1  # Largest distance of its joints from the path of a hand that starts to lower [rad].
_OPEN = 0.9  # Opening fraction from which fingers are open.
_SHOULDER_FRONT = 0.25  # What a load keeps ahead of base_link, to clear the shoulder [m].
_SETTLED = (
    0.6  # Largest joint velocity, but down, of an arm that starts to lower its hand [rad/s].
)
_NEAR_PATH = 0.07  # Distance from its path within which a low hand returns to it [m].
_STILL = 0.03  # Largest velocity of a base that counts as standing [m/s, rad/s].
_TURNED = 0.03  # Tolerance of the base yaw that belongs to the stance tolerance [rad].


@dataclass
class Goal:
    """Goal of the whole robot at one row. Skills start from `Moves.rest` and change parts."""

    vector: np.ndarray  # (D,) goal positions; the entries of the base are ignored.
    base: FloorPose | None  # Goal in odom; None: stop.


class Moves:
    """Moves of a robot at a site of a room, as functions of its state: any row can be the first.

    Args:
        workplace: The room's sites.

    Attributes:
        site: Where the hands work; at first the main surface.
        in_reach: What a robot that cannot drive reaches.
    """

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace
        self.site = workplace.main
        self.in_reach = Reach(workplace)
        self._config = workplace.config
        self._layout = workplace.kinematics.layout
        self._paths = VerticalPaths(workplace.kinematics)
        self._up: dict[str, VerticalPath] = {}
        self._last_hanging: tuple[Held, float] | None = None
        self._last_behind: tuple[Held, float] | None = None
        self._fixtures = {fixture.name for fixture in workplace.room.fixtures}

    def at(self, site: Site) -> Moves:
        """Return these moves at another site; both use the same solved paths."""
        moves = copy.copy(self)
        moves.site = site
        return moves

    def stay(self, robot: RobotState) -> Goal:
        """Return the goal to stop everything in place."""
        return Goal(robot.command.copy(), None)

    def rest(self, robot: RobotState, working: str | None = None) -> Goal:
        """Return the goal to stop the base, retract the idle hands and set the torso's posture.

        Args:
            robot: Present state.
            working: Side of the hand that is not retracted; None: both are retracted.
        """
        goal = self.stay(robot)
        torso = self._layout.torso
        if self._torso_may_move(robot):
            goal.vector[torso] = self.site.posture[torso]
        for arm in self._layout.arms:
            if arm.side != working and not self._lets_go(robot, goal, arm.side):
                self.retract(robot, goal, arm.side)
        return goal

    def _lets_go(self, robot: RobotState, goal: Goal, side: str) -> bool:
        """Open an idle hand that holds a fixture, or that stopped half open.

        Returns:
            Whether the hand must stay where it is until its fingers are open.
        """
        hand, arm = robot.hands[side], self._layout.arm(side)
        if hand.held is None and not robot.is_open(side):
            return False  # It is closed and empty.
        if hand.held is not None and hand.held.name not in self._fixtures:
            return False
        goal.vector[arm.gripper] = arm.opened
        if hand.held is not None:
            if robot.is_open(side):
                robot.release(side)
            return True
        return arm.opening(float(robot.command[arm.gripper])) < _OPEN

    def retract(self, robot: RobotState, goal: Goal, side: str) -> None:
        """Move the hand straight up if necessary, then to its ready pose."""
        if self._must_rise(robot, side):
            self._rise(robot, goal, side, self.passing_height(robot, side))
            return
        yaw = 0.0
        if robot.hands[side].held is not None:
            # With a load, the hand keeps its yaw; it turns on the way to the release pose.
            yaw = wrap_angle(hand_yaw(robot.tcp(side)) - robot.base.yaw)
        height = self.passing_height(robot, side)
        joints = self._layout.arm(side).joints
        site = self._posing_site(robot)
        goal.vector[joints] = site.ready_joints(side, height, yaw, self._load_reach(robot, side))

    def drive(self, robot: RobotState, goal: Goal, stance: FloorPose) -> None:
        """Drive the base to `stance`; near furniture it waits until all hands are high."""
        if all(self._is_clear(robot, arm.side) for arm in self._layout.arms):
            goal.base = self.workplace.obstacles.waypoint(robot, stance)
            return
        main, waiting = self.workplace.main, self._config.waiting
        if main.frame.local((robot.base.x, robot.base.y))[0] < 0.02 - waiting:
            y = float(main.frame.local((stance.x, stance.y))[1])
            goal.base = self.workplace.obstacles.waypoint(robot, main.at(-waiting, y))

    def reach(
        self, robot: RobotState, goal: Goal, side: str, target: HandPose, stance: FloorPose
    ) -> bool:
        """Drive to `stance`, move the hand above `target` and lower it to the target.

        Returns:
            Whether the hand has arrived.
        """
        config = self._config
        hand = robot.tcp(side).position
        top = max(self.passing_height(robot, side), target.position[2] + 0.02)
        beside = math.dist(hand[:2], target.position[:2])
        turned = abs(wrap_angle(hand_yaw(robot.tcp(side)) - target.yaw))
        is_low = hand[2] < top - _LOW
        on_path = turned < 0.12 and beside < config.on_path * (1.5 if is_low else 1.0)
        # Paths are for the site's posture: a low hand must rise before the torso may move to it.
        ready = self._torso_is_up(robot)
        if not ready or not self._stands(robot, stance, slack=on_path and is_low):
            self.retract(robot, goal, side)
            self.drive(robot, goal, stance)
            return False
        seed = self.site.posture.copy()
        seed[self._layout.arm(side).joints] = self.site.ready_joints(side, top)
        path = self._paths.get("reach", side, target, top, robot.base, seed)
        joints = self._layout.arm(side).joints
        settled = is_low or self._is_settled(robot, path, joints, hand[2])
        if on_path and settled:
            goal.vector[joints] = path.at(hand[2] - config.lookahead)
            return beside < 0.015 and abs(hand[2] - target.position[2]) < config.arrived
        if is_low and beside < _NEAR_PATH and turned < 0.3:
            goal.vector[joints] = path.at(hand[2] + config.lookahead)  # Up and back to the path.
        elif is_low and self._is_near_things(hand):
            self._rise(robot, goal, side, top)
        else:
            goal.vector[joints] = path.at(path.top)
        return False

    def _is_settled(
        self, robot: RobotState, path: VerticalPath, joints: np.ndarray, height: float
    ) -> bool:
        """Check that a hand at `height` [m] is on its path, at rest or on its way down.

        A fast hand would overshoot its path, and one with another tilt would leave it.
        """
        velocity, here = robot.velocity[joints], path.at(height)
        down = path.at(height - self._config.lookahead) - here
        length = float(np.linalg.norm(down))
        # Low arms are fast within 3 cm of the top, and would be called back up on their way.
        if length > 1e-6 and self.site.is_floor:
            velocity = velocity - max(0.0, float(velocity @ down) / length) * down / length
        off = np.abs(robot.command[joints] - here).max()
        return bool(np.abs(velocity).max() < _SETTLED and off < _TILTED)

    def passing_height(self, robot: RobotState, side: str) -> float:
        """Return the height [m] at which the hand and its load clear all that is here."""
        held = robot.hands[side].held
        hangs = self._config.fingertip
        if held is not None:
            hangs = max(hangs, self._hanging(held))
        clear = self.site.pass_height
        if clear < self.workplace.highest:
            clear = max(clear, self.workplace.clear_height(robot.tcp(side).position))
        return clear + hangs

    def _hanging(self, held: Held) -> float:
        """Return the distance from the tool centre point down to the end of a held item [m]."""
        if self._last_hanging is None or self._last_hanging[0] is not held:
            lowest = self._corners(held)[:, 0].max()  # The tool's x axis points down.
            self._last_hanging = (held, float(lowest))
        return self._last_hanging[1]

    def _load_reach(self, robot: RobotState, side: str) -> float:
        """Return how far ahead of base_link a hand keeps its load clear of the shoulder [m]."""
        held = robot.hands[side].held
        if held is None:
            return 0.0
        if self._last_behind is None or self._last_behind[0] is not held:
            facing = self.workplace.facing
            ahead = np.array([math.cos(facing), math.sin(facing), 0.0])
            forward = self._corners(held) @ robot.tcp(side).rotation.T @ ahead
            self._last_behind = (held, -float(forward.min()))
        return _SHOULDER_FRONT + self._last_behind[1]

    def _corners(self, held: Held) -> np.ndarray:
        """Return the corners (8, 3) of a held item in the hand's frame [m]."""
        size = self._size(held.name)
        corners = np.array(list(itertools.product((-0.5, 0.5), (-0.5, 0.5), (0.0, 1.0)))) * size
        return held.T_tcp_item.apply(corners)

    def _size(self, name: str) -> np.ndarray:
        """Return the size (3,) of an item [m]; that of a fixture, which no hand lifts, is 0."""
        if name in self._fixtures:
            return np.zeros(3)
        return np.array(self.workplace.room.item(name).design.size)

    def hands_are_clear(self, robot: RobotState) -> bool:
        """Check that no hand is low over a surface, in a container or beside things."""
        return not any(self._must_rise(robot, arm.side) for arm in self._layout.arms)

    def _torso_may_move(self, robot: RobotState) -> bool:
        """Check that hands are clear, and stay so when the torso goes to the site's posture."""
        if not self.hands_are_clear(robot):
            return False
        if self.site.pass_height == self.workplace.highest:
            return True
        hands = [robot.tcp(arm.side).position for arm in self._layout.arms]
        return max(map(self.workplace.clear_height, hands)) <= self.site.pass_height

    def _posing_site(self, robot: RobotState) -> Site:
        """Return the site for whose posture the ready poses of the hands hold now."""
        if self._torso_is_up(robot) or self._torso_may_move(robot):
            return self.site
        torso = self._layout.torso
        sites = (self.site, self.workplace.main, self.workplace.floor)
        away = [np.abs(robot.command[torso] - s.posture[torso]).max(initial=0.0) for s in sites]
        return sites[int(np.argmin(away))]

    def _must_rise(self, robot: RobotState, side: str) -> bool:
        position = robot.tcp(side).position
        low = position[2] < self.passing_height(robot, side) - _LOW
        return low and self._is_near_things(position)

    def _is_near_things(self, hand: np.ndarray) -> bool:
        """Check whether a hand at `hand` (3,) in odom [m] may only move straight up."""
        place = self.workplace
        return place.is_over_surface(hand) or bool(hand[2] < place.floor.pass_height - _LOW)

    def _is_clear(self, robot: RobotState, side: str) -> bool:
        """Check whether the base may move the hand `side` over things."""
        height = self.passing_height(robot, side) - _LOW - 0.01
        return robot.tcp(side).position[2] > height

    def _rise(self, robot: RobotState, goal: Goal, side: str, top: float) -> None:
        """Move the hand straight up from its present position to the height `top` [m]."""
        T_odom_tcp = robot.tcp(side)
        position = T_odom_tcp.position
        path = self._up.get(side)
        if (
            path is None
            or math.dist(position[:2], path.place.position[:2]) > 0.03
            or position[2] < path.bottom - 0.02
            or path.top < top - 0.01
            or not path.serves(side, path.place, path.top, robot.base, path.torso)
        ):
            place = HandPose(position, hand_yaw(T_odom_tcp))
            seed = robot.command + robot.tracking_error
            path = self._paths.get("rise", side, place, top, robot.base, seed, downwards=False)
            self._up[side] = path
        joints = self._layout.arm(side).joints
        goal.vector[joints] = path.at(position[2] + self._config.lookahead)

    def _stands(self, robot: RobotState, stance: FloorPose, slack: bool) -> bool:
        """Check whether the base stands at `stance` within its tolerance."""
        tolerance = self._config.stance_slack if slack else self._config.stance_tolerance
        off = math.hypot(stance.x - robot.base.x, stance.y - robot.base.y)
        turned = abs(wrap_angle(stance.yaw - robot.base.yaw))
        still = np.abs(robot.velocity[self._layout.base]).max(initial=0.0) < _STILL
        near = off < tolerance and turned < _TURNED * tolerance / self._config.stance_tolerance
        return near and (still or slack)

    def _torso_is_up(self, robot: RobotState) -> bool:
        torso = self._layout.torso
        off = np.abs(robot.command[torso] - self.site.posture[torso])
        return bool(off.max(initial=0.0) < 0.005)
