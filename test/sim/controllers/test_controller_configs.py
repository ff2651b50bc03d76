"""config/controllers agrees with the platforms, the URDF and the simulated controllers."""

import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import xacro
import yaml

from pi05_ros.foundation.resources import resource_path
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.sim.controllers.manager import ManagerConfig
from pi05_ros.sim.controllers.parallel_gripper import ParallelGripperConfig

TYPES = {
    "joint_trajectory": "joint_trajectory_controller/JointTrajectoryController",
    "parallel_gripper": "parallel_gripper_action_controller/GripperActionController",
    "base_velocity": "omni_wheel_drive_controller/OmniWheelDriveController",
    "differential": "diff_drive_controller/DiffDriveController",
}
MOCK = ManagerConfig()


@pytest.fixture(params=platform_names())
def platform(request):
    return load_platform(request.param)


@pytest.fixture
def config(platform):
    text = resource_path(f"config/controllers/{platform.name}.yaml").read_text()
    return {node: value["ros__parameters"] for node, value in yaml.safe_load(text).items()}


@pytest.fixture
def urdf(platform):
    return ElementTree.fromstring(xacro.process_file(str(resource_path(platform.urdf))).toxml())


def type_of(group):
    """Key of TYPES for a group."""
    return "differential" if group.base_axes == (0, 2) else group.kind


def base_of(platform):
    """The group of the base; a platform without one is skipped."""
    groups = platform.groups_of("base_velocity")
    if not groups:
        pytest.skip(f"{platform.name} does not drive")
    return groups[0]


def wheels_of(parameters):
    """Wheels of a base controller, anti-clockwise from the x axis or left then right."""
    if "wheel_names" in parameters:
        return parameters["wheel_names"]
    return [*parameters["left_wheel_names"], *parameters["right_wheel_names"]]


def interfaces(urdf, kind):
    """Return the command or state interfaces in the URDF's ros2_control tag, by joint."""
    return {
        joint.get("name"): [interface.get("name") for interface in joint.findall(kind)]
        for joint in urdf.find("ros2_control").findall("joint")
    }


def test_the_manager_has_the_platforms_controllers_and_no_others(platform, config):
    manager = config["controller_manager"]
    declared = {n: v["type"] for n, v in manager.items() if isinstance(v, dict)}
    assert declared.pop("joint_state_broadcaster") == (
        "joint_state_broadcaster/JointStateBroadcaster"
    )
    assert declared == {g.controller.name: TYPES[type_of(g)] for g in platform.groups}
    assert set(config) == {"controller_manager", *declared}
    assert manager["update_rate"] == MOCK.controller_rate_hz
    assert manager["enforce_command_limits"] is True


def test_trajectory_controllers(platform, config, urdf):
    commands, states = interfaces(urdf, "command_interface"), interfaces(urdf, "state_interface")
    for group in platform.groups_of("joint_trajectory"):
        parameters = config[group.controller.name]
        assert parameters["joints"] == [d.joint_name for d in group.dimensions]
        assert parameters["interpolate_from_desired_state"] is True
        for name in ("partial_joints_goal", "nonzero_velocity_at_trajectory_end"):
            assert parameters[f"allow_{name}"] is False
        assert parameters["allow_integration_in_goal_trajectories"] is False
        for joint in parameters["joints"]:
            assert commands[joint] == parameters["command_interfaces"] == ["position"]
            assert states[joint] == parameters["state_interfaces"]


def test_grippers(platform, config, urdf):
    commands = interfaces(urdf, "command_interface")
    for group in platform.groups_of("parallel_gripper"):
        parameters = config[group.controller.name]
        assert parameters["joint"] == group.dimensions[0].joint_name
        assert commands[parameters["joint"]] == ["position"]
        assert parameters["allow_stalling"] is MOCK.gripper_allow_stalling
        assert parameters["stall_timeout"] == MOCK.gripper_stall_timeout_s
        assert parameters["goal_tolerance"] == pytest.approx(
            MOCK.gripper_tolerance * abs(group.joint_open - group.joint_closed)
        )
        assert (
            parameters["stall_velocity_threshold"]
            == ParallelGripperConfig().stall_velocity_threshold
        )


def test_base(platform, config, urdf):
    group = base_of(platform)
    parameters = config[group.controller.name]
    assert parameters["cmd_vel_timeout"] == MOCK.cmd_vel_timeout_s == 0.2
    assert parameters["odom_frame_id"] == platform.odom_frame
    assert parameters["base_frame_id"] == platform.base_frame
    assert parameters["tf_frame_prefix_enable"] is False
    commands, states = interfaces(urdf, "command_interface"), interfaces(urdf, "state_interface")
    feedback = "position" if parameters["position_feedback"] else "velocity"
    for wheel in wheels_of(parameters):
        assert commands[wheel] == ["velocity"]
        assert feedback in states[wheel]


def test_wheels_stand_where_the_base_controller_believes(platform, config, urdf):
    """The kinematics of the base's controller equals what rolls on the URDF's wheels."""
    group = base_of(platform)
    parameters = config[group.controller.name]
    names = wheels_of(parameters)
    count = len(names)
    for index, name in enumerate(names):
        joint = urdf.find(f"joint[@name='{name}']")
        x, y, height = map(float, joint.find("origin").get("xyz").split())
        roll, pitch, yaw = map(float, joint.find("origin").get("rpy", "0 0 0").split())
        assert (roll, pitch) == (0.0, 0.0)
        ax, ay, az = map(float, joint.find("axis").get("xyz").split())
        axis = np.array(
            [ax * math.cos(yaw) - ay * math.sin(yaw), ax * math.sin(yaw) + ay * math.cos(yaw), az]
        )
        # A wheel of radius r that turns at w about its axis moves at w·r·(axis × up).
        forward = np.cross(axis, [0.0, 0.0, 1.0])[:2]
        rolls = np.array([*forward, x * forward[1] - y * forward[0]]) / height
        if type_of(group) == "differential":
            side = (-0.5, 0.5)[index] * parameters["wheel_separation"]
            believed = np.array([1.0, 0.0, side]) / parameters["wheel_radius"]
            np.testing.assert_allclose(rolls, believed, atol=1e-9)
            continue
        angle = 2 * math.pi * index / count + parameters["wheel_offset"]
        believed = (
            np.array([math.sin(angle), -math.cos(angle), -parameters["robot_radius"]])
            / parameters["wheel_radius"]
        )
        np.testing.assert_allclose(rolls, believed, atol=1e-9)
