"""What setup.py installs, read from setup.py itself."""

import os
import runpy
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import setuptools

from pi05_ros.nodes import executables

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def told():
    """The arguments that setup.py gives to setuptools."""
    given = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, "setup", lambda **arguments: given.update(arguments))
        patch.chdir(ROOT)
        runpy.run_path("setup.py")
    return given


def test_every_node_that_can_run_is_an_executable(told):
    nodes = {
        path.stem
        for path in (ROOT / "pi05_ros" / "nodes").glob("*/*.py")
        if "\ndef main(" in path.read_text()
    }
    scripts = dict(line.split(" = ") for line in told["entry_points"]["console_scripts"])
    assert scripts.pop("pi05") == "pi05_ros.cli.main:main"
    assert scripts == {name: f"pi05_ros.nodes.executables:{name}" for name in nodes}
    assert all(getattr(executables, name).args == (name,) for name in nodes)


def test_every_python_folder_is_a_package_that_is_installed(told):
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "pi05_ros").rglob("*.py")
    }
    assert set(told["packages"]) == folders


def test_every_shipped_file_is_installed_where_the_suite_looks_for_it(told):
    installed = {
        f"{folder}/{Path(file).name}": file
        for folder, files in told["data_files"]
        for file in files
    }
    assert "share/ament_index/resource_index/packages/pi05_ros" in installed
    assert "share/pi05_ros/package.xml" in installed
    for folder in ("config", "urdf"):
        files = [p for p in (ROOT / folder).rglob("*") if p.is_file()]
        assert files
        for path in files:
            assert f"share/pi05_ros/{path.relative_to(ROOT)}" in installed
    for path in (ROOT / "launch").glob("*.launch.py"):
        assert f"share/pi05_ros/launch/{path.name}" in installed
    assert all(os.path.isfile(ROOT / file) for file in installed.values())


def test_package_xml_and_setup_py_agree(told):
    tree = ElementTree.parse(ROOT / "package.xml").getroot()
    for tag in ("name", "version", "license"):
        assert tree.findtext(tag) == told[tag]


def test_every_ros_package_that_is_imported_is_a_dependency():
    """Otherwise rosdep on a robot would forget it."""
    tree = ElementTree.parse(ROOT / "package.xml").getroot()
    known = {element.text for element in tree.findall("exec_depend")} | {"pi05_ros"}
    # The Python module tf2_ros is in the ROS package tf2_ros_py.
    known |= {"tf2_ros"} if "tf2_ros_py" in known else set()
    imported = set()
    for folder in ("pi05_ros", "launch"):
        for path in (ROOT / folder).rglob("*.py"):
            for line in path.read_text().splitlines():
                words = line.split()
                if words[:1] in (["from"], ["import"]) and len(words) > 1:
                    imported.add(words[1].partition(".")[0])
    ros = {name for name in imported if name.endswith(("_msgs", "_srvs", "_interfaces"))}
    ros |= imported & {"rclpy", "cv_bridge", "tf2_ros", "launch", "launch_ros", "xacro"}
    assert ros - known == set()
