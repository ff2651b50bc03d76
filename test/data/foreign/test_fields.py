"""Numbers of messages, found by the keys of a mapping."""

import re
from types import SimpleNamespace

import pytest

from pi05_ros.data.foreign.fields import FieldError, reader_of, source_problem
from pi05_ros.data.foreign.mapping import Source

JOINTS, TRAJECTORY = "sensor_msgs/msg/JointState", "trajectory_msgs/msg/JointTrajectory"


def read(kind, message, *picks):
    return reader_of(kind, [Source("/t", **pick) for pick in picks])(message)


def test_joints_are_found_by_name_whatever_their_order():
    message = SimpleNamespace(
        name=["b", "a"], position=[2.0, 1.0], velocity=[20.0, 10.0], effort=[]
    )
    picks = [{"joint": "a"}, {"joint": "b", "field": "velocity"}, {"joint": "c"}]
    assert read(JOINTS, message, *picks) == [1.0, 20.0, None]
    with pytest.raises(FieldError, match="wanted effort of joint 'a', found 0 values for 2 names"):
        read(JOINTS, message, {"joint": "a", "field": "effort"})


def test_a_trajectory_has_a_first_and_a_last_point():
    points = [SimpleNamespace(positions=[1.0]), SimpleNamespace(positions=[2.0])]
    message = SimpleNamespace(joint_names=["a"], points=points)
    picks = [{"joint": "a"}, {"joint": "a", "point": "last"}]
    assert read(TRAJECTORY, message, *picks) == [1.0, 2.0]
    assert read(TRAJECTORY, SimpleNamespace(joint_names=["a"], points=[]), *picks) == [None, None]


def test_velocities_are_found_in_every_message_that_wraps_them():
    twist = SimpleNamespace(linear=SimpleNamespace(x=0.3), angular=SimpleNamespace(z=-0.1))
    pick = {"field": "angular.z"}
    stamped = SimpleNamespace(twist=twist)
    assert read("geometry_msgs/msg/Twist", twist, pick) == [-0.1]
    assert read("geometry_msgs/msg/TwistStamped", stamped, pick) == [-0.1]
    assert read("nav_msgs/msg/Odometry", SimpleNamespace(twist=stamped), pick) == [-0.1]


def test_elements_axes_buttons_and_paths():
    joy = SimpleNamespace(axes=[0.5, -1.0], buttons=[0, 1])
    assert read("sensor_msgs/msg/Joy", joy, {"axis": 1}, {"button": 1}) == [-1.0, 1.0]
    array = SimpleNamespace(data=[1.0, 2.0])
    assert read("std_msgs/msg/Float32MultiArray", array, {"index": 1}) == [2.0]
    with pytest.raises(FieldError, match=r"wanted data\[2\], found 2 of them"):
        read("std_msgs/msg/Float32MultiArray", array, {"index": 2})
    pose = SimpleNamespace(pose=SimpleNamespace(values=[4.0, 5.0]))
    assert read("other_msgs/msg/Pose", pose, {"field": "pose.values[1]"}) == [5.0]
    with pytest.raises(FieldError, match="there is no element 2 of 'values'"):
        read("other_msgs/msg/Pose", pose, {"field": "pose.values[2]"})
    with pytest.raises(FieldError, match=r"'pose' is no number"):
        read("other_msgs/msg/Pose", pose, {"field": "pose"})


@pytest.mark.parametrize(
    "kind, pick, message",
    [
        (JOINTS, {"index": 1}, "wanted `joint` for .*JointState, found `index`"),
        (JOINTS, {"joint": "a", "field": "positon"}, "did you mean 'position'"),
        (JOINTS, {"joint": "a", "field": "acceleration"}, "wanted one of position, velocity"),
        ("sensor_msgs/msg/Joy", {"field": "axes"}, "wanted `axis` or `button`"),
        ("std_msgs/msg/Float64MultiArray", {"joint": "a"}, "wanted `index`"),
        ("geometry_msgs/msg/Twist", {}, r"wanted `field` \(such as linear.x\).*found none"),
        ("other_msgs/msg/Pose", {"field": "a..b"}, "is no path such as"),
    ],
)
def test_a_key_that_does_not_fit_the_type_is_named(kind, pick, message):
    assert re.search(message, source_problem(kind, Source("/t", **pick)))


def test_keys_that_fit_have_no_problem():
    assert source_problem(TRAJECTORY, Source("/t", joint="a", field="acceleration")) == ""
    assert source_problem("sensor_msgs/msg/Joy", Source("/t", button=0)) == ""
