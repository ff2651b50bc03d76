"""Layouts of the shipped platforms, and error messages for invalid files."""

import copy
import re

import numpy as np
import pytest
import yaml

from pi05_ros.errors import ConfigError
from pi05_ros.foundation.resources import resource_path
from pi05_ros.platforms.platform import Camera, load_platform, platform_names, robot_names

CONTENT = yaml.safe_load(resource_path("config/platforms/mobile_18dof.yaml").read_text())
ARM = [f"arm_joint_{k}" for k in range(1, 7)]
LAYOUT_18 = [
    *[f"left_{name}" for name in ARM],
    "left_gripper",
    *[f"right_{name}" for name in ARM],
    "right_gripper",
    "torso_lift",
    "base_vx",
    "base_vy",
    "base_wz",
]


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("mobile_18dof", LAYOUT_18),
        ("mobile_19dof", [*LAYOUT_18[:15], "torso_reach", *LAYOUT_18[15:]]),
    ],
)
def test_the_vector_has_the_agreed_layout(name, layout):
    platform = load_platform(name)
    assert list(platform.names) == layout
    assert platform.period == 0.02
    assert platform.camera_names == ("front", "back", "left_wrist", "right_wrist")
    assert platform.planner_cameras == platform.camera_names
    assert platform.policy_cameras == ("front", "left_wrist", "right_wrist")
    units = [dimension.unit for dimension in platform.dimensions]
    assert units[6] == units[13] == "fraction" and units[14] == "m"
    assert units[-3:] == ["m/s", "m/s", "rad/s"]


def test_one_arm_on_a_differential_base_has_the_agreed_layout():
    platform = load_platform("mobile_10dof")
    arm = [f"arm_joint_{k}" for k in range(1, 8)]
    assert list(platform.names) == [*arm, "gripper", "base_vx", "base_wz"]
    assert platform.base_axes == (0, 2)
    assert platform.planner_cameras == platform.policy_cameras == ("front", "wrist")


def test_the_shipped_platforms_are_found_by_name():
    robots = ("mobile_10dof", "mobile_18dof", "mobile_19dof")
    assert platform_names() == ("bimanual_14dof", *robots, "single_8dof")
    assert robot_names() == robots  # The others are in simulation only.


@pytest.mark.parametrize(
    ("name", "size", "cameras"),
    [
        ("bimanual_14dof", 14, ("front", "left_wrist", "right_wrist")),
        ("single_8dof", 8, ("scene", "wrist")),
    ],
)
def test_robots_of_mock_homes_have_no_base(name, size, cameras):
    platform = load_platform(name)
    assert platform.size == size and platform.base_axes == ()
    assert not platform.is_velocity.any()
    assert platform.planner_cameras == platform.policy_cameras == cameras


def test_base_dimensions_are_bounded_by_their_velocity():
    platform = load_platform("mobile_18dof")
    base = platform.slices["base"]
    np.testing.assert_allclose(platform.upper[base], platform.max_velocity[base])
    np.testing.assert_allclose(platform.lower[base], -platform.max_velocity[base])


def test_vectors_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        load_platform("mobile_18dof").home[0] = 1.0


