"""Grippers of other kinds: in metres, inverted, and told something else than their joint."""

import dataclasses

import numpy as np
import pytest
from fakes.bridge_robot import PLATFORM, Robot

from pi05_ros.control.blend import Blend
from pi05_ros.control.modes import Mode
from pi05_ros.control.watches import JumpWatch, TrackingWatch
from pi05_ros.sim.controllers.command_limits import joint_limits

GRIPPER = PLATFORM.index("left_gripper")
GROUP = PLATFORM.groups[1]
IN_METRES = dataclasses.replace(
    GROUP.dimensions[0], unit="m", min_position=0.0, max_position=0.085, home=0.085
)


def platform_with(**changes):
    """Return mobile_19dof with another left gripper."""
    group = dataclasses.replace(GROUP, **changes)
    return dataclasses.replace(PLATFORM, groups=(PLATFORM.groups[0], group, *PLATFORM.groups[2:]))


METRES = platform_with(dimensions=(IN_METRES,), joint_closed=0.0, joint_open=1.0)


def test_a_gripper_in_metres_is_measured_and_commanded_in_metres():
    robot = Robot(METRES).armed()
    robot.body.values[GRIPPER] = 0.05
    names, positions = robot.joint_states()
    assert dict(zip(names, positions, strict=True))["left_gripper_joint"] == 0.05
    assert robot.tick().measurement.values[GRIPPER] == 0.05
    assert METRES.groups[1].gripper_command(0.05) == 0.05
    assert METRES.groups[1].gripper_ends == (0.0, 0.085)
    assert [float(end[0]) for end in joint_limits(METRES.groups[1])] == [0.0, 0.085]


def test_a_gripper_in_metres_may_stop_on_an_object():
    robot = Robot(METRES).armed()
    rows = np.tile(METRES.home, (50, 1))
    rows[:, GRIPPER] = 0.0
    robot.give_rows(rows)  # The measured width stays open: something is in between.
    for _ in range(40):
        tick = robot.tick()
        assert tick.mode == Mode.RUNNING
    assert tick.command[GRIPPER] == pytest.approx(0.0, abs=1e-6)
    assert np.isinf(TrackingWatch(METRES, 0.2, 0.1)._limits[GRIPPER])
    assert np.isinf(JumpWatch(METRES, 0.25)._jumps[GRIPPER])
    assert not Blend(METRES)._blends[GRIPPER]


def test_a_joint_that_closes_upwards_is_inverted():
    platform = platform_with(joint_closed=0.8, joint_open=0.0)
    robot = Robot(platform)
    robot.bridge.add_joint_states(["left_gripper_joint"], [0.6], robot.now, robot.now)
    values = robot.bridge.measured_state._assembler._values
    assert values[GRIPPER] == pytest.approx(0.25)
    assert platform.groups[1].gripper_command(0.25) == pytest.approx(0.6)
    assert [float(end[0]) for end in joint_limits(platform.groups[1])] == [0.0, 0.8]


def test_a_controller_may_count_otherwise_than_the_joint():
    group = dataclasses.replace(
        GROUP, joint_closed=0.8, joint_open=0.0, command_closed=0.0, command_open=0.085
    )
    assert group.gripper_command(0.5) == pytest.approx(0.0425)
    assert group.gripper_joint(0.0425) == pytest.approx(0.4)
    assert GROUP.gripper_joint(0.03) == 0.03


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"dimensions": (IN_METRES,)}, "leave joint_closed and joint_open out"),
        ({"command_closed": 0.0}, "command_closed and command_open are two different numbers"),
        ({"command_closed": 0.1, "command_open": 0.1}, "two different numbers"),
        ({"dimensions": (IN_METRES, IN_METRES)}, "is one fraction, or one joint in m or rad"),
    ],
)
def test_what_is_no_gripper(changes, problem):
    with pytest.raises(ValueError, match=problem):
        dataclasses.replace(GROUP, **changes)
