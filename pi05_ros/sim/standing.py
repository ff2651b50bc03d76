"""Where a robot without a base stands in a room, and what it reaches from there.

Reach is judged by distance: an arm whose hand points down reaches about 0.7 of its stretched
length from its shoulder. The scripted expert asks inverse kinematics.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import mujoco
import numpy as np

from pi05_ros.platforms.description import arm_groups
from pi05_ros.platforms.platform import Platform
from pi05_ros.platforms.urdf import Urdf
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.room import Room
from pi05_ros.sim.robot import tcp_site

DISTANCE = 0.34  # From base_link to the main surface's front edge [m].
_SHARE = 0.7  # Of an arm's stretched length that a hand which points down reaches.
_NEAREST = 0.15  # Horizontal distance from the shoulder within which no hand points down [m].
_SPACING = 0.02  # Between two places along the surface that are compared [m].
_END = 0.3  # Least distance of a place from the ends of the surface [m].
_STREAM = 0x7374616E64  # "stand": random numbers of their own for each home.


@dataclass(frozen=True)
class ArmReach:
    """Horizontal reach of one arm."""

    shoulder: tuple[float, float]  # x, y of its first joint in base_link [m].
    radius: float  # [m]

    def covers(self, x: float, y: float) -> bool:
        """Check whether a hand that points down reaches x, y [m] in base_link."""
        return _NEAREST <= math.dist((x, y), self.shoulder) <= self.radius


@dataclass(frozen=True)
class WithinReach:
    """What a robot that cannot drive can do with a room's things."""

    items: frozenset[str]  # Names of the items on the main surface that it can pick up.
    pairs: frozenset[tuple[str, str]]  # Item and container that one arm can put it into.


def arm_reaches(model: mujoco.MjModel, platform: Platform, urdf: Urdf) -> tuple[ArmReach, ...]:
    """Measure the arms of a robot.

    Args:
        model: A model with the robot's joints and tool centre points.
        platform: The robot.
        urdf: Its description.

    Raises:
        ConfigError: No group moves a gripper alone.
    """
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    base = data.body(platform.base_frame)
    turned = base.xmat.reshape(3, 3)
    found = []
    for gripper, groups in arm_groups(platform, urdf).items():
        names = [d.joint_name for group in groups for d in group.dimensions]
        points = [data.joint(name).xanchor.copy() for name in names]
        points.append(data.site(tcp_site(gripper)).xpos.copy())
        length = sum(math.dist(a, b) for a, b in itertools.pairwise(points))
        x, y, _ = turned.T @ (points[0] - base.xpos)
        found.append(ArmReach((float(x), float(y)), _SHARE * length))
    return tuple(found)


def reachable(room: Room, arms: tuple[ArmReach, ...], stance: FloorPose) -> WithinReach:
    """Return what a robot that stands at `stance` in odom can do with the room's things."""
    main = room.surfaces[0].name
    items, pairs = set(), set()
    containers = [c for c in room.containers if c.surface == main and not c.fixture]
    for item in room.items:
        if item.surface != main or item.grasp is None:
            continue
        x, y, _ = stance.local(item.position).tolist()
        for arm in arms:
            if not arm.covers(x, y):
                continue
            items.add(item.name)
            for container in containers:
                at = stance.local((container.pose.x, container.pose.y)).tolist()
                if arm.covers(*at):
                    pairs.add((item.name, container.name))
    return WithinReach(frozenset(items), frozenset(pairs))


def working_stance(room: Room, arms: tuple[ArmReach, ...]) -> FloorPose:
    """Choose where a robot without a base stands: before the main surface, facing it.

    Of the places along it the robot has one from which it can put the most things into their
    containers, and of those one that reaches the most things; the home's seed draws among equals.

    Args:
        room: The room.
        arms: Reach of its arms.

    Returns:
        The pose of base_link in odom.
    """
    surface = room.surfaces[0]
    half = max(surface.length / 2 - _END, 0.0)
    places = [
        surface.pose.compose(FloorPose(-DISTANCE, float(y), 0.0))
        for y in np.linspace(-half, half, 1 + max(1, round(2 * half / _SPACING)))
    ]
    belongs = {(item.name, item.belongs_in) for item in room.items}
    values = []
    for place in places:
        within = reachable(room, arms, place)
        values.append((len(within.pairs & belongs), len(within.items)))
    best = [place for place, value in zip(places, values, strict=True) if value == max(values)]
    third = len(best) // 3  # At the ends of the row, things are at the limit of the reach.
    best = best[third : len(best) - third]
    random = np.random.Generator(np.random.PCG64([room.seed, _STREAM]))
    return best[int(random.integers(len(best)))]
