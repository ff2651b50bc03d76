"""Grasping and releasing: conditions, chosen item, pose."""

import mujoco
import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.grasping import REACH
from pi05_ros.sim.home_spec import item_joint
from pi05_ros.sim.homes.geometry import quaternion_conjugate, rotate, yaw_quaternion
from pi05_ros.sim.robot import tcp_site
from pi05_ros.sim.world import World

TICK = 0.02
OPEN, CLOSED = 0.04, 0.0  # m of one finger.


@pytest.fixture(scope="module")
def shared() -> World:
    return World(load_platform("mobile_18dof"), 7)


@pytest.fixture
def world(shared) -> World:
    """Home 7: a knife, a glass, a bowl and a spoon. No gravity, so that what is let go stays."""
    shared.reset(7)
    shared.model.opt.gravity[:] = 0.0
    run(shared, 0.1)
    return shared


def run(world: World, seconds: float) -> None:
    for _ in range(round(seconds / TICK)):
        world.step(TICK)


def bring(world: World, name: str, side: str, offset: float = 0.0, yaw: float = 0.0) -> None:
    """Put an item so that a graspable point is `offset` [m] above a tool centre point."""
    grasp = world.room.item(name).grasp
    local = np.array(grasp.point) + [grasp.radius, 0.0, 0.0]
    tcp = world.data.site(tcp_site(f"{side}_gripper")).xpos
    joint = world.data.joint(item_joint(name))
    turned = yaw_quaternion(yaw)
    joint.qpos[:3] = tcp + [0.0, 0.0, offset] - rotate(turned, local)
    joint.qpos[3:], joint.qvel[:] = turned, 0.0
    mujoco.mj_forward(world.model, world.data)


def in_hand(world: World, name: str, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Pose of an item in a hand's frame."""
    hand = world.data.body(f"{side}_hand")
    pose = world.scene_state().objects[name]
    inverse = quaternion_conjugate(hand.xquat)
    up = rotate(pose.quaternion, np.array([0.0, 0.0, 1.0]))
    return rotate(inverse, pose.position - hand.xpos), rotate(inverse, up)


def test_closing_takes_hold_and_opening_lets_go(world):
    bring(world, "bowl_1", "left")
    run(world, 0.2)
    assert world.held() == {}, "an open gripper holds nothing"
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.4)
    assert world.held() == {"bowl_1": "left_gripper"}
    world.set_joint_command("left_gripper_joint", OPEN)
    run(world, 0.4)
    assert world.held() == {}


def test_the_hold_keeps_the_pose_of_the_moment_through_motion(world):
    bring(world, "glass_1", "right", offset=0.01, yaw=0.4)
    before = in_hand(world, "glass_1", "right")
    world.model.opt.gravity[2] = -9.81
    world.set_joint_command("right_gripper_joint", CLOSED)
    run(world, 0.3)
    lifted = world.scene_state().objects["glass_1"].position[2]
    world.set_base_command(-0.3, 0.0, 0.5)
    for i in range(50):
        world.set_joint_command("torso_lift", 0.25 + 0.004 * i)
        world.set_joint_command("right_arm_joint_1", 0.01 * i)
        world.step(TICK)
    world.set_base_command(0.0, 0.0, 0.0)
    run(world, 0.3)
    after = in_hand(world, "glass_1", "right")
    assert world.scene_state().objects["glass_1"].position[2] > lifted + 0.15
    assert after[0] == pytest.approx(before[0], abs=0.012)  # It falls a little before the grip.
    assert after[1] == pytest.approx(before[1], abs=0.05)


def test_fingers_stop_at_the_items_width(world):
    bring(world, "spoon_1", "left")
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.5)
    width = world.room.item("spoon_1").grasp.width
    fingers = world.joint_positions()
    assert fingers["left_gripper_joint"] == pytest.approx(width / 2, abs=5e-4)
    assert fingers["left_gripper_mirror_joint"] == pytest.approx(width / 2, abs=5e-4)


@pytest.mark.parametrize(("offset", "holds"), [(0.9 * REACH, True), (1.2 * REACH, False)])
def test_only_what_is_within_reach_is_taken(world, offset, holds):
    bring(world, "knife_1", "left", offset=offset)
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.4)
    assert ("knife_1" in world.held()) == holds


def test_the_nearest_is_taken_and_only_one(world):
    bring(world, "knife_1", "left", offset=0.03)
    bring(world, "spoon_1", "left", offset=-0.005, yaw=1.5)
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.4)
    assert world.held() == {"spoon_1": "left_gripper"}


def test_what_one_gripper_holds_the_other_cannot_take(world):
    bring(world, "spoon_1", "left")
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.3)
    assert world.held() == {"spoon_1": "left_gripper"}
    # Within the other hand's reach, and out of the first one's pull.
    world.data.eq_active[world.model.equality("grasp/left_gripper/spoon_1").id] = 0
    bring(world, "spoon_1", "right")
    world.set_joint_command("right_gripper_joint", CLOSED)
    run(world, 0.4)
    assert world.held() == {"spoon_1": "left_gripper"}


def test_a_gripper_that_closed_on_nothing_must_open_first(world):
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.5)
    bring(world, "spoon_1", "left")
    run(world, 0.5)
    assert world.held() == {}, "touching with closed fingers takes nothing"
    world.set_joint_command("left_gripper_joint", OPEN)
    run(world, 0.5)
    bring(world, "spoon_1", "left")
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.5)
    assert world.held() == {"spoon_1": "left_gripper"}


def test_half_closing_is_not_grasping(world):
    bring(world, "spoon_1", "left")
    world.set_joint_command("left_gripper_joint", 0.7 * OPEN)
    run(world, 0.5)
    assert world.held() == {}


def test_reset_lets_go(world):
    bring(world, "spoon_1", "left")
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.4)
    assert world.held()
    world.reset()
    assert world.held() == {}
    assert world.data.eq_active.sum() == 2, "only the fingers' mirrors are left"


def test_fingers_pass_through_items_and_palms_do_not(world):
    def touching(name: str) -> set[str]:
        model, item = world.model, world.model.body(f"item/{name}").id
        pairs = [model.geom_bodyid[list(c.geom)] for c in world.data.contact[: world.data.ncon]]
        return {model.body(b).name for pair in pairs if item in pair for b in pair if b != item}

    bring(world, "glass_1", "left")
    assert not touching("glass_1"), "a glass between the fingers"
    bring(world, "glass_1", "left", offset=0.12)
    assert "left_hand" in touching("glass_1"), "a glass in the palm"
