"""Limits by finite differences on hand-made commands, and the independence of the witnesses."""

import ast
from pathlib import Path

import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.controllers.command_limits import BASE_STOP_TIME, CommandLimits

ROOT = Path(__file__).parents[3]
PLATFORM = load_platform("mobile_18dof")
GROUPS = {group.name: group for group in PLATFORM.groups}
DT = PLATFORM.period
LIMITS = CommandLimits.of_platform(PLATFORM)


def test_differences_of_a_parabola():
    times = np.arange(6)[:, None] * DT
    values = 0.5 * 3.0 * times**2 * np.ones(PLATFORM.size)
    assert LIMITS.rates(values)[:, 0] == pytest.approx(3.0 * DT * (np.arange(5) + 0.5))
    assert LIMITS.accelerations(values) == pytest.approx(np.full((4, PLATFORM.size), 3.0))


def test_one_command_has_no_rate():
    assert LIMITS.rates(PLATFORM.home[None]).shape == (0, PLATFORM.size)
    assert LIMITS.accelerations(PLATFORM.home[None]).shape == (0, PLATFORM.size)


def test_the_distance_beyond_a_limit_is_positive_outside_and_nan_for_nan():
    torso = CommandLimits.of_group(GROUPS["torso"], DT)
    values = np.array([torso.upper + 0.1, torso.lower - 0.2, torso.upper, [np.nan]])
    np.testing.assert_allclose(torso.outside(values)[:, 0], [0.1, 0.2, 0.0, np.nan], atol=1e-12)


def test_a_gripper_is_in_the_units_of_its_joint():
    group = GROUPS["left_gripper"]
    limits = CommandLimits.of_group(group, DT)
    stroke = abs(group.joint_open - group.joint_closed)
    assert sorted((group.joint_open, group.joint_closed)) == [*limits.lower, *limits.upper]
    assert limits.max_velocity == pytest.approx(group.dimensions[0].max_velocity * stroke)


def test_a_base_that_slows_may_brake_harder():
    base = CommandLimits.of_group(GROUPS["base"], DT)
    slows, turns, speeds = [0.2, 0.1], [0.1, -0.1], [0.1, 0.2]
    for course, limit in ((slows, base.braking), (turns, None), (speeds, None)):
        values = np.repeat(np.array(course)[:, None], 3, axis=1)
        wanted = base.max_acceleration if limit is None else limit
        np.testing.assert_array_equal(base.base_acceleration_limits(values)[0], wanted)
    assert base.braking[0] == base.max_velocity[0] / BASE_STOP_TIME > base.max_acceleration[0]


@pytest.mark.parametrize(
    "path",
    [
        "pi05_ros/sim/controllers/command_limits.py",
        "pi05_ros/sim/controllers/witness.py",
        "test/system/witness.py",
    ],
)
def test_a_witness_imports_nothing_of_the_bridge(path):
    tree = ast.parse((ROOT / path).read_text())
    modules = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    modules += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    assert not [name for name in modules if name.startswith("pi05_ros.control")]
    assert any(name.startswith("pi05_ros.") for name in modules)
