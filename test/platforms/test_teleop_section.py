"""The section teleop of a platform: what it accepts, and what its errors say."""

from pathlib import Path

import pytest

from pi05_ros.errors import ConfigError
from pi05_ros.foundation.strict_yaml import from_mapping
from pi05_ros.platforms.platform import load_platform, robot_names
from pi05_ros.platforms.teleop import TeleopSection

JOINT = {"entry": "arm_joint_1", "joint": "waist"}
LEADER = {
    "topics": [{"topic": "/leader/joint_states", "joints": [JOINT]}],
    "clutch": {"bool_topic": "/pedal"},
}


def check(**section):
    """Load a section for the robot of one arm."""
    from_mapping(TeleopSection, section, "teleop").check(load_platform("mobile_10dof").groups)


def leader(joint=None, **changes):
    topics = [{"topic": "/leader/joint_states", "joints": [{**JOINT, **(joint or {})}]}]
    return {**LEADER, "topics": topics, **changes}


@pytest.mark.parametrize("name", robot_names())
def test_every_shipped_robot_has_leaders_a_gamepad_and_hand_poses(name):
    platform = load_platform(name)
    section = platform.teleop
    arms, whole = section.leaders
    driven = {joint.entry for joint in arms.joints}
    assert driven == {n for n in platform.names if "arm" in n or "gripper" in n}
    assert {joint.entry for joint in whole.joints} == set(platform.names)
    assert section.gamepad.layout == "xbox"
    assert [h.hand for h in section.hand_pose.hands] == [
        group.name for group in platform.groups_of("parallel_gripper")
    ]
    assert {"/joy", "/leader/clutch", "/hands/joy"} < set(section.topics)
    assert len(section.topics) == len(set(section.topics))


@pytest.mark.parametrize(
    "section, problem",
    [
        ({"leader": []}, "unknown key 'leader'; did you mean 'leaders'"),
        ({"leaders": [leader({"entry": "arm_joint_9"})]}, "no entry 'arm_joint_9'"),
        ({"leaders": [leader({"scale": -1.0})]}, "scale -1 is not above 0; see sign"),
        ({"leaders": [leader({"sign": 2})]}, "wanted one of 1, -1, found 2"),
        ({"leaders": [leader({"closed": 0.0})]}, "closed and open are given together"),
        ({"leaders": [leader({"closed": 0.0, "open": 1.0})]}, "'arm_joint_1' is no gripper"),
        ({"leaders": [leader({"field": "velocity"})]}, "'arm_joint_1' is a position, waist is to"),
        ({"leaders": [leader(clutch={})]}, "a clutch is one of joy_topic with button, bool_topic"),
        ({"leaders": [leader(clutch={"joy_topic": "/joy"})]}, "joy_topic and button are given"),
        ({"leaders": [leader(clutch={"joint": "t"})]}, "joint and above are given together"),
        ({"leaders": [LEADER, LEADER]}, "leader 'leader' stands twice"),
        ({"leaders": [leader({"joint": ""})]}, "arm_joint_1: joint is empty"),
        ({"leaders": [leader(name="page")]}, "a leader is named 'page', as another device is"),
        (
            {"leaders": [leader(clutch={"bool_topic": "/joy"})], "gamepad": {}},
            "'/joy' stands as a topic of Joy and of Bool",
        ),
        ({"gamepad": {"dead_man": -1}}, "dead_man: -1 is below 0"),
        ({"gamepad": {"hand_buttons": [-1]}}, "hand_buttons: -1 is below 0"),
        (
            {"gamepad": {"hand_buttons": [2, 1]}},
            "hand_buttons has 2 buttons, the robot has 1",
        ),
        ({"gamepad": {"axes": [{"axis": -1, "drives": "base_vx"}]}}, "axis: -1 is below 0"),
        (
            {"gamepad": {"axes": [{"axis": 1, "drives": "base_vx", "with_button": -5}]}},
            "with_button: -5 is below 0",
        ),
        (
            {"jog": {"torso_entries": ["torso_lift", "torso_lift"]}},
            "entry 'torso_lift' stands",
        ),
        ({"gamepad": {"layout": "custom"}}, "a custom layout needs axes and dead_man"),
        ({"gamepad": {"layout": "xbax"}}, "did you mean 'xbox'"),
        ({"jog": {"torso_entries": ["base_vx"]}}, "'base_vx' is no joint of a torso"),
        (
            {
                "hand_pose": {
                    "hands": [{"topic": "/pose", "hand": "left_gripper"}],
                    "clutch": {"bool_topic": "/pedal"},
                }
            },
            "no gripper group 'left_gripper'",
        ),
    ],
)
def test_what_a_robot_cannot_use_is_refused_with_its_place(section, problem):
    with pytest.raises((ConfigError, ValueError)) as caught:
        check(**section)
    assert problem in str(caught.value)


def test_a_robot_without_the_section_has_no_teleoperation(tmp_path):
    text = Path(load_platform("mobile_10dof").source).read_text()
    start, end = text.index("\n# Devices of teleoperation"), text.index("\n# Subtasks that")
    other = tmp_path / "other.yaml"
    other.write_text(text[:start] + text[end:])
    assert load_platform(str(other)).teleop is None
