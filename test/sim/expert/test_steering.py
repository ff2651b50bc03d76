"""Steering of a base by its remaining motion, with and without vy."""

import math

import numpy as np
import pytest

from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.motion import LimitedMotion
from pi05_ros.sim.expert.steering import base_error
from pi05_ros.sim.homes.geometry import FloorPose, wrap_angle

PERIOD = 0.02


def test_a_holonomic_base_goes_straight_to_its_goal():
    base, goal = FloorPose(1.0, 2.0, math.pi / 2), FloorPose(1.0, 3.0, math.pi)
    assert base_error(base, goal, (0, 1, 2)) == pytest.approx([1.0, 0.0, math.pi / 2])


def test_a_differential_base_turns_before_it_drives():
    aside = base_error(FloorPose(0, 0, 0), FloorPose(0.5, 0.5, 0), (0, 2))
    assert aside == pytest.approx([0.0, math.pi / 4])
    ahead = base_error(FloorPose(0, 0, 0), FloorPose(0.5, 0.0, 1.0), (0, 2))
    assert ahead == pytest.approx([0.5, 0.0])
    behind = base_error(FloorPose(0, 0, 0), FloorPose(-0.5, 0.01, 0), (0, 2))
    assert behind == pytest.approx([-0.5, -0.02], abs=1e-3), "backwards, without turning round"
    there = base_error(FloorPose(0, 0, 0), FloorPose(0.0, 0.005, 1.0), (0, 2))
    assert there == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("seed", range(40))
def test_a_differential_base_reaches_any_pose_within_the_tolerance_of_a_stance(seed):
    rng = np.random.default_rng(seed)
    base = FloorPose(*rng.uniform(-1.5, 1.5, 2), rng.uniform(-3, 3))
    goal = FloorPose(*rng.uniform(-1.5, 1.5, 2), rng.uniform(-3, 3))
    motion = LimitedMotion(np.array([0.44, 0.88]), np.array([0.88, 1.76]), PERIOD)
    velocity = np.zeros(2)
    for _ in range(round(30 / PERIOD)):
        error = np.array(base_error(base, goal, (0, 2)))
        velocity = motion.velocity(error, velocity)
        v, wz = velocity
        yaw = base.yaw + wz * PERIOD / 2
        base = FloorPose(
            base.x + v * PERIOD * math.cos(yaw),
            base.y + v * PERIOD * math.sin(yaw),
            base.yaw + wz * PERIOD,
        )
    off = math.hypot(base.x - goal.x, base.y - goal.y)
    assert off < ScriptedExpertConfig().stance_tolerance
    assert abs(wrap_angle(base.yaw - goal.yaw)) < 0.01
    assert np.abs(velocity).max() < 0.01, "it stands"
