"""Sites of a room: where hands work, with posture, stance and passing height."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.grasps import HandPose
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import hand_down, on_floor
from pi05_ros.sim.homes.geometry import FloorPose

_ASIDE = 0.42  # Largest lateral distance of a hand from its shoulder, where it fits only so [m].
_NEARER = 0.06  # How much nearer than usual the base comes for a target at the back [m].
_STANCES = 9  # Number of stances along the site that are tried.

# Whether the robot may stand at a pose in odom with its hands at a height [m].
IsFree = Callable[[FloorPose, float], bool]


class Site:
    """Place where hands work: a surface, or the floor.

    The robot faces +x of the site's frame, drives along its y and approaches along its x.

    Args:
        kinematics: Of the robot.
        config: Distances and margins.
        name: Name of the surface; "floor".
        frame: In odom. A surface's x = 0 is its front edge.
        height: Height above the floor of what things lie on [m].
        clear_height: Height above which a hand clears all that stands there [m].
        is_floor: Whether things lie on the floor: then the stance depends on their x.
        is_free: Tells whether the robot may stand at a pose.
    """

    def __init__(
        self,
        kinematics: ArmKinematics,
        config: ScriptedExpertConfig,
        name: str,
        frame: FloorPose,
        height: float,
        clear_height: float,
        is_free: IsFree,
        *,
        is_floor: bool = False,
    ) -> None:
        self.kinematics = kinematics
        self.config = config
        self.name = name
        self.frame = frame
        self.height = height
        self.pass_height = clear_height
        self.is_floor = is_floor
        self.posture = _posture(kinematics, height + config.shoulder_rise)
        sides = [arm.side for arm in kinematics.layout.arms]
        self.shoulder_y = {s: float(kinematics.shoulder(self.posture, s)[1]) for s in sides}
        self._is_free = is_free
        self._ready: dict[tuple[str, float, float, float], np.ndarray] = {}

    def ready_joints(
        self, side: str, height: float, yaw: float = 0.0, ahead: float = 0.0
    ) -> np.ndarray:
        """Return the joints (n,) of an arm with a retracted hand, for driving.

        Args:
            side: Side of the arm.
            height: Height of the tool centre point above the floor [m].
            yaw: Yaw of the hand in the base frame [rad].
            ahead: Least distance of the hand ahead of base_link [m].
        """
        key = (side, round(height, 2), round(yaw, 1), round(max(ahead, 0.0), 2))
        if key not in self._ready:
            reach = max(self.config.ready_reach, key[3])
            place = np.array([reach, self.shoulder_y[side], key[1]])
            solution = self.kinematics.solve(side, hand_down(place, key[2]), self.posture)
            self._ready[key] = solution.vector[self.kinematics.layout.arm(side).joints]
        return self._ready[key]

    def stance(
        self, position: np.ndarray, side: str, base: FloorPose, ahead: float | None = None
    ) -> FloorPose:
        """Return the base pose in odom from which the hand `side` works at `position`.

        Among the suitable poses along the site at which the robot does not touch furniture, it is
        the one nearest to `base`. If there is none, it is the nearest of all. A robot without a
        base works where it stands.

        Args:
            position: Of the hand in odom, (3,) [m].
            side: Side of the arm.
            base: Present pose of the robot.
            ahead: Distance of the hand ahead of base_link [m]; None: by the kind of the site.
        """
        if not self.kinematics.layout.drives:
            return base
        config = self.config
        at_x, at_y, _ = self.frame.local(position)
        if ahead is None and not self.is_floor:
            x = -config.standoff
        else:
            x = float(at_x) - (config.floor_reach if ahead is None else ahead)
        y = at_y - self.shoulder_y[side]
        here = self.frame.local((base.x, base.y))[1]
        low, high = y - config.side_reach, y + config.side_reach
        nearest = self.at(x, float(np.clip(here, low, high)))
        if self.is_free(nearest):
            return nearest
        others = sorted(np.linspace(low, high, _STANCES), key=lambda other: abs(other - here))
        stances = (self.at(x, float(other)) for other in others)
        return next((stance for stance in stances if self.is_free(stance)), nearest)

    def is_free(self, stance: FloorPose) -> bool:
        """Check that base and retracted hands touch no furniture at `stance` in odom."""
        return self._is_free(stance, self.pass_height)

    def reaching_stance(
        self, side: str, target: HandPose, top: float, base: FloorPose
    ) -> FloorPose:
        """Return a stance from which the hand reaches a target, and the height `top` above it.

        A far target is reached only straight ahead of a shoulder, and beside a wall the hand works
        far aside. Where no stance reaches it, the one is returned that suits the site.

        Args:
            side: Side of the arm.
            target: Hand pose in odom.
            top: Height above the floor [m].
            base: Present pose of the robot.
        """
        nearest = self.stance(target.position, side, base)
        if not self.kinematics.layout.drives:
            return nearest
        if self.is_free(nearest) and self.reaches(side, target, top, nearest):
            return nearest
        x = float(self.frame.local((nearest.x, nearest.y))[0])
        square = float(self.frame.local(target.position)[1]) - self.shoulder_y[side]
        asides = sorted(np.linspace(-_ASIDE, _ASIDE, 2 * _STANCES - 1), key=abs)
        for nearer, aside in itertools.product((0.0, _NEARER), asides):
            stance = self.at(x + nearer, square + float(aside))
            if self.is_free(stance) and self.reaches(side, target, top, stance):
                return stance
        return nearest

    def reaches(self, side: str, target: HandPose, top: float, stance: FloorPose) -> bool:
        """Check whether the hand reaches `target`, and the height `top` above it.

        Args:
            side: Side of the arm.
            target: Hand pose in odom.
            top: Height above the floor [m].
            stance: Pose of the robot.
        """
        T_base_odom = on_floor(stance).inverse()
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
        """Return the base pose in odom that faces the site at x, y [m] in its frame."""
        return self.frame.compose(FloorPose(x, y, 0.0))


def _posture(kinematics: ArmKinematics, shoulder: float) -> np.ndarray:
    """Return the home vector (D,) with shoulders at a height [m], as near as the torso can."""
    platform = kinematics.platform
    posture = np.array(platform.home)
    side = kinematics.layout.arms[0].side
    for joint in kinematics.layout.torso:
        low, high = posture.copy(), posture.copy()
        low[joint], high[joint] = platform.lower[joint], platform.upper[joint]
        z_low = kinematics.shoulder(low, side)[2]
        rise = kinematics.shoulder(high, side)[2] - z_low
        if abs(rise) > 0.05:  # This joint lifts.
            share = np.clip((shoulder - z_low) / rise, 0.0, 1.0)
            posture[joint] = low[joint] + share * (high[joint] - low[joint])
    return posture
