"""The layout comes from the platform's groups, never from fixed indices."""

import dataclasses

import pytest

from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.layout import RobotLayout


@pytest.mark.parametrize(
    ("name", "torso", "base"),
    [("mobile_18dof", [14], [15, 16, 17]), ("mobile_19dof", [14, 15], [16, 17, 18])],
)
def test_both_platforms(name, torso, base):
    layout = RobotLayout.of(load_platform(name))
    assert [arm.side for arm in layout.arms] == ["left", "right"]
    assert layout.arm("right").joints.tolist() == [7, 8, 9, 10, 11, 12]
    assert layout.arm("right").gripper == 13
    assert layout.torso.tolist() == torso
    assert layout.base.tolist() == base


def test_groups_in_another_order():
    platform = load_platform("mobile_18dof")
    turned = dataclasses.replace(platform, groups=platform.groups[::-1])
    layout = RobotLayout.of(turned)
    assert layout.base.tolist() == [0, 1, 2]
    assert layout.torso.tolist() == [3]
    assert layout.arm("right").gripper == 4
    assert layout.arm("left").joints.tolist() == [12, 13, 14, 15, 16, 17]


def test_a_gripper_without_an_arm_is_refused():
    platform = load_platform("mobile_18dof")
    armless = dataclasses.replace(platform, groups=platform.groups[1:])
    with pytest.raises(ConfigError, match="wants a group 'left_arm' for gripper 'left_gripper'"):
        RobotLayout.of(armless)


def test_a_robot_without_a_base_is_refused():
    platform = load_platform("mobile_18dof")
    with pytest.raises(ConfigError, match="2 arms and 0 bases"):
        RobotLayout.of(dataclasses.replace(platform, groups=platform.groups[:-1]))
