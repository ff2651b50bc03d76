"""Moving furniture in the physics: joints, grasping, ground truth."""

import math

import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.homes.items import Grasp
from pi05_ros.sim.homes.kitchen import draw_kitchen
from pi05_ros.sim.homes.parts import Part
from pi05_ros.sim.homes.room import Fixture, FixtureJoint, Room, Walls
from pi05_ros.sim.world import World

TICK = 0.02
OPEN, CLOSED = 0.04, 0.0  # m of one finger.
HAND = (0.3757, 0.21, 0.9542)  # The left tool centre point at the start, in odom [m].


def tray(**changes) -> Fixture:
    """An open tray in the air that slides along odom's -x, its handle in the left hand."""
    parts = (
        Part("box", (0.15, 0.15, 0.01), (0.2, 0.0, -0.06), collides=True),
        Part("box", (0.01, 0.15, 0.06), (0.06, 0.0, 0.0), collides=True),
        Part("box", (0.01, 0.15, 0.06), (0.34, 0.0, 0.0), collides=True),
        Part("capsule", (0.008, 0.1)),
    )
    settings = {
        "name": "tray", "phrase": "the tray", "pose": FloorPose(HAND[0], HAND[1], 0.0),
        "height": HAND[2], "parts": parts, "mass": 2.0,
        "joints": (FixtureJoint("slide", (-1.0, 0.0, 0.0), (0.0, 0.3), 0.0, 6.0, 2.0),),
        "grasp": Grasp((0.0, 0.0, 0.0), 0.016),
    }  # fmt: skip
    return Fixture(**(settings | changes))


def sheet() -> Fixture:
    """A thin sheet that slides and turns in a plane, its edge in the left hand."""
    place, out = (1.0, 0.5), (-2.0, 2.0)
    return Fixture(
        name="sheet", phrase="the sheet", pose=FloorPose(*place, 0.0), height=HAND[2],
        parts=(Part("box", (0.6, 0.3, 0.01)),), mass=1.0,
        joints=(
            FixtureJoint("slide", (1.0, 0.0, 0.0), out, HAND[0] - place[0] + 0.55, 4.0, 1.0),
            FixtureJoint("slide", (0.0, 1.0, 0.0), out, HAND[1] - place[1], 4.0, 1.0),
            FixtureJoint("hinge", (0.0, 0.0, 1.0), (-1.0, 1.0), 0.0, 0.5, 0.1),
        ),
        grasp=Grasp((-0.55, 0.0, 0.0), 0.01), turns_with_hand=True,
    )  # fmt: skip


def world_with(monkeypatch, *fixtures: Fixture) -> World:
    """A world of fixtures in a plain room with one item, which starts 0.1 m above the tray."""
    kitchen = draw_kitchen(7)

    def room(kind: str, seed: int) -> Room:
        item = kitchen.item("bowl_1")
        x, y, z = HAND
        return Room(
            seed=seed, kind=kind, walls=Walls(FloorPose(0.0, 0.0, 0.0), (-3, 3), (-3, 3), 2.5),
            look=kitchen.look, surfaces=(), fixtures=fixtures,
            items=(type(item)(**(vars(item) | {"position": (x + 0.2, y, z - 0.048)})),),
            furniture=(Part("box", (3, 3, 0.05), (0, 0, -0.05), collides=True),),
        )  # fmt: skip

    monkeypatch.setattr("pi05_ros.sim.world.draw_room", room)
    return World(load_platform("mobile_18dof"), 7)


def run(world: World, seconds: float) -> None:
    for _ in range(round(seconds / TICK)):
        world.step(TICK)


def grasp(world: World) -> None:
    run(world, 0.1)
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.4)


def displacement(world: World, name: str) -> tuple[float, float, float]:
    return world.room.fixture(name).displacement(world.scene_state().objects[name])


def test_a_fixture_starts_where_its_joints_say_and_reset_puts_it_back(monkeypatch):
    world = world_with(monkeypatch, sheet())
    start = (HAND[0] - 0.45, HAND[1] - 0.5, 0.0)
    assert displacement(world, "sheet") == pytest.approx(start, abs=1e-9)
    assert list(world.scene_state().objects) == ["bowl_1", "sheet"]
    grasp(world)
    world.set_base_command(-0.2, 0.0, 0.0)
    run(world, 1.0)
    assert displacement(world, "sheet")[0] < start[0] - 0.15
    world.reset()
    assert displacement(world, "sheet") == pytest.approx(start, abs=1e-9)
    assert world.held() == {}


