"""The layout comes from the platform's groups, never from fixed indices."""

import dataclasses

import pytest
from fakes.robots import RobotKind, make_robot

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


def test_one_arm_on_a_differential_base():
    layout = RobotLayout.of(load_platform("mobile_10dof"))
    (arm,) = layout.arms
    assert arm.joints.tolist() == list(range(7)) and arm.gripper == 7
    assert layout.torso.tolist() == []
    assert layout.base.tolist() == [8, 9] and layout.base_axes == (0, 2)


def test_names_of_groups_do_not_matter_and_a_head_is_no_torso(tmp_path):
    kind = RobotKind(("reacher",), ("pincher",), joints=6, torso=True, head=True)
    layout = RobotLayout.of(make_robot(tmp_path, kind))
    (arm,) = layout.arms
    assert arm.side == "pincher" and arm.joints.tolist() == [1, 2, 3, 4, 5, 6]
    assert layout.torso.tolist() == [0], "the lift, not the head"


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
    armless = dataclasses.replace(platform, groups=platform.groups[1:], teleop=None)
    with pytest.raises(ConfigError, match="group moves gripper 'left_gripper' alone: list the"):
        RobotLayout.of(armless)


def test_a_robot_without_a_base_does_not_drive():
    platform = load_platform("mobile_18dof")
    assert RobotLayout.of(platform).drives
    standing = dataclasses.replace(platform, groups=platform.groups[:-1], teleop=None)
    layout = RobotLayout.of(standing)
    assert not layout.drives and layout.base.size == 0 and layout.base_axes == ()


def test_a_robot_without_a_gripper_is_refused():
    platform = load_platform("mobile_10dof")
    arm = dataclasses.replace(platform, groups=platform.groups[:1], teleop=None)
    with pytest.raises(ConfigError, match="an arm with a gripper, found no gripper"):
        RobotLayout.of(arm)
