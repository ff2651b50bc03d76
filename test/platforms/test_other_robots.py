"""Robots that are not like the first two: their vectors, and what their URDF says of them."""

import dataclasses
import re

import numpy as np
import pytest
import yaml
from fakes.robots import RobotKind, make_robot

from pi05_ros.control.bridge import Bridge
from pi05_ros.control.measurement import StateAssembler
from pi05_ros.errors import ConfigError
from pi05_ros.evaluation.bridged_robot import joint_states
from pi05_ros.platforms.description import (
    arm_groups,
    description_path,
    load_urdf,
    mesh_path,
    tool_links,
    torso_groups,
    unreported_joints,
)
from pi05_ros.platforms.platform import load_platform

TWO = {"arms": ("port", "starboard"), "grippers": ("hand_1", "hand_2")}
KINDS = [
    RobotKind(),
    RobotKind(joints=5, base=""),
    RobotKind(joints=6, base="holonomic", torso=True),
    RobotKind(joints=6, torso=True, head=True, tag=False),
    RobotKind(**TWO, joints=7, torso=True, base_frame="base_footprint"),
    RobotKind(**TWO, joints=5, base=""),
]


def sized(kind):
    """Entries of the vector of a kind."""
    base = {"holonomic": 3, "differential": 2, "": 0}[kind.base]
    return len(kind.arms) * (kind.joints + 1) + kind.torso + kind.head + base


@pytest.fixture(params=KINDS, ids=str)
def robot(request, tmp_path):
    return request.param, make_robot(tmp_path, request.param)


def test_the_vector_has_what_the_robot_has(robot):
    kind, platform = robot
    assert platform.size == sized(kind) == len(platform.home)
    assert platform.is_velocity.sum() == len(platform.base_axes)
    assert (
        platform.base_axes == {"holonomic": (0, 1, 2), "differential": (0, 2), "": ()}[kind.base]
    )


def test_what_is_measured_comes_back_in_the_vector(robot):
    kind, platform = robot
    state = platform.home + 0.01 * np.arange(platform.size) * ~np.array(
        [d.unit == "fraction" for d in platform.dimensions]
    )
    assembler = StateAssembler(platform, max_jump=10.0)
    assembler.add_joint_states(*joint_states(platform, state), 1, 1)
    twist = platform.base_twist(state)
    assembler.add_odometry(twist.tolist(), 1, 1)
    np.testing.assert_allclose(assembler.measurement().values, state, atol=1e-12)
    assert (twist[1] == 0.0) is not (kind.base == "holonomic")


def test_a_bridge_of_any_robot_arms_and_holds(robot):
    _, platform = robot
    bridge = Bridge(platform, 1)
    names, positions = joint_states(platform, platform.home)
    for now in range(10**9, 2 * 10**9, 20_000_000):
        bridge.add_joint_states(names, positions, now, now)
        bridge.add_odometry((0.0, 0.0, 0.0), now, now)
        tick = bridge.tick(now, now)
    assert tick.measurement is not None
    np.testing.assert_allclose(tick.measurement.values, platform.home, atol=1e-12)


def test_twists_of_a_differential_base_have_no_vy():
    platform = load_platform("mobile_10dof")
    rows = np.zeros((4, 10))
    rows[:, 8], rows[:, 9] = 0.3, -0.5
    np.testing.assert_array_equal(platform.base_twist(rows), [[0.3, 0.0, -0.5]] * 4)
    assert platform.base_twist(rows[0]).shape == (3,)


def test_arms_and_torso_are_found_by_what_they_carry(robot):
    kind, platform = robot
    urdf = load_urdf(platform)
    arms = {name: [g.name for g in groups] for name, groups in arm_groups(platform, urdf).items()}
    assert arms == {g: [a] for g, a in zip(kind.grippers, kind.arms, strict=True)}
    assert [g.name for g in torso_groups(platform, urdf)] == ["torso"] * kind.torso
    assert urdf.root == kind.base_frame
    assert unreported_joints(platform, urdf) == ()
    assert set(joint_states(platform, platform.home)[0]) <= set(urdf.reported_joints())


def test_an_arm_of_two_controllers_is_one_arm(tmp_path):
    platform = make_robot(tmp_path, RobotKind(**TWO, joints=6, torso=True))
    arm = platform.groups[1]
    halves = tuple(
        dataclasses.replace(
            arm,
            name=name,
            controller=dataclasses.replace(arm.controller, name=f"{name}_controller"),
            dimensions=part,
        )
        for name, part in (("upper", arm.dimensions[:3]), ("lower", arm.dimensions[3:]))
    )
    groups = (platform.groups[0], *halves, *platform.groups[2:])
    split = dataclasses.replace(platform, groups=groups)
    object.__setattr__(split, "source", platform.source)
    found = arm_groups(split, load_urdf(split))
    assert [group.name for group in found["hand_1"]] == ["upper", "lower"]
    assert [group.name for group in torso_groups(split, load_urdf(split))] == ["torso"]


def rewrite(platform, **values):
    """Change keys of a robot's YAML and load it again."""
    with open(platform.source) as file:
        content = yaml.safe_load(file) | values
    with open(platform.source, "w") as file:
        yaml.safe_dump(content, file)
    return load_platform(platform.source)


