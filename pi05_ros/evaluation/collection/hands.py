"""Hands at work in static scenes: above a thing that they are about to take, or around one.

Pictures of a robot at rest show neither, and a model that has seen only those does not find a
thing below a hand or in one.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from pi05_ros.brain.observation import Pose
from pi05_ros.evaluation.collection.arrangements import Arrangement
from pi05_ros.platforms.platform import Group, Platform
from pi05_ros.sim.expert.grasps import HandPose, hand_poses, hand_yaw
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import Transform, on_floor
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.home_spec import item_joint
from pi05_ros.sim.homes.geometry import FloorPose, yaw_quaternion
from pi05_ros.sim.homes.room import Item, Room
from pi05_ros.sim.robot import BASE_JOINTS, set_joint_positions

IN_HAND = "in the hand"  # Place of a held thing in words.
ABOVE_SURFACES = 0.02  # Least height of a held thing's bottom above the highest surface [m].
HELD_OPENING = 0.25  # Opening fraction of the fingers around a thing.
_ABOVE_RATE, _HOLDING_RATE = 0.35, 0.35  # Shares of the scenes.
_HEIGHT = (0.0, 0.15)  # Of a hand above where it would grasp [m].
_CARRIED = (0.1, 0.28)  # Of a hand that holds something above the highest surface [m].
_SIDEWAYS = 0.02  # Standard deviation of a hand's place to each side [m].
_TURN = 0.5  # Largest turn of a hand that holds something from the robot's direction [rad].
_OPEN = (0.5, 1.0)  # Opening fraction of a hand above a thing.


def between_fingers(item: Item, T_odom_tcp: Transform) -> Transform:
    """Return T_odom_item of an upright item whose graspable point is in a hand.

    Raises:
        ValueError: The item has no graspable point.
    """
    if item.grasp is None:
        raise ValueError(f"{item.name} cannot be grasped")
    yaw = hand_yaw(T_odom_tcp)
    pose = hand_poses(item.grasp, Transform(np.eye(3), np.zeros(3)), yaw)[0]
    c, s = np.cos(yaw - pose.yaw), np.sin(yaw - pose.yaw)
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return Transform(rotation, T_odom_tcp.position - rotation @ pose.position)


def put_item(qpos: np.ndarray, address: int, T_odom_item: Transform) -> None:
    """Write the pose of an upright item into `qpos` at the address of its free joint."""
    yaw = np.arctan2(T_odom_item.rotation[1, 0], T_odom_item.rotation[0, 0])
    qpos[address : address + 3] = T_odom_item.position
    qpos[address + 3 : address + 7] = yaw_quaternion(float(yaw))


class HandsAtWork:
    """Changes scenes of one room so that a hand is at work in most of them.

    Args:
        room: The room.
        kinematics: Of the robot.
        place: The room as the expert works in it.
        random: Source of what is drawn.
    """

    def __init__(
        self,
        room: Room,
        kinematics: ArmKinematics,
        place: Workplace,
        random: np.random.Generator,
    ) -> None:
        self._room, self._kinematics, self._place, self._random = room, kinematics, place, random
        self._platform = kinematics.platform
        self._things = [item for item in room.items if item.grasp is not None]

    def place(self, scene: Arrangement) -> Arrangement:
        """Return the scene with a hand at work, or as it is.

        It stays as it is in the rest of the draws, where no hand reaches what was drawn, and
        with a robot that cannot drive to it.
        """
        draw = float(self._random.uniform())
        if not self._things or not self._kinematics.layout.drives:
            return scene
        if draw >= _ABOVE_RATE + _HOLDING_RATE:
            return scene
        thing = self._things[int(self._random.integers(len(self._things)))]
        arms = self._kinematics.layout.arms
        side = arms[int(self._random.integers(len(arms)))].side
        if draw < _ABOVE_RATE:
            return self._above(scene, thing, side)
        return self._holding(scene, thing, side)

    def _above(self, scene: Arrangement, thing: Item, side: str) -> Arrangement:
        assert thing.grasp is not None
        poses = hand_poses(thing.grasp, _pose(scene, thing), self._place.facing)
        if not poses:
            return scene
        grasp = poses[int(self._random.integers(len(poses)))]
        position = grasp.position + self._aside(float(self._random.uniform(*_HEIGHT)))
        found = self._reach(HandPose(position, grasp.yaw), side)
        if found is None:
            return scene
        stance, vector = found
        opening = float(self._random.uniform(*_OPEN))
        return self._with_robot(scene, stance, vector, side, opening)

    def _holding(self, scene: Arrangement, thing: Item, side: str) -> Arrangement:
        below = [_pose(scene, item).position for item in self._room.items]
        below += [np.array([c.pose.x, c.pose.y, c.top]) for c in self._room.containers]
        highest = max(surface.height for surface in self._room.surfaces)
        across = below[int(self._random.integers(len(below)))][:2]
        position = np.array([*across, highest])
        position += self._aside(float(self._random.uniform(*_CARRIED)))
        yaw = self._place.facing + float(self._random.uniform(-_TURN, _TURN))
        found = self._reach(HandPose(position, yaw), side)
        if found is None:
            return scene
        stance, vector = found
        T_odom_tcp = on_floor(stance) @ self._kinematics.tcps(vector)[side]
        T_odom_item = between_fingers(thing, T_odom_tcp)
        if T_odom_item.position[2] < highest + ABOVE_SURFACES:
            return scene
        scene = self._with_robot(scene, stance, vector, side, HELD_OPENING)
        put_item(scene.snapshot.qpos, _address(scene, thing), T_odom_item)
        return dataclasses.replace(scene, places={**scene.places, thing.name: IN_HAND})

    def _aside(self, height: float) -> np.ndarray:
        return np.array([*self._random.normal(0.0, _SIDEWAYS, 2), height])

    def _reach(self, target: HandPose, side: str) -> tuple[FloorPose, np.ndarray] | None:
        """Return a stance of the base and a state with the hand at a pose; None: not found."""
        site, top = self._place.site_at(target.position), float(target.position[2])
        stance = site.reaching_stance(side, target, top, site.at(-1.0, 0.0))
        if not site.is_free(stance):
            return None
        seed = site.posture.copy()
        for arm in self._kinematics.layout.arms:
            height = site.pass_height + float(self._random.uniform(0.01, 0.12))
            seed[arm.joints] = site.ready_joints(arm.side, height)
        T_base_tcp = on_floor(stance).inverse() @ target.transform
        solution = self._kinematics.solve(side, T_base_tcp, seed)
        return (stance, solution.vector) if solution.reaches() else None

    def _with_robot(
        self,
        scene: Arrangement,
        stance: FloorPose,
        vector: np.ndarray,
        side: str,
        opening: float,
    ) -> Arrangement:
        """Return the scene with the robot at a stance and in a state, one hand partly open."""
        platform, qpos, model = self._platform, scene.snapshot.qpos.copy(), scene.snapshot.model
        positions = {
            dimension.joint_name: float(value)
            for group in platform.groups_of("joint_trajectory")
            for dimension, value in zip(
                group.dimensions, vector[platform.slices[group.name]], strict=True
            )
        }
        gripper = gripper_of(platform, side)
        closed, opened = gripper.gripper_ends
        positions[gripper.dimensions[0].joint_name] = closed + opening * (opened - closed)
        set_joint_positions(model, qpos, positions)
        for joint, value in zip(BASE_JOINTS, (stance.x, stance.y, stance.yaw), strict=True):
            qpos[model.joint(joint).qposadr[0]] = value
        snapshot = dataclasses.replace(scene.snapshot, qpos=qpos)
        return dataclasses.replace(scene, snapshot=snapshot)


def gripper_of(platform: Platform, side: str) -> Group:
    """Return the gripper group of a side."""
    return next(g for g in platform.groups_of("parallel_gripper") if g.name == f"{side}_gripper")


def _pose(scene: Arrangement, item: Item) -> Transform:
    """T_odom_item in a scene."""
    address = _address(scene, item)
    position, quaternion = np.split(scene.snapshot.qpos[address : address + 7], [3])
    return Transform.from_pose(Pose(position, quaternion))


def _address(scene: Arrangement, item: Item) -> int:
    return int(scene.snapshot.model.joint(item_joint(item.name)).qposadr[0])
