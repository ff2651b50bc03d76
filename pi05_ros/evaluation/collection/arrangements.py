"""States of a room for static scenes: where the robot stands, and where things have been put."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.observation import Pose
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.sites import Site
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.home_spec import fixture_joint, item_joint
from pi05_ros.sim.homes.geometry import FloorPose, yaw_quaternion
from pi05_ros.sim.homes.room import Bedroom, Container, Fixture, Item
from pi05_ros.sim.robot import BASE_JOINTS, home_positions, set_joint_positions
from pi05_ros.sim.world import Snapshot, World

_BACK = (0.0, 0.6)  # Distance behind the working stance [m].
_TURN = 0.25  # Largest turn from facing the site [rad].
_IN_SINK = (0, 0, 1, 2, 3)  # Numbers of dishes in the sink, drawn with equal chances.
_SPOTS = ((-0.09, -0.11), (0.09, -0.11), (-0.09, 0.11), (0.09, 0.11))  # In the sink's frame [m].
_SMALL = 0.12  # Largest footprint of what lies in a quarter of the sink [m].
_APART = 60.0  # Time between two scenes of a home, for the drift of exposure [s].
_TRIES = 20  # Places that are tried for the robot.


@dataclass(frozen=True)
class Arrangement:
    """One scene."""

    snapshot: Snapshot
    places: dict[str, str]  # Item -> its place in words ("in the sink").
    objects: dict[str, Pose]  # Poses of the fixtures in odom.


class Arrangements:
    """Draws scenes of one home.

    Args:
        world: The home; it is not changed.
        kinematics: Of its robot.
        random: Source of what is drawn.

    Attributes:
        place: The room as the expert works in it.
    """

    def __init__(
        self, world: World, kinematics: ArmKinematics, random: np.random.Generator
    ) -> None:
        self._platform, self._room, self._random = world.platform, world.room, random
        self.place = Workplace(kinematics, world.room, ScriptedExpertConfig())
        self._start, self._scene = world.snapshot(), world.scene_state()

    def draw(self, number: int) -> Arrangement:
        """Return a scene; number 0 is the home's start.

        In the others the robot stands where hands work or a little behind, drawers may be open,
        a blanket lies somewhere on its bed, and some things have been put where tasks put them.
        """
        qpos, room = self._start.qpos.copy(), self._room
        places = {item.name: f"on the {item.surface.replace('_', ' ')}" for item in room.items}
        objects = {f.name: self._scene.objects[f.name] for f in room.fixtures}
        if number:
            self._place_robot(qpos)
            for fixture in room.fixtures:
                objects[fixture.name] = self._move_fixture(qpos, fixture)
            for item, pose, words in self._put(objects):
                address = int(self._start.model.joint(item_joint(item.name)).qposadr[0])
                qpos[address : address + 3] = pose.position
                qpos[address + 3 : address + 7] = pose.quaternion
                places[item.name] = words
        snapshot = dataclasses.replace(self._start, time=_APART * number, qpos=qpos, held={})
        return Arrangement(snapshot, places, objects)

    # The robot

    def _place_robot(self, qpos: np.ndarray) -> None:
        model, random = self._start.model, self._random
        on_floor = [item for item in self._room.items if item.surface == "floor" and item.grasp]
        site = self.place.main
        if on_floor and random.uniform() < 0.5:
            site = self.place.floor
        base = self._stance(site, on_floor)
        set_joint_positions(model, qpos, self._posture(site))
        yaw = base.yaw + float(random.uniform(-_TURN, _TURN))
        for joint, value in zip(BASE_JOINTS, (base.x, base.y, yaw), strict=True):
            qpos[model.joint(joint).qposadr[0]] = value

    def _stance(self, site: Site, on_floor: list[Item]) -> FloorPose:
        """Draw a pose of the base in odom that touches no furniture, or take the last one."""
        random, config, main = self._random, self.place.config, self._room.surfaces[0]
        for _ in range(_TRIES):
            if site.is_floor:
                thing = on_floor[int(random.integers(len(on_floor)))]
                x, y, _ = site.frame.local(thing.position)
                ahead, aside = config.floor_reach, float(random.uniform(-0.35, 0.35))
                stance = site.at(x - ahead - float(random.uniform(*_BACK)), y + aside)
            else:
                along = main.length / 2 - 0.4
                back = config.standoff + random.uniform(*_BACK)
                stance = site.at(-back, float(random.uniform(-along, along)))
            if site.is_free(stance):
                break
        return stance

    def _posture(self, site: Site) -> dict[str, float]:
        """Return joint positions with the torso at the site's height and the hands above."""
        platform, vector = self._platform, site.posture.copy()
        for arm in self.place.kinematics.layout.arms:
            height = site.pass_height + float(self._random.uniform(0.01, 0.12))
            vector[arm.joints] = site.ready_joints(arm.side, height)
        positions = home_positions(platform)
        for group in platform.groups_of("joint_trajectory"):
            values = vector[platform.slices[group.name]]
            for dimension, value in zip(group.dimensions, values, strict=True):
                positions[dimension.joint_name] = float(value)
        return positions

    # Furniture and things

    def _move_fixture(self, qpos: np.ndarray, fixture: Fixture) -> Pose:
        """Draw the joints of a fixture; return its pose in odom.

        A drawer is shut or more or less open, with equal chances. A loose piece is straight in a
        third of the scenes, as at the start in another, and between the two in the last.
        """
        random, model = self._random, self._start.model
        share = float(random.choice([0.0, 1.0, random.uniform()]))
        offset = np.zeros(3)
        for index, joint in enumerate(fixture.joints):
            if fixture.turns_with_hand:
                value = share * joint.start
            else:
                value = 0.0 if random.uniform() < 0.5 else float(random.uniform(0.4, 1.0))
                value *= joint.range[1]
            qpos[model.joint(fixture_joint(fixture.name, index)).qposadr[0]] = value
            if joint.kind == "slide":
                offset[:2] += value * np.array(joint.axis[:2])
            else:
                offset[2] += value
        moved = fixture.pose.compose(FloorPose(*offset.tolist()))
        return Pose(np.array([moved.x, moved.y, fixture.height]), yaw_quaternion(moved.yaw))

    def _put(self, objects: dict[str, Pose]) -> list[tuple[Item, Pose, str]]:
        """Draw which things have been put where tasks put them: item, pose in odom and words."""
        room, random = self._room, self._random
        found = []
        if room.dishes:
            found += self._in_sink(room.container("sink"))
        for container in room.containers:
            if container.name == "sink":
                continue
            here = room.container(container.name, objects)
            for item in self._for(here):
                if random.uniform() < 0.5:
                    words = f"in {here.phrase}"
                    found.append((item, _inside(here, FloorPose(0.0, 0.0, 0.0)), words))
        if isinstance(room, Bedroom):
            order = random.permutation(2)[: int(random.integers(3))]
            for index in order:
                place, item = room.pillow_places[index], room.pillows[index]
                height = room.bed.height
                at = Pose(np.array([place.x, place.y, height]), yaw_quaternion(place.yaw))
                found.append((item, at, "on the bed"))
        return found

    def _for(self, container: Container) -> list[Item]:
        """Return the items that a task puts into a container other than a sink."""
        room = self._room
        found = list(room.belonging_in(container.name))
        if isinstance(room, Bedroom) and container.name == "basket":
            found += [item for item in room.laundry if item not in found]
        return found

    def _in_sink(self, sink: Container) -> list[tuple[Item, Pose, str]]:
        """Draw dishes for the sink, each flat in a quarter of its own."""
        random = self._random
        fitting = [i for i in self._room.dishes if i.design.footprint < _SMALL]
        count = min(int(random.choice(_IN_SINK)), len(fitting))
        chosen = random.permutation(len(fitting))[:count]
        spots = random.permutation(len(_SPOTS))[:count]
        found = []
        for index, spot in zip(chosen, spots, strict=True):
            item, (x, y) = fitting[index], _SPOTS[spot]
            # Long items lie along the sink's longer side.
            yaw = math.pi / 2 if item.design.is_long else float(random.uniform(-math.pi, math.pi))
            found.append((item, _inside(sink, FloorPose(x, y, yaw)), "in the sink"))
        return found


def _inside(container: Container, place: FloorPose) -> Pose:
    """Return the pose in odom of what lies on a container's floor at a pose in its frame."""
    pose = container.pose.compose(place)
    return Pose(np.array([pose.x, pose.y, container.floor]), yaw_quaternion(pose.yaw))
