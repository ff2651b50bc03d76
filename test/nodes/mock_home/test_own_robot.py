"""The mock home's messages of robots that do not ship: joints, base frame, ground truth."""

import logging

import pytest

pytest.importorskip("rclpy")

from fakes.robots import RobotKind, make_robot
from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage

from pi05_ros.errors import ConfigError, MessageError
from pi05_ros.nodes.brain_common.observation_inputs import scene_from_message
from pi05_ros.nodes.mock_home.outputs import broadcast_joints
from pi05_ros.platforms.description import load_urdf
from pi05_ros.platforms.urdf import parse_urdf

LOG = logging.getLogger("mock_home")


def test_without_a_ros2_control_tag_all_joints_that_move_are_reported(tmp_path, caplog):
    platform = make_robot(tmp_path, RobotKind(joints=5, tag=False))
    names = broadcast_joints(platform, load_urdf(platform), LOG)
    assert names == [*(f"arm_joint_{k}" for k in range(1, 6)), "gripper_finger_joint"]
    assert "robot.urdf has no <ros2_control> tag" in caplog.text


def test_with_the_tag_it_is_the_tag_that_counts(tmp_path, caplog):
    platform = make_robot(tmp_path, RobotKind(joints=5, head=True))
    names = broadcast_joints(platform, load_urdf(platform), LOG)
    assert names[-1] == "pan" and len(names) == 7 and not caplog.text


def test_a_tag_that_lacks_a_joint_or_names_another_is_refused(tmp_path):
    platform = make_robot(tmp_path, RobotKind(joints=5))
    text = (tmp_path / "robot.urdf").read_text()
    tagged = '<joint name="arm_joint_4"><state_interface name="position"/></joint>'
    with pytest.raises(ConfigError, match="no <ros2_control> tag has a .* for arm_joint_4: joi"):
        broadcast_joints(platform, parse_urdf(text.replace(tagged, ""), "x"), LOG)
    more = text.replace(tagged, tagged + tagged.replace("arm_joint_4", "elbow"))
    with pytest.raises(ConfigError, match="tag names elbow, and the URDF has no such joint"):
        broadcast_joints(platform, parse_urdf(more, "x"), LOG)


def truth(*names):
    transforms = [TransformStamped(child_frame_id=name) for name in names]
    for transform in transforms:
        transform.transform.rotation.w = 1.0
        transform.header.stamp.sec = 3
    return TFMessage(transforms=transforms)


def test_the_base_in_the_ground_truth_has_the_name_of_the_platforms_frame():
    message = truth("home_4/kitchen/base_footprint", "home_4/kitchen/cup")
    stamp_ns, scene = scene_from_message(message, "base_footprint")
    assert (stamp_ns, scene.home, scene.room) == (3 * 10**9, 4, "kitchen")
    assert set(scene.objects) == {"cup"}
    with pytest.raises(MessageError, match="the transform of 'base_link' is missing; start the"):
        scene_from_message(message, "base_link")
