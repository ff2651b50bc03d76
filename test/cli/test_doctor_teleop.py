"""What the doctor says of a platform's section `teleop`."""

import dataclasses

from pi05_ros.bootstrap.doctor.results import CheckStatus
from pi05_ros.cli.doctor_teleop import teleop_results
from pi05_ros.platforms.platform import load_platform
from pi05_ros.platforms.teleop import Clutch

PLATFORM = load_platform("mobile_10dof")


def results(platform):
    return {result.name: result for result in teleop_results(platform)}


def test_each_device_is_described_by_its_topics_entries_and_switch():
    found = results(PLATFORM)
    assert found["leader"].value == (
        "/leader/joint_states: 8 entries (base_vx, base_wz hold), absolute; dead-man switch: "
        "/leader/clutch"
    )
    assert found["whole_body_leader"].value.endswith("dead-man switch: clutch above 0.5")
    assert found["gamepad"].value == "/joy, layout xbox"
    assert found["hand_pose"].value == (
        "gripper by /hand/pose; dead-man switch: button 0 of /hands/joy"
    )
    assert found["jog"].value == "base, gripper"
    assert all(result.status == CheckStatus.GOOD for result in found.values())


def test_two_devices_with_one_switch_are_missing_one():
    leader = dataclasses.replace(
        PLATFORM.teleop.leaders[0], clutch=Clutch(joy_topic="/joy", button=4)
    )
    section = dataclasses.replace(PLATFORM.teleop, leaders=(leader,))
    found = results(dataclasses.replace(PLATFORM, teleop=section))
    assert found["devices"].status == CheckStatus.MISSING
    assert "one dead-man switch, button 4 of /joy" in found["devices"].fix


def test_without_the_section_it_is_a_note():
    (result,) = teleop_results(dataclasses.replace(PLATFORM, teleop=None))
    assert (result.status, result.fix) == (CheckStatus.NOTE, "see docs/teleop.md")
