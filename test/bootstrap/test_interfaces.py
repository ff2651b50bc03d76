"""The interface packages: what their key holds, how they are built, and when they need not be."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pi05_ros.bootstrap import interfaces
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.setup_context import SetupContext
from pi05_ros.bootstrap.terminal import Terminal

ROOT = Path(__file__).parents[2]
WHEELS = RosSource("jazzy", (), from_wheels=True)
DISTRIBUTION = RosSource("jazzy", (Path("/opt/ros/jazzy"),), from_wheels=False)
NAMES = ["pi05_msgs", "control_msgs", "tf2_msgs"]


def clone(root):
    """A copy of the parts of the checkout that the build reads."""
    for name in ("requirements", "pi05_msgs", "underlay"):
        shutil.copytree(ROOT / name, root / name)
    checkout = Checkout(root)
    checkout.python.parent.mkdir(parents=True)
    checkout.python.symlink_to(sys.executable)
    return checkout


class FakeBuild(SetupContext):
    """A context whose colcon writes a package.xml a package."""

    def run(self, command, log_name, env=None):
        self.commands.append([str(word) for word in command])
        self.makeflags = env["MAKEFLAGS"]
        for name in NAMES:
            share = self.checkout.interfaces / name / "share" / name
            share.mkdir(parents=True)
            (share / "package.xml").write_text(str(self.checkout.root))


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setattr(interfaces, "check_tools", lambda *_: None)
    monkeypatch.setattr(interfaces, "find_python", lambda _: Path("/usr/bin/python3"))
    return made(tmp_path, "one")


def made(tmp_path, name, source=WHEELS, **environ):
    environ = {"PI05_CACHE": str(tmp_path / "cache"), "PATH": "/bin", **environ}
    found = FakeBuild(clone(tmp_path / name), source, environ, Terminal(io.StringIO()))
    found.commands = []
    return found


def test_a_second_clone_takes_what_the_first_one_built(tmp_path, context):
    interfaces.install(context)
    assert len(context.commands) == 1
    second = made(tmp_path, "two")
    interfaces.install(second)
    assert second.commands == []
    package = second.checkout.interfaces / "tf2_msgs" / "share" / "tf2_msgs" / "package.xml"
    assert package.read_text() == str(second.checkout.root)
    assert [p.name for p in second.checkout.installed_interfaces()] == sorted(NAMES)


def test_a_changed_definition_is_built(tmp_path, context):
    interfaces.install(context)
    second = made(tmp_path, "two")
    message = second.checkout.root / "underlay" / "tf2_msgs" / "msg" / "TFMessage.msg"
    message.write_text(f"{message.read_text()}bool another_field\n")
    interfaces.install(second)
    assert len(second.commands) == 1


def test_what_was_installed_before_is_gone(context):
    old = context.checkout.interfaces / "old_msgs" / "share" / "old_msgs"
    old.mkdir(parents=True)
    interfaces.install(context)
    assert not old.exists()


def test_a_cache_that_cannot_be_written_is_reported(tmp_path, context):
    (tmp_path / "cache").write_text("a file where the folder should be")
    interfaces.install(context)
    assert "the interfaces are not cached" in context.terminal._stream.getvalue()
    assert len(context.checkout.installed_interfaces()) == 3


@pytest.mark.parametrize(
    ("file", "before", "after", "changes"),
    [
        ("requirements/ros-jazzy.txt", "ros-rclpy==7.1.6", "ros-rclpy==7.1.7", True),
        ("requirements/rosdep.txt", "numpy==2.2.6", "numpy==2.2.7", True),
        ("requirements/build.txt", "colcon-core==0.21.3", "colcon-core==0.21.4", True),
        ("underlay/rclpy_only.cmake", "find_package", "FIND_PACKAGE", True),
        ("pi05_msgs/msg/Subtask.msg", "string text", "string words", True),
        ("requirements/rosdep.txt", "pillow==12.3.0", "pillow==12.3.1", False),
        ("requirements/build.txt", "# the build tool of ROS 2", "# another comment", False),
        ("underlay/README.md", "# What", "# Whatever", False),
    ],
)
def test_the_key_holds_all_inputs_and_no_others(tmp_path, file, before, after, changes):
    checkout = clone(tmp_path / "repo")
    first = interfaces.content_key(checkout, WHEELS)
    path = checkout.root / file
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    assert (interfaces.content_key(checkout, WHEELS) != first) == changes


def test_the_step_is_done_again_where_the_folder_was_moved(tmp_path):
    first, second = clone(tmp_path / "one"), clone(tmp_path / "two")
    assert interfaces.content_key(first, WHEELS) == interfaces.content_key(second, WHEELS)
    assert interfaces.key(first, WHEELS) != interfaces.key(second, WHEELS)


def test_wheels_are_built_for_rclpy_alone(context, monkeypatch):
    monkeypatch.setattr(interfaces, "_cores", lambda: 4)
    interfaces.install(context)
    (command,) = context.commands
    root = context.checkout.root
    assert command[0] == f"{root}/.venv/bin/colcon"
    start = command.index("--packages-select") + 1
    assert command[start : start + 3] == NAMES
    assert "-DCMAKE_CXX_FLAGS=-O0" in command
    assert f"-DCMAKE_PROJECT_INCLUDE={root}/underlay/rclpy_only.cmake" in command
    assert context.makeflags == "-j4"
    assert "--executor" not in command
    assert (root / "underlay" / "rclpy_only.cmake").is_file()


def test_a_distribution_gets_complete_packages_and_no_cache(tmp_path, context):
    for name in ("two", "three"):
        robot = made(tmp_path, name, DISTRIBUTION)
        interfaces.install(robot)
        (command,) = robot.commands
        assert command[0] == "colcon"
        assert "-DCMAKE_BUILD_TYPE=Release" in command
        assert not any("PROJECT_INCLUDE" in word or "-O0" in word for word in command)
    assert not (tmp_path / "cache").exists()


def test_one_compiler_at_a_time_is_one_package_at_a_time(tmp_path, context):
    scarce = made(tmp_path, "two", MAKEFLAGS="-j1")
    interfaces.install(scarce)
    (command,) = scarce.commands
    assert scarce.makeflags == "-j1"
    assert command[command.index("--executor") + 1] == "sequential"


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_only_the_cpp_generators_are_left_out(tmp_path):
    """CMake's own run, with the registration of ament_cmake_core in a few lines."""
    core = tmp_path / "core"
    core.mkdir()
    (core / "ament_cmake_coreConfig.cmake").write_text(
        "macro(ament_register_extension point package file)\n"
        '  list(APPEND AMENT_EXTENSIONS_${point} "${package}:${file}")\n'
        "endmacro()\n"
    )
    generators = [
        "rosidl_generator_type_description",
        "rosidl_generator_c",
        "rosidl_generator_cpp",
        "rosidl_typesupport_fastrtps_c",
        "rosidl_typesupport_fastrtps_cpp",
        "rosidl_typesupport_introspection_c",
        "rosidl_typesupport_introspection_cpp",
        "rosidl_typesupport_c",
        "rosidl_typesupport_cpp",
        "rosidl_generator_py",
    ]
    calls = [
        f"ament_register_extension(rosidl_generate_idl_interfaces {name} generate.cmake)"
        for name in generators
    ]
    (tmp_path / "CMakeLists.txt").write_text(
        "\n".join(
            [
                "cmake_minimum_required(VERSION 3.15)",
                "project(messages NONE)",
                *calls,
                "ament_register_extension(another_point some_cpp file.cmake)",
                'message("${AMENT_EXTENSIONS_rosidl_generate_idl_interfaces}")',
                'message("${AMENT_EXTENSIONS_another_point}")',
            ]
        )
    )
    hook = ROOT / "underlay" / "rclpy_only.cmake"
    options = [f"-Dament_cmake_core_DIR={core}", f"-DCMAKE_PROJECT_INCLUDE={hook}"]
    command = ["cmake", "-S", tmp_path, "-B", tmp_path / "build", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    registered, other = done.stderr.splitlines()[:2]
    assert registered.split(";") == [
        f"{name}:generate.cmake" for name in generators if not name.endswith("_cpp")
    ]
    assert other == "some_cpp:file.cmake"
