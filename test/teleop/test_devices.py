"""Devices of a platform: all of its section and the page, each with a switch of its own."""

import dataclasses

import pytest

from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import load_platform
from pi05_ros.platforms.teleop import Clutch
from pi05_ros.teleop.devices import make_devices
from pi05_ros.teleop.hands import Hands

PLATFORM = load_platform("mobile_10dof")
HANDS = Hands(PLATFORM)


def with_section(**changes):
    return dataclasses.replace(PLATFORM, teleop=dataclasses.replace(PLATFORM.teleop, **changes))


def test_the_devices_are_those_of_the_section_and_the_page():
    names = [device.name for device in make_devices(PLATFORM, HANDS)]
    assert names == ["leader", "whole_body_leader", "hand_pose", "gamepad", "page"]
    bare = with_section(leaders=(), gamepad=None, hand_pose=None)
    assert [device.name for device in make_devices(bare, HANDS)] == ["page"]


def test_a_robot_without_the_section_is_told_what_to_write():
    with pytest.raises(ConfigError, match="the key 'teleop' is missing: it names the leader arms"):
        make_devices(dataclasses.replace(PLATFORM, teleop=None), HANDS)


@pytest.mark.parametrize(
    "clutch, problem",
    [
        (Clutch(joy_topic="/joy", button=4), "leader and gamepad have .*button 4 of /joy"),
        (Clutch(joy_topic="/hands/joy", button=0), "leader and hand_pose have"),
    ],
)
def test_one_switch_for_two_devices_is_refused(clutch, problem):
    leader = dataclasses.replace(PLATFORM.teleop.leaders[0], clutch=clutch)
    with pytest.raises(ConfigError, match=problem):
        make_devices(with_section(leaders=(leader,)), HANDS)


def test_another_button_of_the_same_pad_is_another_switch():
    leader = dataclasses.replace(
        PLATFORM.teleop.leaders[0], clutch=Clutch(joy_topic="/joy", button=7)
    )
    assert len(make_devices(with_section(leaders=(leader,)), HANDS)) == 4
