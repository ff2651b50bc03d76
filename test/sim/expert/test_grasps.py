"""Hand poses against the grasp rule of the simulator."""

import math

import numpy as np
import pytest

from pi05_ros.sim.expert.grasps import HandPose, hand_poses, hand_yaw
from pi05_ros.sim.expert.transforms import Transform, hand_down
from pi05_ros.sim.homes.dishes import DISHES


def placed(yaw=0.4, roll=0.0):
    """An item at (1, 2, 0.9), turned by yaw and then tipped by roll about its own x axis [rad]."""
    c, s = math.cos(yaw), math.sin(yaw)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = math.cos(roll), math.sin(roll)
    tip = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return Transform(turn @ tip, np.array([1.0, 2.0, 0.9]))


@pytest.mark.parametrize("kind", sorted(DISHES))
def test_each_pose_is_on_a_graspable_point_and_closes_across_it(kind):
    design = DISHES[kind](np.random.default_rng(1), "red")
    T_odom_item = placed()
    poses = hand_poses(design.grasp, T_odom_item, facing=0.3)
    assert poses
    for pose in poses:
        local = T_odom_item.inverse().apply(pose.position)
        assert design.grasp.distance(local) < 1e-9
        fingers = T_odom_item.rotation.T @ pose.transform.rotation[:, 1]  # Their way to close.
        if design.grasp.along is None:
            outwards = local[:2] - np.array(design.grasp.point[:2])
            outwards /= np.linalg.norm(outwards)
            assert abs(fingers[:2] @ outwards) == pytest.approx(1.0)
        else:
            along = np.array([math.cos(design.grasp.along), math.sin(design.grasp.along)])
            assert fingers[:2] @ along == pytest.approx(0.0, abs=1e-9)


def test_a_hand_never_turns_its_back():
    design = DISHES["fork"](np.random.default_rng(0), "red")
    for facing in np.linspace(-3, 3, 13):
        for pose in hand_poses(design.grasp, placed(), facing):
            off = math.remainder(pose.yaw - facing, 2 * math.pi)
            assert abs(off) <= math.radians(120) + 1e-9


def test_a_cup_on_its_side_can_be_taken_from_above():
    design = DISHES["cup"](np.random.default_rng(0), "red")
    poses = hand_poses(design.grasp, placed(roll=math.pi / 2), facing=0.0)
    assert poses
    for pose in poses:
        # The rim stands upright: fingers close along what is level of it.
        assert abs(pose.transform.rotation[2, 1]) < 1e-9


@pytest.mark.parametrize("yaw", [-3.0, -0.5, 0.0, 1.2, 3.1])
def test_hand_yaw_is_the_inverse_of_hand_down(yaw):
    assert hand_yaw(hand_down(np.zeros(3), yaw)) == pytest.approx(yaw)
    assert hand_yaw(HandPose(np.ones(3), yaw).transform) == pytest.approx(yaw)
