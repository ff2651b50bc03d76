"""Hands at work in static scenes."""

import mujoco
import numpy as np
import pytest

from pi05_ros.evaluation.collection.arrangements import Arrangements
from pi05_ros.evaluation.collection.hands import IN_HAND, HandsAtWork, between_fingers
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import hand_down
from pi05_ros.sim.home_spec import item_body
from pi05_ros.sim.robot import tcp_site
from pi05_ros.sim.world import World

PLATFORM = load_platform("mobile_18dof")
SIDES = ("left_gripper", "right_gripper")


def scenes(count, seed=0, home=10003):
    """Arrangements of a kitchen before and after a hand was put to work."""
    kinematics = ArmKinematics(PLATFORM)
    world = World(PLATFORM, home)
    random = np.random.default_rng(seed)
    drawn = Arrangements(world, kinematics, random)
    hands = HandsAtWork(world.room, kinematics, drawn.place, random)
    for number in range(1, count + 1):
        before = drawn.draw(number)
        yield world.room, before, hands.place(before)


def forward(scene):
    model = scene.snapshot.model
    data = mujoco.MjData(model)
    data.qpos[:] = scene.snapshot.qpos
    mujoco.mj_forward(model, data)
    return data


def test_hands_are_above_a_thing_or_hold_one():
    above = held = 0
    for room, before, after in scenes(16):
        if after is before:
            continue
        data = forward(after)
        tcps = [data.site(tcp_site(side)).xpos for side in SIDES]
        graspable = {item.name: item for item in room.items if item.grasp is not None}
        in_hand = [name for name, words in after.places.items() if words == IN_HAND]
        distances = {
            name: min(np.linalg.norm(data.body(item_body(name)).xpos[:2] - t[:2]) for t in tcps)
            for name in graspable
        }
        if in_hand:
            (name,) = in_hand
            assert distances[name] < 0.15  # A pan's handle is that far from its middle.
            held += 1
        else:
            assert after.places == before.places
            assert min(distances.values()) < 0.2
            above += 1
    assert above >= 2 and held >= 2


def test_the_graspable_point_is_between_the_fingers():
    room = World(PLATFORM, 10003).room
    hand = hand_down(np.array([0.4, -0.2, 1.1]), 0.7)
    for item in room.items:
        if item.grasp is None:
            continue
        T_odom_item = between_fingers(item, hand)
        reach = np.linalg.norm(T_odom_item.position - hand.position)
        point, radius = np.asarray(item.grasp.point), item.grasp.radius
        assert reach == pytest.approx(np.hypot(point[2], np.hypot(*point[:2]) + radius), abs=0.02)
        assert T_odom_item.rotation[2, 2] == pytest.approx(1.0)  # Upright.


def test_equal_seeds_give_equal_scenes():
    first = [after.snapshot.qpos for _, _, after in scenes(5, seed=3)]
    again = [after.snapshot.qpos for _, _, after in scenes(5, seed=3)]
    np.testing.assert_array_equal(first, again)