def test_a_base_of_other_units_is_refused_with_the_two_that_there_are(tmp_path):
    platform = make_robot(tmp_path)
    group = yaml.safe_load((tmp_path / "my_robot.yaml").read_text())["groups"][-1]
    group["dimensions"] = group["dimensions"][:1]
    said = "vx, vy [m/s] and wz [rad/s], or vx and wz for a differential base; found m/s"
    with pytest.raises(ConfigError, match=re.escape(said)):
        rewrite(platform, groups=[group])


def test_a_velocity_of_zero_says_to_leave_the_dimension_out(tmp_path):
    platform = make_robot(tmp_path, RobotKind(base="holonomic"))
    group = yaml.safe_load((tmp_path / "my_robot.yaml").read_text())["groups"][-1]
    group["dimensions"][1]["max_velocity"] = 0
    with pytest.raises(ConfigError, match="base_vy: .*; leave a dimension out that cannot move"):
        rewrite(platform, groups=[group])


def test_the_urdf_is_looked_for_beside_the_yaml_first(tmp_path, monkeypatch):
    platform = make_robot(tmp_path)
    monkeypatch.chdir("/")
    assert description_path(load_platform(platform.source)) == tmp_path / "robot.urdf"
    assert description_path(load_platform("mobile_18dof")).name == "mobile_18dof.urdf.xacro"
    missing = rewrite(platform, urdf="robo.urdf")
    said = f"urdf: 'robo.urdf' is neither a file beside it ({tmp_path}) nor in the suite"
    with pytest.raises(ConfigError, match=re.escape(said)):
        description_path(missing)


def test_a_xacro_file_with_an_error_is_one_line(tmp_path):
    platform = rewrite(make_robot(tmp_path), urdf="robot.urdf.xacro")
    xacro = '<robot xmlns:xacro="http://www.ros.org/wiki/xacro"><link name="${1 / 0}"/></robot>'
    (tmp_path / "robot.urdf.xacro").write_text(xacro)
    with pytest.raises(ConfigError, match="robot.urdf.xacro: xacro: division by zero") as caught:
        load_urdf(platform)
    assert "\n" not in str(caught.value)


def test_a_urdf_of_a_package_is_found_in_its_workspace(tmp_path, monkeypatch):
    share = tmp_path / "install" / "share" / "my_description"
    share.mkdir(parents=True)
    platform = make_robot(tmp_path)
    (tmp_path / "robot.urdf").rename(share / "robot.urdf")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install"))
    packaged = rewrite(platform, urdf="package://my_description/robot.urdf")
    assert description_path(packaged) == share / "robot.urdf"
    with pytest.raises(ConfigError, match="has no file 'other.urdf'"):
        description_path(rewrite(platform, urdf="package://my_description/other.urdf"))


def test_meshes_of_a_package_are_found_in_a_workspace_or_a_source_tree(tmp_path, monkeypatch):
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install"))
    source = tmp_path / "my_description"
    for folder in (source / "meshes", source / "urdf", tmp_path / "install/share/other/meshes"):
        folder.mkdir(parents=True)
    for file in (source / "meshes/a.stl", tmp_path / "install/share/other/meshes/b.stl"):
        file.touch()
    urdf = source / "urdf" / "robot.urdf"
    assert mesh_path("package://my_description/meshes/a.stl", urdf) == source / "meshes/a.stl"
    found = mesh_path("package://other/meshes/b.stl", urdf)
    assert found == tmp_path / "install/share/other/meshes/b.stl"
    assert mesh_path("../meshes/a.stl", urdf).samefile(source / "meshes/a.stl")
    assert mesh_path(f"file://{source}/meshes/a.stl", urdf) == source / "meshes/a.stl"
    with pytest.raises(ConfigError, match="the package 'gone' is not found: source the workspace"):
        mesh_path("package://gone/meshes/a.stl", urdf)
    with pytest.raises(ConfigError, match="the mesh 'c.stl' is not found at"):
        mesh_path("c.stl", urdf)


def test_the_tool_is_the_link_that_the_gripper_names_or_one_called_tcp(tmp_path):
    platform = make_robot(tmp_path, RobotKind(joints=5))
    assert tool_links(platform, load_urdf(platform)) == {"gripper": "gripper_tcp"}
    urdf = tmp_path / "robot.urdf"
    urdf.write_text(urdf.read_text().replace("gripper_tcp", "grasp_frame"))
    said = "no tool centre point for gripper: there is none; .* or name one .*: LINK; .* grasp_fr"
    with pytest.raises(ConfigError, match=said):
        tool_links(platform, load_urdf(platform))
    groups = yaml.safe_load((tmp_path / "my_robot.yaml").read_text())["groups"]
    groups[1]["tcp"] = "grasp_frame"
    named = rewrite(platform, groups=groups)
    assert tool_links(named, load_urdf(named)) == {"gripper": "grasp_frame"}
    groups[0]["tcp"] = "grasp_frame"
    with pytest.raises(ConfigError, match="arm: tcp is for grippers"):
        rewrite(platform, groups=groups)
