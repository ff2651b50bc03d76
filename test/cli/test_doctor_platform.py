"""`./pi05 doctor PLATFORM`: what it says of robots that ship, and of others with parts missing."""

import pytest
import yaml
from fakes.robots import RobotKind, make_robot

from pi05_ros.bootstrap.doctor.results import CheckStatus
from pi05_ros.cli.doctor import main
from pi05_ros.cli.doctor_platform import platform_results
from pi05_ros.platforms.platform import platform_names


def by_name(results):
    return {result.name: result for result in results}


@pytest.mark.parametrize("name", platform_names())
def test_a_shipped_platform_lacks_nothing(name):
    results = platform_results(name)
    assert {result.status for result in results} == {CheckStatus.GOOD}


def test_the_page_says_what_was_understood(capsys):
    assert main(["mobile_10dof"]) == 0
    page = capsys.readouterr().out
    for said in (
        "10 values at 50 Hz, padded to the model's 32",
        "0-6: arm_joint_1, arm_joint_2",
        "joint_trajectory on /arm_controller/joint_trajectory",
        "7: gripper_joint, closed 0, open 0.04; parallel_gripper on /gripper_controller/gripper",
        "8-9: differential, no vy: base_vx, base_wz; base_velocity on /base_controller/cmd_vel",
        "/wrist_camera/image_raw, 320x240 at 10 Hz, raw, for planner and policy",
        "urdf/mobile_10dof.urdf.xacro",
        "base_link, the root link",
        "8 joints, within those of the URDF",
        "arm of gripper",
        "--sim: the robot can be simulated",
        "Nothing that the suite needs is missing.",
    ):
        assert said in page, said


def test_an_own_robot_is_understood_too(tmp_path):
    kind = RobotKind(("left", "right"), ("l_hand", "r_hand"), torso=True, head=True, base="")
    platform = make_robot(tmp_path, kind)
    found = by_name(platform_results(platform.source))
    assert not [r for r in found.values() if r.status is CheckStatus.MISSING]
    assert found["base"].value == "none: the robot does not drive"
    assert found["arm of l_hand"].value == "left" and found["torso"].value == "torso"
    assert found["expert"].value == "--brain expert: moves l_hand and r_hand"
    assert "write `controllers: FILE.yaml`" in found["controllers"].fix


def edited(tmp_path, change, kind=RobotKind()):  # noqa: B008
    """Results of a robot whose YAML (a dict) or URDF (a string) is changed by `change`."""
    platform = make_robot(tmp_path, kind)
    urdf, path = tmp_path / "robot.urdf", tmp_path / "my_robot.yaml"
    content = yaml.safe_load(path.read_text())
    text = change(content, urdf.read_text())
    urdf.write_text(text)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return by_name(platform_results(platform.source))


def no_joint(content, urdf):
    content["groups"][0]["dimensions"][2]["joint"] = "arm_joint_33"
    return urdf


def no_frame(content, urdf):
    content["cameras"][0]["frame"] = "eye"
    return urdf


def no_root(content, urdf):
    content["base_frame"] = "column"
    return urdf


def no_file(content, urdf):
    content["urdf"] = "robt.urdf"
    return urdf


def no_key(content, urdf):
    content["camera"] = content.pop("cameras")
    return urdf


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        (no_joint, "joints", "no joint 'arm_joint_33', which my_robot names; did you mean"),
        (no_frame, "camera front", "the URDF has no link 'eye'"),
        (no_root, "base_frame", "column is not the root link"),
        (no_file, "file", "urdf: 'robt.urdf' is neither a file beside it"),
        (no_key, "file", "unknown key 'camera'; did you mean 'cameras'?"),
    ],
)
def test_what_is_missing_has_its_remedy(tmp_path, change, name, said):
    found = edited(tmp_path, change)[name]
    assert found.status is CheckStatus.MISSING
    assert said in f"{found.value}: {found.fix}" and found.fix


def test_limits_beyond_the_urdfs_and_a_missing_tag_are_noted(tmp_path):
    def wide(content, urdf):
        content["groups"][0]["dimensions"][1]["max_position"] = 3.0
        return urdf

    found = edited(tmp_path, wide, RobotKind(tag=False))
    assert found["limits"].status is CheckStatus.NOTE
    assert found["limits"].value == "arm_joint_2: beyond those of the URDF"
    assert found["ros2_control"].status is CheckStatus.NOTE


def test_a_joint_without_a_state_is_missing(tmp_path, capsys):
    def stateless(content, urdf):
        state = '<state_interface name="position"/>'
        return urdf.replace(f'<joint name="arm_joint_4">{state}', '<joint name="arm_joint_4">')

    found = edited(tmp_path, stateless)
    assert found["ros2_control"].value == "no <state_interface> for arm_joint_4"
    assert main([str(tmp_path / "my_robot.yaml")]) == 1
    assert "Missing: ros2_control." in capsys.readouterr().out
