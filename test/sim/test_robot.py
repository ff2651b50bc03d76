"""The robot from its URDF: servos, cameras, tool centre points, custom platforms."""

import functools
from pathlib import Path

import mujoco
import numpy as np
import pytest
from fakes.robots import RobotKind, make_robot

from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import Platform, load_platform
from pi05_ros.sim.links import Wheels
from pi05_ros.sim.robot import (
    BASE_JOINTS,
    camera_name,
    home_positions,
    robot_spec,
    servo_name,
    set_joint_positions,
    tcp_site,
)

PLATFORMS = ["mobile_18dof", "mobile_19dof"]

# A robot that shares no name with ours: one joint, a gripper that swings its fingers, one camera.
URDF = """<robot name="tiny">
  <link name="root"><inertial><mass value="20"/>
    <inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <link name="boom"><inertial><origin xyz="0.2 0 0"/><mass value="2"/>
    <inertia ixx="0.01" iyy="0.03" izz="0.03" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><geometry><box size="0.1 0.1 0.1"/></geometry></collision></link>
  <joint name="pan" type="revolute"><parent link="root"/><child link="boom"/>
    <origin xyz="0 0 1"/><axis xyz="0 0 1"/>
    <limit lower="-1" upper="1" velocity="2" effort="50"/></joint>
  <link name="palm"><inertial><mass value="0.2"/>
    <inertia ixx="1e-3" iyy="1e-3" izz="1e-3" ixy="0" ixz="0" iyz="0"/></inertial></link>
  <joint name="palm_mount" type="fixed"><parent link="boom"/><child link="palm"/>
    <origin xyz="0.4 0 0"/></joint>
  <link name="claw"><inertial><mass value="0.05"/>
    <inertia ixx="1e-4" iyy="1e-4" izz="1e-4" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><geometry><box size="0.1 0.01 0.01"/></geometry></collision></link>
  <joint name="claw_hinge" type="revolute"><parent link="palm"/><child link="claw"/>
    <axis xyz="0 0 1"/><limit lower="0" upper="0.8" velocity="3" effort="5"/></joint>
  TCP
  <link name="eye"/>
  <joint name="eye_mount" type="fixed"><parent link="boom"/><child link="eye"/>
    <origin xyz="0 0 0.2" rpy="-1.5707963267948966 0 -1.5707963267948966"/></joint>
</robot>"""
TCP = """<link name="claw_tcp"/><joint name="tcp_mount" type="fixed"><parent link="palm"/>
    <child link="claw_tcp"/><origin xyz="0.1 0 0"/></joint>"""
COMPLETE = URDF.replace("TCP", TCP)
YAML = """
name: tiny
description: A robot for tests.
urdf: {urdf}
base_frame: {base}
groups:
  - name: arm
    controller: {{name: arm_controller, kind: joint_trajectory}}
    dimensions:
      - {{name: {joint}, unit: rad, min_position: -1, max_position: 1, max_velocity: 2,
          max_acceleration: 8}}
  - name: claw
    controller: {{name: claw_controller, kind: parallel_gripper}}
    joint_closed: 0.0
    joint_open: 0.8
    dimensions:
      - {{name: claw, joint: claw_hinge, unit: fraction, min_position: 0, max_position: 1,
          max_velocity: 3, max_acceleration: 30, home: 1}}
  - name: base
    controller: {{name: base_controller, kind: base_velocity}}
    dimensions:
      - {{name: vx, unit: m/s, max_velocity: 0.5, max_acceleration: 1}}
      - {{name: vy, unit: m/s, max_velocity: 0.5, max_acceleration: 1}}
      - {{name: wz, unit: rad/s, max_velocity: 1, max_acceleration: 2}}
cameras:
  - {{name: eye, topic: /eye/image_raw, frame: {eye}, width: 64, height: 48, fov_y_deg: 60}}
planner_cameras: [eye]
policy_cameras: [eye]
"""


def tiny(folder: Path, *, urdf=COMPLETE, base="root", joint="pan", eye="eye"):
    """Load the test's own platform, with parts replaced."""
    (folder / "tiny.urdf").write_text(urdf)
    values = {"urdf": folder / "tiny.urdf", "base": base, "joint": joint, "eye": eye}
    (folder / "tiny.yaml").write_text(YAML.format(**values))
    return load_platform(str(folder / "tiny.yaml"))


