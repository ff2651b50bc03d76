"""Episodes that begin in the middle of the work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.evaluation.collection.arrangements import Arrangements
from pi05_ros.evaluation.collection.hands import (
    ABOVE_SURFACES,
    HELD_OPENING,
    between_fingers,
    put_item,
)
from pi05_ros.platforms.platform import Group
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import Transform
from pi05_ros.sim.home_spec import item_joint
from pi05_ros.sim.homes.room import Item
from pi05_ros.sim.robot import set_joint_positions, tcp_site
from pi05_ros.sim.world import World

_SETTLE_S = 0.3  # Time in which what was put somewhere comes to rest [s].
_MIDDLE = 1  # Any scene but the first, which is the home's start.
_HELD = 0.5  # Chance that a hand holds a thing.


def restart(
    world: World,
    kinematics: ArmKinematics,
    things: Sequence[Item],
    random: np.random.Generator,
) -> None:
    """Put the robot near the place of work, and some things where tasks put them or in a hand.

    Args:
        world: The home at its start; changed.
        kinematics: Of its robot.
        things: Those that may be in a hand.
        random: Source of what is drawn.
    """
    scene = Arrangements(world, kinematics, random).draw(_MIDDLE)
    qpos = scene.snapshot.qpos
    world.begin_from(qpos)
    draws = random.uniform(size=2)
    grippers = world.platform.groups_of("parallel_gripper")
    graspable = [thing for thing in things if thing.grasp is not None]
    if graspable and draws[0] < _HELD:
        gripper = grippers[int(random.integers(len(grippers)))]
        _hold(world, qpos, gripper, graspable[int(draws[1] * len(graspable))])
    world.step(_SETTLE_S)


def _hold(world: World, qpos: np.ndarray, gripper: Group, item: Item) -> None:
    """Put an item into a hand; it stays where it is if it would reach down to a surface."""
    site = world.data.site(tcp_site(gripper.name))
    T_odom_tcp = Transform(site.xmat.reshape(3, 3).copy(), site.xpos.copy())
    T_odom_item = between_fingers(item, T_odom_tcp)
    highest = max(surface.height for surface in world.room.surfaces)
    if T_odom_item.position[2] < highest + ABOVE_SURFACES:
        return
    put_item(qpos, int(world.model.joint(item_joint(item.name)).qposadr[0]), T_odom_item)
    closed, opened = gripper.gripper_ends
    position = closed + HELD_OPENING * (opened - closed)
    set_joint_positions(world.model, qpos, {gripper.dimensions[0].joint_name: position})
    world.begin_from(qpos, (gripper.name,))