def test_a_jerk_limit_is_a_number_of_commands_to_average(tmp_path):
    assert (load_platform("mobile_18dof").smoothing_periods == 1).all()
    content = copy.deepcopy(CONTENT)
    content["groups"][0]["dimensions"][0]["max_jerk"] = 28.0
    content["groups"][5]["dimensions"][0]["max_jerk"] = 1e9
    file = tmp_path / "robot.yaml"
    file.write_text(yaml.safe_dump(content))
    periods = load_platform(str(file)).smoothing_periods
    assert periods[0] == 25 and (periods[1:] == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        periods[0] = 1


def test_command_names_follow_the_controllers_kind():
    commands = [g.controller.command_name for g in load_platform("mobile_18dof").groups]
    assert commands == [
        "/left_arm_controller/joint_trajectory",
        "/left_gripper_controller/gripper_cmd",
        "/right_arm_controller/joint_trajectory",
        "/right_gripper_controller/gripper_cmd",
        "/torso_controller/joint_trajectory",
        "/base_controller/cmd_vel",
    ]


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(ConfigError, match=re.escape("did you mean 'mobile_18dof'?")):
        load_platform("mobil_18dof")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_platform("/nowhere/robot.yaml")


def changed(path, value, tmp_path):
    """Write mobile_18dof with one entry replaced (None removes it)."""
    content = copy.deepcopy(CONTENT)
    place = content
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    file = tmp_path / "robot.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def broken(path, value, tmp_path):
    """Load mobile_18dof with one entry replaced (None removes it) and return the error."""
    file = changed(path, value, tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_platform(str(file))
    assert str(file) in str(caught.value)
    return str(caught.value)


JOINT = ("groups", 0, "dimensions", 0)
SAID = [
    (("rate_hertz",), 50, "unknown key 'rate_hertz'; did you mean 'rate_hz'?"),
    ((*JOINT, "max_velocty"), 1.0, "unknown key 'max_velocty'; did you mean 'max_velocity'?"),
    ((*JOINT, "min_position"), 3.0, "min_position 3.0 is not below max_position 2.4"),
    ((*JOINT, "max_velocity"), None, "the key 'max_velocity' is missing"),
    ((*JOINT, "max_velocity"), -1.0, "must be above 0"),
    ((*JOINT, "max_jerk"), 0.0, "max_jerk must be above 0; leave it out for no limit"),
    ((*JOINT, "max_jerk"), 20.0, "would delay commands by 17 periods; at least 28 is needed"),
    ((*JOINT, "max_velocity"), "fast", "wanted a number, found 'fast'"),
    ((*JOINT, "max_velocity"), float("nan"), "wanted a finite number, found nan"),
    ((*JOINT, "max_velocity"), True, "wanted a number, found True"),
    ((*JOINT, "home"), 9.0, "home 9.0 is outside -2.4 to 2.4"),
    ((*JOINT, "unit"), "deg", "wanted one of rad, m, fraction, m/s, rad/s, found 'deg'"),
    ((*JOINT, "name"), "left_arm_joint_2", "dimension 'left_arm_joint_2' stands twice"),
    (("groups", 0, "controller", "kind"), "joint_trajektory", "did you mean 'joint_trajectory'?"),
    (("groups", 2, "controller", "name"), "left_arm_controller", "stands twice"),
    (("groups", 5, "dimensions"), [], "a base_velocity group is vx, vy [m/s] and wz [rad/s]"),
    (("groups", 1, "joint_open"), 0.0, "joint_closed equals joint_open"),
    (("groups",), "none", "wanted a list, found 'none'"),
    (("cameras", 0, "topic"), "front/image_raw", "does not begin with '/'"),
    (("cameras", 0, "topic"), "/front camera/image", "'/front camera/image' is no ROS name"),
    (("groups", 0, "controller", "name"), "left-arm", "is no ROS name"),
    (("joint_states_topic",), ["/a", "/b b"], "joint_states_topic: '/b b' is no ROS name"),
    (("joint_states_topic",), 5, "joint_states_topic: wanted text, found 5"),
    (("groups", 0, "controller", "command"), "/torso_controller/joint_trajectory", "stands twice"),
    (("odom_topic",), "/odom//x", "odom_topic: '/odom//x' is no ROS name"),
    (("cameras", 0, "rotate"), 45, "wanted one of 0, 90, 180, 270, found 45"),
    (("cameras", 0, "fov_y_deg"), 200, "is not between 0 and 180"),
    (("policy_cameras",), ["frnt"], "no camera 'frnt'; did you mean 'front'?"),
    (("rate_hz",), 0, "rate_hz 0.0 is not above 0"),
    (("name",), 18, "wanted text, found 18"),
]


@pytest.mark.parametrize(("path", "value", "said"), SAID, ids=[s for _, _, s in SAID])
def test_the_error_of_an_invalid_file_names_place_and_problem(path, value, said, tmp_path):
    assert said in broken(path, value, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nname: b\n", "line 2: the key 'name' stands twice"),
        ("name: [a\n", "line 2"),
        ("", "wanted a mapping of Platform, found nothing"),
        ("- 1\n", "wanted a mapping of Platform, found a list"),
        ("1: a\n", "the key 1 is not a word"),
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
    ],
)
def test_what_is_not_a_platform_is_refused_with_a_reason(text, said, tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(said)):
        load_platform(str(file))


def test_a_file_cannot_say_where_it_comes_from(tmp_path):
    assert "unknown key 'source'" in broken(("source",), "/elsewhere", tmp_path)
    assert load_platform("mobile_18dof").source.endswith("config/platforms/mobile_18dof.yaml")


def test_joint_states_may_come_on_several_topics(tmp_path):
    content = copy.deepcopy(CONTENT)
    file = tmp_path / "robot.yaml"
    content["joint_states_topic"] = ["/left/joint_states", "/right/joint_states"]
    file.write_text(yaml.safe_dump(content))
    platform = load_platform(str(file))
    assert platform.joint_states_topics == ("/left/joint_states", "/right/joint_states")
    assert len(platform.joints_on("/left/joint_states")) == 15  # Any joint, from either.
    content["joint_states_topic"] = "/joint_states"
    for group, topic in ((0, "/alice/joint_states"), (2, "/bob/joint_states")):
        content["groups"][group]["joint_states_topic"] = topic
        for k, dimension in enumerate(content["groups"][group]["dimensions"]):
            dimension["driver_joint"] = f"joint_{k + 1}"
    file.write_text(yaml.safe_dump(content))
    platform = load_platform(str(file))
    topics = ("/joint_states", "/alice/joint_states", "/bob/joint_states")
    assert platform.joint_states_topics == topics
    assert [d.name for d in platform.joints_on("/bob/joint_states")] == LAYOUT_18[7:13]
    assert len(platform.joints_on("/joint_states")) == 3
    for group in content["groups"][:5]:
        group["joint_states_topic"] = "/all"
    content["groups"][0]["dimensions"][0]["driver_joint"] = "j"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match="joint of /all 'joint_2' stands twice"):
        load_platform(str(file))