def posed(platform: Platform) -> tuple[mujoco.MjModel, mujoco.MjData]:
    """The robot alone in its home pose."""
    model = robot_spec(platform).compile()
    data = mujoco.MjData(model)
    set_joint_positions(model, data.qpos, home_positions(platform))
    mujoco.mj_forward(model, data)
    return model, data


@functools.cache
def shipped(name: str) -> tuple[Platform, mujoco.MjModel, mujoco.MjData]:
    """A platform that ships, its robot alone in its home pose."""
    platform = load_platform(name)
    return (platform, *posed(platform))


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_dimension_has_a_servo_within_the_urdfs_effort(name):
    platform, model, _ = shipped(name)
    for joint in home_positions(platform):
        servo = model.actuator(servo_name(joint))
        effort = model.jnt_actfrcrange[model.joint(joint).id]
        assert effort[1] > 0
        assert servo.forcerange == pytest.approx(effort)
    for joint in BASE_JOINTS:
        model.actuator(servo_name(joint))
    assert model.nu == len(home_positions(platform)) + 3, "wheels and mirrored fingers have none"


@pytest.mark.parametrize("name", PLATFORMS)
def test_limits_are_the_platforms(name):
    platform, model, _ = shipped(name)
    for group in platform.groups_of("joint_trajectory"):
        for dimension in group.dimensions:
            span = (dimension.min_position, dimension.max_position)
            assert model.joint(dimension.joint_name).range == pytest.approx(span)


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_home_pose_touches_nothing_and_holds_without_force(name):
    _, _, data = shipped(name)
    assert data.ncon == 0
    # Gravity is compensated: nothing but the (unset) servos would move the joints.
    assert np.abs(data.qfrc_bias - data.qfrc_gravcomp).max() < 1e-9


@pytest.mark.parametrize("name", PLATFORMS)
def test_fingers_mirror_each_other(name):
    _, _, data = shipped(name)
    for side in ("left", "right"):
        a, b = data.body(f"{side}_finger").xpos, data.body(f"{side}_mirror_finger").xpos
        middle = data.site(tcp_site(f"{side}_gripper")).xpos
        assert np.linalg.norm(a - b) == pytest.approx(0.08)
        assert np.linalg.norm((a + b) / 2 - middle) == pytest.approx(0.09)


@pytest.mark.parametrize("name", PLATFORMS)
def test_hands_point_down_at_home_and_cameras_look_along_their_optical_frames(name):
    platform, model, data = shipped(name)
    for gripper in ("left_gripper", "right_gripper"):
        out_of_hand = data.site(tcp_site(gripper)).xmat.reshape(3, 3)[:, 0]
        assert out_of_hand == pytest.approx([0, 0, -1], abs=1e-3)
    for camera in platform.cameras:
        optical = data.body(camera.frame).xmat.reshape(3, 3)
        seen = data.camera(camera_name(camera.name))
        axes = seen.xmat.reshape(3, 3)
        assert -axes[:, 2] == pytest.approx(optical[:, 2], abs=1e-9), "looks along optical z"
        assert -axes[:, 1] == pytest.approx(optical[:, 1], abs=1e-9), "down is optical y"
        assert model.camera(camera_name(camera.name)).fovy == pytest.approx(camera.fov_y_deg)
    front = data.body("front_camera_optical_frame").xmat.reshape(3, 3)[:, 2]
    assert front[0] > 0.5 and front[2] < -0.3, "ahead and down"


def test_any_platform_with_a_urdf_works(tmp_path):
    platform = tiny(tmp_path)
    model, data = posed(platform)
    assert [model.actuator(i).name for i in range(model.nu)] == [
        "servo/base_x", "servo/base_y", "servo/base_yaw", "servo/pan", "servo/claw_hinge",
    ]  # fmt: skip
    assert data.site("tcp/claw").xpos == pytest.approx([0.5, 0.0, 1.0])
    assert data.joint("claw_hinge").qpos[0] == pytest.approx(0.8), "home is open"
    looks = -data.camera("camera/eye").xmat.reshape(3, 3)[:, 2]
    assert looks == pytest.approx([1, 0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"joint": "pam"}, "the URDF has no joint 'pam', which tiny names; did you mean 'pan'?"),
        ({"eye": "eyes"}, "the URDF has no link 'eyes', which tiny names; did you mean 'eye'?"),
        ({"base": "boom"}, "base_frame 'boom' is not the root link"),
        ({"urdf": URDF.replace("TCP", "")}, "fix a link whose name ends in 'tcp' to 'palm'"),
        ({"urdf": "<robot><link/></robot>"}, "MuJoCo cannot read the URDF"),
        ({"urdf": "<robot"}, "xacro: "),
        (
            {"urdf": COMPLETE.replace('<mass value="20"/>', '<mass value="0"/>')},
            "MuJoCo cannot build the robot: mass and inertia of moving bodies",
        ),
    ],
)
def test_a_mismatch_is_described_in_one_sentence(tmp_path, change, problem):
    with pytest.raises(ConfigError, match="tiny.urdf") as error:
        robot_spec(tiny(tmp_path, **change))
    assert problem in str(error.value)


