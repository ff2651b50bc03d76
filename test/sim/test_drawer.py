"""A kitchen's drawer in the physics: pulled by its handle, pushed shut, with a thing inside."""

import math

import mujoco
import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import hand_down
from pi05_ros.sim.home_spec import fixture_joint, item_joint
from pi05_ros.sim.homes.geometry import FloorPose, rotate
from pi05_ros.sim.robot import BASE_JOINTS
from pi05_ros.sim.tasks.drawer import ItemsInDrawer
from pi05_ros.sim.world import World

TICK = 0.02
OPEN, CLOSED = 0.04, 0.0  # m of one finger.
REACH = 0.5  # m ahead of base_link.


class Scene:
    """A robot whose left hand is at the handle of a kitchen's drawer."""

    def __init__(self, platform: str, home: int) -> None:
        self.world = world = World(load_platform(platform), home)
        self.room = world.room
        self.drawer, self.item = self.room.fixture("drawer_1"), self.room.belonging_in("drawer_1")
        self.rubric = ItemsInDrawer(self.room)
        kinematics = ArmKinematics(world.platform)
        x, y, z = self.drawer.grasp.point
        shoulder = kinematics.shoulder(world.platform.home, "left")[1]
        pose = hand_down(np.array([REACH, shoulder, self.drawer.height + z]), math.pi / 2)
        solution = kinematics.solve("left", pose, world.platform.home, move_torso=True)
        assert solution.reaches()
        joints = {
            d.joint_name: float(solution.vector[i])
            for i, d in enumerate(world.platform.dimensions)
            if d.joint_name.startswith(("left_arm", "torso"))
        }
        for name, position in joints.items():
            world.data.joint(name).qpos[0] = position
        world.set_joint_commands(joints)
        world._reached = world._target.copy()
        base = self.drawer.pose.compose(FloorPose(x - REACH, y - shoulder, 0.0))
        for name, value in zip(BASE_JOINTS, (base.x, base.y, base.yaw), strict=True):
            world.data.joint(name).qpos[0] = value
        world.data.act[world._base_act] = (base.x, base.y, base.yaw)
        mujoco.mj_forward(world.model, world.data)
        self.run(0.1)

    def run(self, seconds: float, forward: float = 0.0) -> None:
        """Step with a base velocity [m/s], with a ramp, and score."""
        for _ in range(round(seconds / TICK)):
            self.world.set_base_command(forward, 0.0, 0.0)
            self.world.step(TICK)
            held = self.world.held()
            self.rubric.update(self.world.scene_state(), held, self.world.time)

    def fingers(self, position: float) -> None:
        self.world.set_joint_command("left_gripper_joint", position)
        self.run(0.4)

    def put_inside(self, x: float = -0.05, y: float = 0.05, above: float = 0.05) -> None:
        """Drop the item into the drawer from a height above its floor."""
        box = self.room.container("drawer_1", self.world.scene_state().objects)
        joint = self.world.data.joint(item_joint(self.item[0].name))
        joint.qpos[:3] = box.pose.point((x, y, box.floor + above))
        joint.qvel[:] = 0.0
        mujoco.mj_forward(self.world.model, self.world.data)

    @property
    def opening(self) -> float:
        return self.drawer.opening(self.world.scene_state().objects["drawer_1"])

    def item_in_box(self) -> np.ndarray:
        objects = self.world.scene_state().objects
        box = self.room.container("drawer_1", objects)
        position = objects[self.item[0].name].position
        assert box.contains(position), position
        return box.pose.local(position)


@pytest.mark.parametrize("platform", ["mobile_18dof", "mobile_19dof"])
def test_the_base_pulls_the_drawer_open_and_drives_it_shut_with_a_thing_inside(platform):
    scene = Scene(platform, 10000)
    scene.fingers(CLOSED)
    assert scene.world.held() == {"drawer_1": "left_gripper"}
    joints = scene.world.joint_positions()
    scene.run(1.0, -0.2)
    scene.run(0.4)
    assert scene.opening == pytest.approx(0.2, abs=0.015)
    strained = scene.world.joint_positions()
    arm = [n for n in joints if n.startswith("left_arm")]
    assert max(abs(strained[n] - joints[n]) for n in arm) < 0.02, "the hand does not fight it"
    scene.put_inside()
    scene.run(0.6)
    inside = scene.item_in_box()
    assert scene.rubric.score().criterion_points == (0, 1, 1, 0)
    scene.run(1.0, 0.2)
    scene.run(0.4)
    assert scene.opening == pytest.approx(0.0, abs=0.01)
    assert scene.item_in_box() == pytest.approx(inside, abs=0.03), "it rides along"
    assert scene.rubric.score().criterion_points == (0, 1, 1, 1)


def test_a_released_drawer_stays_and_a_push_closes_it():
    scene = Scene("mobile_18dof", 10001)
    scene.fingers(CLOSED)
    scene.run(1.0, -0.2)
    scene.run(0.4)
    scene.fingers(OPEN)
    assert scene.world.held() == {}
    opened = scene.opening
    scene.world.set_joint_command("torso_lift", scene.world.joint_positions()["torso_lift"] + 0.1)
    scene.run(1.0)
    assert scene.opening == pytest.approx(opened, abs=1e-3), "nobody holds it"
    scene.world.set_joint_command("torso_lift", scene.world.joint_positions()["torso_lift"] - 0.1)
    scene.run(1.0)
    scene.run(1.5, 0.2)  # The open hand meets the panel, with nothing in it.
    assert scene.world.held() == {}
    assert scene.opening < 0.005


def test_a_hand_beside_the_handle_does_not_take_it():
    scene = Scene("mobile_18dof", 10002)
    scene.run(0.5, -0.2)
    scene.fingers(CLOSED)
    scene.run(0.5, -0.2)
    assert scene.world.held() == {} and scene.opening == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("home", [0, 1, 2, 4, 17])
def test_a_thing_dropped_into_the_drawer_rests_there(home):
    world = World(load_platform("mobile_18dof"), home)
    scene = Scene.__new__(Scene)
    scene.world, scene.room = world, world.room
    scene.drawer = world.room.fixture("drawer_1")
    scene.item, scene.rubric = world.room.belonging_in("drawer_1"), ItemsInDrawer(world.room)
    world.data.joint(fixture_joint("drawer_1", 0)).qpos[0] = 0.2
    mujoco.mj_forward(world.model, world.data)
    scene.put_inside(above=0.09)
    scene.run(1.0)
    before = scene.item_in_box()
    scene.run(1.5)
    assert scene.opening == pytest.approx(0.2, abs=5e-4), "it does not roll by itself"
    after = scene.item_in_box()
    assert np.linalg.norm(after - before) < 2e-4
    pose = world.scene_state().objects[scene.item[0].name]
    assert rotate(pose.quaternion, np.array([0.0, 0.0, 1.0]))[2] > 0.99
