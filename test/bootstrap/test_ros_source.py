"""The source of ROS 2. Distributions are folders that look like one."""

import pytest

from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.ros_source import ros_source


def fake_distribution(root, packages, python="lib/python3.12/site-packages"):
    """A prefix whose ament index lists `packages`, with rclpy in `python`."""
    index = root / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    for name in packages:
        (index / name).touch()
    if python:
        (root / python / "rclpy").mkdir(parents=True)
    return root


def test_without_ros_distro_everything_comes_from_wheels_and_the_underlay(tmp_path):
    source = ros_source({"AMENT_PREFIX_PATH": "/opt/ros/humble"}, tmp_path)
    assert source.from_wheels
    assert source.prefixes == ()
    assert source.interface_underlay() == ["control_msgs", "tf2_msgs"]
    assert source.python_underlay() == ["cv_bridge", "tf2_ros"]


def test_an_empty_ros_distro_is_none(tmp_path):
    assert ros_source({"ROS_DISTRO": ""}, tmp_path).from_wheels


def test_a_distribution_stands_in_for_all_that_it_has(tmp_path):
    base = fake_distribution(tmp_path / "jazzy", ["rclpy", "tf2_msgs", "tf2_ros_py", "cv_bridge"])
    overlay = fake_distribution(tmp_path / "overlay", ["control_msgs"], python="")
    source = ros_source(
        {"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": f"{overlay}:{base}"}, tmp_path / "own"
    )
    assert (source.distro, source.from_wheels) == ("jazzy", False)
    assert source.interface_underlay() == []
    assert source.python_underlay() == []


def test_a_bare_distribution_lacks_what_only_larger_installs_have(tmp_path):
    base = fake_distribution(tmp_path / "jazzy", ["rclpy", "tf2_msgs", "tf2_ros"])
    source = ros_source({"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": str(base)}, tmp_path / "own")
    assert source.interface_underlay() == ["control_msgs"]
    # tf2_ros is the C++ package; the Python one is tf2_ros_py.
    assert source.python_underlay() == ["cv_bridge", "tf2_ros"]


def test_what_this_checkout_built_does_not_count_as_the_distributions(tmp_path):
    own = tmp_path / "repo" / "install" / "interfaces"
    built = fake_distribution(own / "control_msgs", ["control_msgs"], python="")
    base = fake_distribution(tmp_path / "jazzy", ["rclpy"])
    source = ros_source({"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": f"{built}:{base}"}, own)
    assert source.prefixes == (base,)
    assert "control_msgs" in source.interface_underlay()


@pytest.mark.parametrize(
    ("folder", "version"),
    [
        ("lib/python3.12/site-packages", (3, 12)),
        ("local/lib/python3.10/dist-packages", (3, 10)),  # Debian packages of Humble
    ],
)
def test_the_distributions_python_is_the_one_that_rclpy_is_built_for(tmp_path, folder, version):
    base = fake_distribution(tmp_path / "ros", ["rclpy"], folder)
    source = ros_source({"ROS_DISTRO": "x", "AMENT_PREFIX_PATH": str(base)}, tmp_path / "own")
    assert source.python_version() == version


def test_ros_distro_without_rclpy_says_what_to_source(tmp_path):
    source = ros_source({"ROS_DISTRO": "jazzy"}, tmp_path)
    with pytest.raises(SetupError, match="no folder of AMENT_PREFIX_PATH holds rclpy") as caught:
        source.python_version()
    assert "source /opt/ros/jazzy/setup.bash" in caught.value.fix
