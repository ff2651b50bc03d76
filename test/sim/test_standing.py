"""Where robots without a base stand, and what they reach from there."""

import math

import numpy as np
import pytest

from pi05_ros.platforms.description import load_urdf
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.standing import DISTANCE, ArmReach, arm_reaches, reachable, working_stance
from pi05_ros.sim.world import World

ONE_ARM = (ArmReach((0.16, 0.0), 0.6),)


def test_reach_is_that_of_the_urdf():
    platform = load_platform("bimanual_14dof")
    world = World(platform, 0)
    left, right = arm_reaches(world.model, platform, load_urdf(platform))
    # Links of 0.34, 0.16, 0.14, 0.05 and 0.15 m, and shoulders at -0.02 + 0.14 + 0.04 m.
    assert left.shoulder == pytest.approx((0.16, 0.28))
    assert right.shoulder == pytest.approx((0.16, -0.28))
    assert left.radius == right.radius == pytest.approx(0.7 * 0.84)


def test_a_hand_reaches_a_ring_around_its_shoulder():
    arm = ArmReach((0.1, 0.2), 0.5)
    assert arm.covers(0.1, 0.69) and not arm.covers(0.1, 0.71)
    assert arm.covers(0.3, 0.2) and not arm.covers(0.2, 0.2)


@pytest.mark.parametrize("home", [0, 3, 10_007])
def test_it_stands_before_the_counter_where_dish_and_sink_are_in_reach_of_one_arm(home):
    kitchen = draw_room("kitchen", home)
    stance = working_stance(kitchen, ONE_ARM)
    x, y = kitchen.counters[0].pose.local((stance.x, stance.y))
    assert x == pytest.approx(-DISTANCE) and abs(y) < kitchen.counters[0].length / 2
    assert stance.yaw == pytest.approx(kitchen.counters[0].pose.yaw)
    within = reachable(kitchen, ONE_ARM, stance)
    dishes = {dish.name for dish in kitchen.dishes if (dish.name, "sink") in within.pairs}
    assert dishes and dishes <= within.items
    shoulder = stance.point((0.16, 0.0))
    sink = kitchen.sink.pose
    assert math.dist(shoulder, (sink.x, sink.y)) <= 0.6
    for dish in kitchen.dishes:
        assert (dish.name in within.items) == (math.dist(shoulder, dish.position[:2]) <= 0.6)


def test_the_world_puts_it_there_and_it_stays():
    platform = load_platform("bimanual_14dof")
    world = World(platform, 10_000)
    pose = world.base_pose()
    local = world.room.counters[0].pose.local(pose[:2])
    assert local[0] == pytest.approx(-DISTANCE)
    assert world.within_reach.pairs
    world.step(0.5)
    np.testing.assert_allclose(world.base_pose(), pose, atol=1e-4)
    np.testing.assert_allclose(world.scene_state().base.position[:2], pose[:2], atol=1e-4)
    world.reset()
    assert world.base_pose() == pose
    assert World(load_platform("mobile_18dof"), 10_000).within_reach is None


@pytest.mark.parametrize("seed", range(10_000, 10_030))
def test_all_things_of_a_laboratory_are_in_reach_of_its_arm(seed):
    lab = draw_room("lab", seed)
    within = reachable(lab, ONE_ARM, working_stance(lab, ONE_ARM))
    assert within.pairs == {(i.name, c.name) for i in lab.items for c in lab.containers}