def test_the_held_handle_follows_the_base_along_its_slide_and_stays_when_released(monkeypatch):
    world = world_with(monkeypatch, tray())
    run(world, 0.2)
    assert world.held() == {}
    grasp(world)
    assert world.held() == {"tray": "left_gripper"}
    assert world.snapshot().held == {"tray": "left_gripper"}
    bowl = world.scene_state().objects["bowl_1"].position
    world.set_base_command(-0.2, 0.0, 0.0)
    run(world, 1.0)
    world.set_base_command(0.0, 0.0, 0.0)
    run(world, 0.4)
    opened = displacement(world, "tray")
    assert opened == pytest.approx((world.base_pose()[0], 0.0, 0.0), abs=5e-3)
    assert opened[0] < -0.18
    moved = world.scene_state().objects["bowl_1"].position - bowl
    assert moved == pytest.approx([opened[0], 0.0, 0.0], abs=0.02), "it rides along"
    world.set_joint_command("left_gripper_joint", OPEN)
    run(world, 0.4)
    assert world.held() == {}
    world.set_base_command(-0.2, 0.0, 0.0)
    run(world, 1.0)
    assert displacement(world, "tray") == pytest.approx(opened, abs=2e-3)


def test_closed_fingers_push_what_they_do_not_hold(monkeypatch):
    world = world_with(monkeypatch, tray(pose=FloorPose(HAND[0] + 0.02, HAND[1], 0.0)))
    world.data.joint("fixture/tray/0").qpos[0] = 0.02
    world.set_joint_command("left_gripper_joint", CLOSED)
    run(world, 0.3)
    world.grasps.reset(world.data)  # It pushes with what it could have held.
    world.set_base_command(0.1, 0.0, 0.0)
    run(world, 1.0)
    assert displacement(world, "tray")[0] == pytest.approx(0.0, abs=2e-3)


def test_a_slide_ends_at_its_range_even_when_the_base_pulls_on(monkeypatch):
    world = world_with(monkeypatch, tray())
    grasp(world)
    world.set_base_command(-0.2, 0.0, 0.0)
    run(world, 3.0)
    assert displacement(world, "tray")[0] == pytest.approx(-0.3, abs=0.01)


def test_the_hand_turns_a_fixture_only_if_it_turns_with_the_hand(monkeypatch):
    world = world_with(monkeypatch, sheet())
    grasp(world)
    world.set_base_command(0.0, 0.0, 0.3)
    run(world, 1.0)
    world.set_base_command(0.0, 0.0, 0.0)
    run(world, 0.4)
    yaw = world.base_pose()[2]
    assert yaw > 0.25
    assert displacement(world, "sheet")[2] == pytest.approx(yaw, abs=0.02)
    c, s = math.cos(yaw), math.sin(yaw)
    hand = np.array([c * HAND[0] - s * HAND[1], s * HAND[0] + c * HAND[1], HAND[2]])
    edge = world.room.fixture("sheet").grasp.point
    pose = world.scene_state().objects["sheet"]
    held = FloorPose(*pose.position[:2], yaw).point(edge)
    assert held[:2] == pytest.approx(hand[:2], abs=0.01)


def test_a_hand_that_turns_about_a_handle_is_free(monkeypatch):
    world = world_with(monkeypatch, tray())
    grasp(world)
    world.set_joint_command("left_arm_joint_6", 0.5)
    run(world, 0.8)
    assert world.joint_positions()["left_arm_joint_6"] == pytest.approx(0.5, abs=0.01)
    assert displacement(world, "tray") == pytest.approx((0.0, 0.0, 0.0), abs=5e-3)
    assert world.held() == {"tray": "left_gripper"}


def test_a_hinge_before_a_slide_is_refused():
    hinge = FixtureJoint("hinge", (0.0, 0.0, 1.0), (-1.0, 1.0))
    with pytest.raises(ValueError, match="fixture tray: joints hinge, slide; slides come before"):
        tray(joints=(hinge, FixtureJoint("slide", (1.0, 0.0, 0.0), (0.0, 1.0))))
