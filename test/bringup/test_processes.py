"""The graph as processes: commands as ROS reads them."""

import sys

import pytest
import yaml

from pi05_ros.bringup.graph import NodeSpec
from pi05_ros.bringup.processes import parameter_text, process_specs, ros_arguments
from pi05_ros.errors import ConfigError


def test_ros_arguments():
    spec = NodeSpec(
        name="x",
        executable="x",
        namespace="/a",
        parameters={"task": 'say "12": now', "home": 3, "sim": True, "nodes": ["a", "b"]},
        parameter_files=("/p.yaml",),
        remappings=(("in", "/out"),),
        log_level="a:=debug",
    )
    assert ros_arguments(spec) == (
        "--ros-args", "-r", "__ns:=/a", "-r", "in:=/out", "--params-file", "/p.yaml",
        "-p", 'task:="say \\"12\\": now"', "-p", "home:=3", "-p", "sim:=true",
        "-p", 'nodes:=["a", "b"]', "--log-level", "a:=debug",
    )  # fmt: skip
    assert ros_arguments(NodeSpec(name="x", executable="x")) == ()


@pytest.mark.parametrize("value", ["yes", "12", "", "a: b # c", "ä\\n", True, 0, 1.5, ["x", "1"]])
def test_a_parameter_keeps_its_value_and_type(value):
    back = yaml.safe_load(parameter_text(value))
    assert back == value
    assert type(back) is type(value)


def test_own_nodes_run_as_modules_with_the_environment_of_their_spec():
    spec = NodeSpec(
        name="b", executable="brain", arguments=("-v",), environment={"A": "1"}, on_exit="ignore"
    )
    (process,) = process_specs([spec], {})
    assert process.command == (sys.executable, "-m", "pi05_ros.nodes", "brain", "-v")
    assert process.environment["A"] == "1"
    assert process.environment["PYTHONUNBUFFERED"] == "1"
    assert process.on_exit == "ignore"


def test_other_packages_come_from_the_ament_prefixes(tmp_path):
    program = tmp_path / "lib" / "rviz2" / "rviz2"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    spec = NodeSpec(name="rviz", executable="rviz2", package="rviz2")
    (process,) = process_specs([spec], {"AMENT_PREFIX_PATH": f":/nowhere:{tmp_path}"})
    assert process.command == (str(program),)
    with pytest.raises(ConfigError, match="needs the ROS 2 package rviz2, which is not installed"):
        process_specs([spec], {"AMENT_PREFIX_PATH": "/nowhere"})
