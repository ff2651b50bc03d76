"""The choice of Python, and the machines that have wheels."""

import sys
from pathlib import Path

import pytest

from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.pythons import check_machine, find_python
from pi05_ros.bootstrap.ros_source import RosSource, ros_source

WHEELS = RosSource("jazzy", (), from_wheels=True)


def on_path(*names):
    """A PATH that holds these programs in /usr/bin."""
    known = {Path(name).name: f"/usr/bin/{name}" for name in names}
    return lambda name: known.get(Path(name).name)


def test_the_running_python_is_taken_if_it_fits():
    assert find_python(WHEELS, (3, 11), on_path("python3.12")) == Path(sys.executable)


def test_a_python_without_wheels_gives_way_to_one_with(tmp_path):
    found = find_python(WHEELS, (3, 14), on_path("python3.10", "python3.12"))
    assert found == Path("/usr/bin/python3.12")


def test_a_distribution_wants_its_own_python(tmp_path):
    (tmp_path / "lib/python3.12/site-packages/rclpy").mkdir(parents=True)
    source = ros_source(
        {"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": str(tmp_path)}, tmp_path / "o"
    )
    assert find_python(source, (3, 12), on_path()) == Path(sys.executable)
    found = find_python(source, (3, 11), on_path("python3.12", "python3.13"))
    assert found == Path("/usr/bin/python3.12")
    with pytest.raises(SetupError, match=r"Expected Python 3\.12 for ROS 2 jazzy") as caught:
        find_python(source, (3, 11), on_path("python3.13"))
    assert "python3.12-venv" in caught.value.fix


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "aarch64")])
def test_a_machine_without_wheels_is_sent_to_a_distribution(system, machine):
    with pytest.raises(SetupError, match=f"{system} on {machine}") as caught:
        check_machine(WHEELS, system, machine)
    assert "setup.bash" in caught.value.fix
    check_machine(RosSource("jazzy", (Path("/opt"),), from_wheels=False), system, machine)


def test_linux_on_a_pc_has_wheels():
    check_machine(WHEELS, "linux", "x86_64")
