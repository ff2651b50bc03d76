"""Episodes that begin in the middle of the work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.evaluation.collection.arrangements import Arrangements
from pi05_ros.platforms.platform import Group
from pi05_ros.sim.expert.grasps import hand_poses, hand_yaw
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import Transform
from pi05_ros.sim.home_spec import item_joint
from pi05_ros.sim.homes.geometry import yaw_quaternion
from pi05_ros.sim.homes.room import Item
from pi05_ros.sim.robot import set_joint_positions, tcp_site
from pi05_ros.sim.world import World

_SETTLE_S = 0.3  # Time in which what was put somewhere comes to rest [s].
_MIDDLE = 1  # Any scene but the first, which is the home's start.
_HELD = 0.5  # Chance that a hand holds a thing.
_OPENING = 0.25  # Opening fraction of the fingers around it.
_ABOVE = 0.02  # Least height of its bottom above the highest surface of the room [m].


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
    T_odom_item = _between_fingers(world, gripper, item)
    highest = max(surface.height for surface in world.room.surfaces)
    if T_odom_item.position[2] < highest + _ABOVE:
        return
    address = int(world.model.joint(item_joint(item.name)).qposadr[0])
    yaw = np.arctan2(T_odom_item.rotation[1, 0], T_odom_item.rotation[0, 0])
    qpos[address : address + 3] = T_odom_item.position
    qpos[address + 3 : address + 7] = yaw_quaternion(float(yaw))
    closed, opened = gripper.gripper_ends
    position = closed + _OPENING * (opened - closed)
    set_joint_positions(world.model, qpos, {gripper.dimensions[0].joint_name: position})
    world.begin_from(qpos, (gripper.name,))


def _between_fingers(world: World, gripper: Group, item: Item) -> Transform:
    """Return T_odom_item of an upright item whose graspable point is in a hand as it is now."""
    assert item.grasp is not None
    site = world.data.site(tcp_site(gripper.name))
    yaw = hand_yaw(Transform(site.xmat.reshape(3, 3).copy(), site.xpos.copy()))
    at_origin = Transform(np.eye(3), np.zeros(3))
    pose = hand_poses(item.grasp, at_origin, yaw)[0]
    turn = yaw - pose.yaw
    c, s = np.cos(turn), np.sin(turn)
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return Transform(rotation, site.xpos - rotation @ pose.position)