def test_the_tool_may_have_any_name_and_stand_beside_the_hand(tmp_path):
    platform = tiny(tmp_path, urdf=COMPLETE.replace("claw_tcp", "pinch").replace("TCP", ""))
    with pytest.raises(ConfigError, match="name one in its group .tcp: LINK."):
        robot_spec(platform)
    text = (tmp_path / "tiny.yaml").read_text()
    (tmp_path / "tiny.yaml").write_text(text.replace("joint_open:", "tcp: pinch\n    joint_open:"))
    named = load_platform(platform.source)
    model = robot_spec(named).compile()
    assert model.body(model.site_bodyid[model.site("tcp/claw").id]).name == "pinch"
    urdf = tmp_path / "tiny.urdf"
    moved = urdf.read_text().replace('<parent link="palm"/>\n    <child link="pinch"/>', "@")
    urdf.write_text(moved.replace("@", '<parent link="boom"/>\n    <child link="pinch"/>'))
    assert robot_spec(named).compile().nsite == 1, "fixed to what carries the hand"


LIMITS = 'lower="-2.5" upper="2.5" '


def test_a_joint_of_an_arm_without_limits_is_driven_and_a_wheel_is_not(tmp_path):
    platform = make_robot(tmp_path, RobotKind(joints=5))
    urdf = tmp_path / "robot.urdf"
    before, _, after = urdf.read_text().partition('"arm_joint_5" type="revolute"')
    text = f'{before}"arm_joint_5" type="continuous"{after.replace(LIMITS, "", 1)}'
    wheel = '<joint name="wheel" type="continuous"><parent link="base_link"/>'
    wheel += '<child link="tyre"/><origin xyz="0 0.2 0.05"/><axis xyz="0 1 0"/></joint>'
    tyre = (
        '<link name="tyre"><inertial><mass value="1"/><inertia ixx="0.01" iyy="0.01" izz="0.01" '
    )
    tyre += 'ixy="0" ixz="0" iyz="0"/></inertial></link>'
    urdf.write_text(text.replace("</robot>", f"{tyre}{wheel}</robot>"))
    model = robot_spec(platform).compile()
    names = {model.actuator(i).name for i in range(model.nu)}
    assert servo_name("arm_joint_5") in names and servo_name("wheel") not in names
    assert [model.joint("wheel").dofadr[0]] == Wheels(model, platform).dofs


def test_a_continuous_joint_on_the_base_is_driven_and_is_no_wheel(tmp_path):
    urdf = COMPLETE.replace('name="pan" type="revolute"', 'name="pan" type="continuous"')
    urdf = urdf.replace('lower="-1" upper="1" velocity="2"', 'velocity="2"')
    tiny(tmp_path, urdf=urdf)
    text = (tmp_path / "tiny.yaml").read_text()
    text = text.replace("min_position: -1, max_position: 1,", "continuous: true, home: 3.0,")
    (tmp_path / "tiny.yaml").write_text(text)
    platform = load_platform(str(tmp_path / "tiny.yaml"))
    model, data = posed(platform)
    assert data.joint("pan").qpos[0] == pytest.approx(3.0)
    assert Wheels(model, platform).dofs == []
    data.ctrl[model.actuator(servo_name("claw_hinge")).id] = 0.8
    data.ctrl[model.actuator(servo_name("pan")).id] = 4.0  # Past pi.
    mujoco.mj_step(model, data, nstep=400)
    assert data.joint("pan").qpos[0] == pytest.approx(4.0, abs=0.02)