@pytest.mark.parametrize(
    ("kind", "command", "name", "is_action"),
    [
        ("follow_joint_trajectory", "", "/torso_controller/follow_joint_trajectory", True),
        ("forward_position", "", "/torso_controller/commands", False),
        ("joint_trajectory", "/torso/move", "/torso/move", False),
    ],
)
def test_controllers_of_joints_are_joint_groups_whatever_they_take(
    kind, command, name, is_action, tmp_path
):
    content = copy.deepcopy(CONTENT)
    content["groups"][4]["controller"].update(kind=kind, command=command)
    file = tmp_path / "robot.yaml"
    file.write_text(yaml.safe_dump(content))
    torso = load_platform(str(file)).groups[4]
    assert torso.kind == "joint_trajectory" and torso.controller.kind == kind
    assert torso.controller.command_name == name
    assert torso.controller.is_action is is_action


@pytest.mark.parametrize("kind", ["gripper_command", "forward_position", "joint_trajectory"])
def test_one_fraction_is_a_gripper_whatever_its_controller_takes(kind, tmp_path):
    content = copy.deepcopy(CONTENT)
    content["groups"][1]["controller"]["kind"] = kind
    content["groups"][5]["controller"].update(kind="base_twist", command="/cmd_vel")
    file = tmp_path / "robot.yaml"
    file.write_text(yaml.safe_dump(content))
    platform = load_platform(str(file))
    grippers = [group.name for group in platform.groups_of("parallel_gripper")]
    assert grippers == ["left_gripper", "right_gripper"]
    (base,) = platform.groups_of("base_velocity")
    assert base.controller.command_name == "/cmd_vel"


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_camera_may_be_mounted_turned(degrees, tmp_path):
    path = changed(("cameras", 2, "rotate"), degrees, tmp_path)
    assert load_platform(str(path)).camera("left_wrist").rotate == degrees


@pytest.mark.parametrize(
    ("topic", "info"),
    [
        ("/wrist/image_raw", "/wrist/camera_info"),
        ("/wrist/image_raw/compressed", "/wrist/camera_info"),
        ("/robot/wrist/image_rect/ffmpeg", "/robot/wrist/camera_info"),
        ("/wrist/compressed", "/wrist/camera_info"),
        ("/wrist/color/image", "/wrist/color/camera_info"),
    ],
)
def test_camera_info_stands_beside_the_picture_and_not_below_it(topic, info):
    assert Camera("wrist", topic, "f", "compressed").camera_info_topic == info
    assert Camera("wrist", topic, "f", info_topic="/else/info").camera_info_topic == "/else/info"
