"""Stances and postures of the robot for work at the main counter of a kitchen."""

from __future__ import annotations

import numpy as np

from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.grasps import HandPose
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import hand_down, on_floor
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.room import Room

_BESIDE_SINK = 0.1  # Distance from the sink within which furniture is an obstacle [m].
_ARM_SPACE = 0.5  # Height above the sink beyond which furniture is no obstacle [m].
_OVER_MARGIN = 0.12  # Largest extent of a hand and its load around the tool centre point [m].

Bounds = tuple[np.ndarray, np.ndarray]  # Lower and upper corner of a box, (3,) each [m].


class Workplace:
    """Stances of the base, posture of the torso and ready poses of the hands in one kitchen."""

    def __init__(
        self, kinematics: ArmKinematics, room: Room, config: ScriptedExpertConfig
    ) -> None:
        self.kinematics = kinematics
        self.room = room
        self.config = config
        self.counter = room.surfaces[0]
        self.facing = self.counter.pose.yaw
        self.posture = self._work_posture()
        sides = [arm.side for arm in kinematics.layout.arms]
        self.shoulder_y = {s: float(kinematics.shoulder(self.posture, s)[1]) for s in sides}
        tallest = max(item.design.size[2] for item in room.dishes)
        # A hand at this height passes over every dish that stands on the counter.
        self.pass_height = self.counter.height + tallest + config.clearance
        self.over_sink = _over_sink(room)
        self._ready: dict[tuple[str, float, float], np.ndarray] = {}

    def ready_joints(self, side: str, height: float, yaw: float = 0.0) -> np.ndarray:
        """Return the joints (n,) of an arm with a retracted hand, for driving.

        Args:
            side: Side of the arm.
            height: Height of the tool centre point above the floor [m].
            yaw: Yaw of the hand in the base frame [rad].
        """
        key = (side, round(height, 2), round(yaw, 1))
        if key not in self._ready:
            place = np.array([self.config.ready_reach, self.shoulder_y[side], key[1]])
            solution = self.kinematics.solve(side, hand_down(place, key[2]), self.posture)
            self._ready[key] = solution.vector[self.kinematics.layout.arm(side).joints]
        return self._ready[key]

    def stance(self, position: np.ndarray, side: str, base: FloorPose) -> FloorPose:
        """Return the base pose from which the hand `side` works at `position` (3,) in odom.

        Among the suitable poses along the counter it is the one nearest to `base`.
        """
        y = self.counter.pose.local(position)[1] - self.shoulder_y[side]
        here = self.counter.pose.local((base.x, base.y))[1]
        side_reach = self.config.side_reach
        return self.at(-self.config.standoff, float(np.clip(here, y - side_reach, y + side_reach)))

    def reaches(self, side: str, target: HandPose, top: float, base: FloorPose) -> bool:
        """Check whether the hand reaches `target`, and the height `top` above it.

        Args:
            side: Side of the arm.
            target: Hand pose in odom.
            top: Height above the floor [m].
            base: Present pose of the robot, from which the stance is chosen.
        """
        T_base_odom = on_floor(self.stance(target.position, side, base)).inverse()
        seed = self.posture.copy()
        seed[self.kinematics.layout.arm(side).joints] = self.ready_joints(side, top)
        for height in (top, target.position[2]):
            place = HandPose(np.array([*target.position[:2], height]), target.yaw)
            solution = self.kinematics.solve(side, T_base_odom @ place.transform, seed)
            if not solution.reaches():
                return False
            seed = solution.vector
        return True

    def at(self, x: float, y: float) -> FloorPose:
        """Return the base pose in odom that faces the counter at x, y [m] in its frame."""
        return self.counter.pose.compose(FloorPose(x, y, 0.0))

    def distance(self, base: FloorPose) -> float:
        """Return the distance of base_link in front of the counter's edge [m]."""
        return -float(self.counter.pose.local((base.x, base.y))[0])

    def is_over(self, position: np.ndarray) -> bool:
        """Check whether a hand at `position` (3,) in odom is over the counter or close to it."""
        x, y, _ = self.counter.pose.local(position)
        return x > -_OVER_MARGIN and abs(y) < self.counter.length / 2 + _OVER_MARGIN

    def _work_posture(self) -> np.ndarray:
        """Return the platform's home vector (D,) with the torso raised for this counter."""
        kinematics, platform = self.kinematics, self.kinematics.platform
        posture = np.array(platform.home)
        side = kinematics.layout.arms[0].side
        wanted = self.counter.height + self.config.shoulder_rise
        for joint in kinematics.layout.torso:
            low, high = posture.copy(), posture.copy()
            low[joint], high[joint] = platform.lower[joint], platform.upper[joint]
            z_low = kinematics.shoulder(low, side)[2]
            rise = kinematics.shoulder(high, side)[2] - z_low
            if abs(rise) > 0.05:  # This joint lifts.
                share = np.clip((wanted - z_low) / rise, 0.0, 1.0)
                posture[joint] = low[joint] + share * (high[joint] - low[joint])
        return posture


def _over_sink(room: Room) -> tuple[Bounds, ...]:
    """Return the bounds, in the sink's frame, of furniture that rises over the sink (the tap)."""
    sink = room.container("sink")
    # Furniture is in the room's frame, whose axes are those of the main counter and its sink.
    middle = np.array([*room.walls.pose.local((sink.pose.x, sink.pose.y)), 0.0])
    reach = np.array(sink.size[:2]) / 2 + _BESIDE_SINK
    found = []
    for part in room.furniture:
        low, high = (corner - middle for corner in part.bounds())
        is_near = (high[:2] > -reach).all() and (low[:2] < reach).all()
        stands_up = high[2] > sink.top + 0.02 and low[2] < sink.top + _ARM_SPACE
        if part.collides and is_near and stands_up:
            found.append((low, high))
    return tuple(found)
