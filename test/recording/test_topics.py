"""The choice of topics to record."""

import dataclasses

import pytest
from fakes.robots import RobotKind, make_robot

from pi05_ros.platforms.platform import load_platform, robot_names
from pi05_ros.recording.topics import NO_PUBLISHER, TopicChoice, TopicRules, is_hidden, rules_for

IMAGE, JPEG = ("sensor_msgs/msg/Image",), ("sensor_msgs/msg/CompressedImage",)
ANY = ("std_msgs/msg/String",)


@pytest.fixture
def platform():
    return load_platform("mobile_18dof")


def choose(rules, *names, **typed):
    return TopicChoice(rules).choose(dict.fromkeys(names, ANY) | typed)


def test_every_topic_of_the_suite_is_recorded_and_others_are_not():
    rules = TopicRules("/pi05")
    names = ("/pi05/subtask", "/pi05/a/b", "/pi05x/subtask", "/rosout", "/parameter_events")
    assert choose(rules, *names) == {"/pi05/subtask": "", "/pi05/a/b": ""}


def test_the_inspectors_drawings_are_recorded_on_request_only():
    """A subscription of the recorder would keep the inspector drawing."""
    names = ("/pi05/inspector/markers", "/pi05/inspector/front/annotated", "/pi05/inspect")
    assert choose(TopicRules("/pi05"), *names) == {"/pi05/inspect": ""}
    asked = TopicRules("/pi05", include="/pi05/inspector/markers")
    assert set(choose(asked, *names)) == {"/pi05/inspect", "/pi05/inspector/markers"}


def test_without_a_namespace_only_what_is_named_is_recorded():
    assert choose(TopicRules("/", optional=("/tf",)), "/tf", "/else") == {"/tf": ""}


def test_hidden_topics_are_left_out_wherever_they_are():
    assert is_hidden("/pi05/execute_task/_action/feedback")
    assert is_hidden("/_x")
    assert not is_hidden("/a_b/c_")
    assert choose(TopicRules("/pi05", include=".*"), "/pi05/x/_action/status", "/a") == {"/a": ""}


def test_include_and_exclude_match_whole_names_and_exclude_takes_precedence():
    rules = TopicRules("/pi05", include="/lidar/.*|/gps", exclude="/pi05/camera_set|/lidar/raw")
    names = ("/lidar/points", "/lidar/raw", "/gps", "/gps2", "/pi05/camera_set", "/pi05/subtask")
    assert set(choose(rules, *names)) == {"/lidar/points", "/gps", "/pi05/subtask"}


def test_a_wrong_expression_is_refused_by_name():
    with pytest.raises(ValueError, match="exclude: not a regular expression"):
        TopicRules("/pi05", exclude="(")


def test_publishers_that_disagree_on_a_type_are_reported():
    found = TopicChoice(TopicRules("/pi05")).choose({"/pi05/x": ("a/msg/A", "b/msg/B")})
    assert found == {"/pi05/x": "its publishers disagree on its type: a/msg/A, b/msg/B"}


@pytest.mark.parametrize("name", robot_names())
def test_an_expected_topic_without_a_publisher_is_reported(name):
    robot = load_platform(name)
    found = TopicChoice(rules_for(robot, "/pi05", simulated=True)).choose({})
    assert set(found.values()) == {NO_PUBLISHER}
    commands = {g.controller.command_name for g in robot.groups if g.kind != "parallel_gripper"}
    assert set(found) - commands == {
        "/joint_states",
        "/odom",
        "/clock",
        *(camera.topic + "/compressed" for camera in robot.cameras),
    }
    assert commands < set(found)
    assert not any("gripper" in topic for topic in found)


def test_a_robot_without_a_base_has_no_odometry_to_wait_for(tmp_path):
    robot = make_robot(tmp_path, RobotKind(base=""))
    assert "/odom" not in TopicChoice(rules_for(robot, "/pi05")).choose({})


def test_on_a_robot_the_clock_is_no_part_of_an_episode(platform):
    assert "/clock" not in TopicChoice(rules_for(platform, "/pi05")).choose({"/clock": ANY})


def test_the_devices_of_teleoperation_are_recorded_when_they_publish(platform):
    rules = rules_for(platform, "/pi05")
    names = ("/joy", "/left_leader/joint_states", "/leader/clutch", "/hands/joy", "/some/joy")
    chosen = choose(rules, *names)
    assert {name for name in names if name in chosen} == set(names) - {"/some/joy"}
    assert chosen["/joy"] == ""
    unheard = choose(rules)
    assert "/joy" not in unheard


def test_tf_infos_and_diagnostics_are_optional(platform):
    rules = rules_for(platform, "/pi05")
    welcome = ("/tf", "/tf_static", "/diagnostics", "/front_camera/camera_info")
    found = choose(rules, *welcome)
    assert all(found[name] == "" for name in welcome)
    assert not set(welcome) & set(TopicChoice(rules).choose({}))


FRONT = "/front_camera/image_raw"


@pytest.mark.parametrize(
    ("images", "offered", "recorded"),
    [
        ("auto", {FRONT: IMAGE, FRONT + "/compressed": JPEG}, FRONT + "/compressed"),
        ("auto", {FRONT: IMAGE}, FRONT),
        ("raw", {FRONT: IMAGE, FRONT + "/compressed": JPEG}, FRONT),
        ("compressed", {FRONT: IMAGE, FRONT + "/compressed": JPEG}, FRONT + "/compressed"),
    ],
)
def test_one_form_of_a_cameras_pictures_is_recorded(platform, images, offered, recorded):
    choice = TopicChoice(rules_for(platform, "/pi05", images=images))
    found = choice.choose(offered)
    assert [t for t in found if t.startswith(FRONT)] == [recorded]
    assert found[recorded] == ""
    assert choice.cameras == {"front": recorded}


def test_a_requested_transport_without_a_publisher_is_reported(platform):
    choice = TopicChoice(rules_for(platform, "/pi05", images="compressed"))
    found = choice.choose({FRONT: IMAGE})
    assert found[FRONT + "/compressed"] == NO_PUBLISHER
    assert FRONT not in found
    assert choice.cameras == {}


def test_a_cameras_topic_does_not_change_during_an_episode(platform):
    choice = TopicChoice(rules_for(platform, "/pi05"))
    choice.choose({FRONT: IMAGE})
    found = choice.choose({FRONT: IMAGE, FRONT + "/compressed": JPEG})
    assert FRONT in found
    assert FRONT + "/compressed" not in found


def test_both_transports_are_recorded_by_name(platform):
    rules = rules_for(platform, "/pi05", include=FRONT)
    found = TopicChoice(rules).choose({FRONT: IMAGE, FRONT + "/compressed": JPEG})
    assert found[FRONT] == found[FRONT + "/compressed"] == ""


def test_an_excluded_camera_is_not_reported_missing(platform):
    found = TopicChoice(rules_for(platform, "/pi05", exclude="/back_camera/.*")).choose({})
    assert not any(topic.startswith("/back_camera") for topic in found)


def test_a_compressed_topic_by_another_name_is_taken_as_it_is(platform):
    camera = dataclasses.replace(platform.cameras[0], topic="/cam/jpeg", transport="compressed")
    robot = dataclasses.replace(platform, cameras=(camera, *platform.cameras[1:]))
    choice = TopicChoice(rules_for(robot, "/pi05"))
    assert choice.choose({"/cam/jpeg": JPEG})["/cam/jpeg"] == ""
    with pytest.raises(ValueError, match="only compressed pictures of 'front'"):
        rules_for(robot, "/pi05", images="raw")
