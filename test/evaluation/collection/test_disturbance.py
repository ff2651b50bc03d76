"""Drives that do something else than what was commanded."""

import numpy as np

from pi05_ros.evaluation.bridged_robot import IdealRobot
from pi05_ros.evaluation.collection.disturbance import DisturbedRobot
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")


def offsets(noise, count=4000):
    robot = DisturbedRobot(IdealRobot(PLATFORM), PLATFORM, noise, np.random.default_rng(1))
    command = PLATFORM.home.copy()
    command[PLATFORM.is_gripper] = 0.5
    found = []
    for _ in range(count):
        robot.move(command)
        found.append(robot.measure() - command)
    return np.array(found)


def test_the_disturbance_has_the_stated_deviation_and_spares_the_grippers():
    found = offsets(0.01)
    moved = ~PLATFORM.is_gripper
    # 4000 periods are 200 correlation times: 10 % off is two standard errors.
    ratio = found[:, moved].std(axis=0) / (0.01 * PLATFORM.max_velocity[moved])
    assert np.all((ratio > 0.75) & (ratio < 1.25)), ratio
    assert not found[:, PLATFORM.is_gripper].any()
    # It is slow: neighbours are exp(-0.02 / 0.4) = 0.951 correlated.
    first = found[:, 0]
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1] - 0.951) < 0.02


def test_limits_hold_and_silence_stays_silence():
    robot = DisturbedRobot(IdealRobot(PLATFORM), PLATFORM, 0.5, np.random.default_rng(1))
    robot.move(None)
    assert np.array_equal(robot.measure(), PLATFORM.home)
    for _ in range(50):
        robot.move(PLATFORM.upper)
        assert (robot.measure() <= PLATFORM.upper).all()
