"""Forward kinematics against the mock home's robot, and of a URDF that lacks parts."""

import mujoco
import numpy as np
import pytest

pytest.importorskip("pinocchio", reason="./pi05 and rosdep bring it")

from pi05_ros.errors import ConfigError
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.sim.robot import robot_spec, set_joint_positions, tcp_site


def drawn_states(platform, count, seed=0):
    random = np.random.default_rng(seed)
    return random.uniform(platform.lower, platform.upper, (count, platform.size))


def joint_positions(platform, state):
    """Positions by joint name, in the units of the URDF."""
    positions = {}
    for group in platform.groups:
        for dimension, value in zip(
            group.dimensions, state[platform.slices[group.name]], strict=True
        ):
            if group.kind == "parallel_gripper":
                value = group.joint_closed + value * (group.joint_open - group.joint_closed)
            if not dimension.is_velocity:
                positions[dimension.joint_name] = float(value)
    return positions


@pytest.fixture(params=platform_names())
def platform(request):
    return load_platform(request.param)


def test_tools_cameras_and_fingers_stand_where_the_mock_homes_robot_has_them(platform):
    kinematics = LinkKinematics(platform, description_xml(platform, False))
    model = robot_spec(platform).compile()
    data = mujoco.MjData(model)
    states = drawn_states(platform, 40)
    cameras = [camera.frame for camera in platform.cameras]
    fingers = [tool.replace("tcp", "finger") for tool in kinematics.tools]
    links = [*kinematics.tools, *cameras, *fingers]
    poses = kinematics.poses(states, links)
    assert poses.shape == (40, len(links), 4, 4)
    sites = [tcp_site(group.name) for group in platform.groups_of("parallel_gripper")]
    for state, found in zip(states, poses, strict=True):
        mujoco.mj_resetData(model, data)
        set_joint_positions(model, data.qpos, joint_positions(platform, state))
        mujoco.mj_kinematics(model, data)
        wanted = [data.site(name).xpos for name in sites]
        wanted += [data.body(name).xpos for name in cameras + fingers]
        assert np.abs(found[:, :3, 3] - wanted).max() < 1e-3  # [m]
        turned = [data.site(name).xmat.reshape(3, 3) for name in sites]
        turned += [data.body(name).xmat.reshape(3, 3) for name in cameras + fingers]
        assert np.abs(found[:, :3, :3] - turned).max() < 1e-3


@pytest.mark.parametrize("platform", ["mobile_18dof", "mobile_19dof"], indirect=True)
def test_the_tools_stand_in_the_order_of_the_grippers(platform):
    kinematics = LinkKinematics(platform, description_xml(platform, False))
    assert kinematics.tools == ("left_tcp", "right_tcp")
    left, right = kinematics.poses(platform.home, kinematics.tools)[0, :, :3, 3]
    assert left[1] > 0.1 and right == pytest.approx(left * (1, -1, 1), abs=1e-9)


def test_base_velocities_move_no_link(platform):
    kinematics = LinkKinematics(platform, description_xml(platform, False))
    driving = np.where(platform.is_velocity, 0.3, platform.home)
    both = kinematics.poses(np.stack([platform.home, driving]), kinematics.tools)
    assert (both[0] == both[1]).all()


def test_a_joint_without_limits_turns():
    platform = load_platform("mobile_18dof")
    urdf = description_xml(platform, False)
    first = urdf.index('<joint name="left_arm_joint_1"')
    free = urdf[:first] + urdf[first:].replace('type="revolute"', 'type="continuous"', 1)
    states = drawn_states(platform, 5, seed=1)
    limited = LinkKinematics(platform, urdf).poses(states, ("left_tcp",))
    assert LinkKinematics(platform, free).poses(states, ("left_tcp",)) == pytest.approx(limited)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('name="left_tcp"', 'name="left_tip"', "has no link|no tool centre point"),
        ("left_arm_joint_3", "left_arm_joint_x", "no joint 'left_arm_joint_3'.*left_arm_joint"),
        ("base_link", "base_footprint", "no link 'base_link'"),
        ("</robot>", "", "cannot read the URDF"),
    ],
)
def test_a_urdf_that_lacks_parts_is_refused_in_words(old, new, message):
    platform = load_platform("mobile_18dof")
    urdf = description_xml(platform, False).replace(old, new)
    urdf = urdf.replace('link="left_tcp"', 'link="left_tip"') if "tcp" in old else urdf
    with pytest.raises(ConfigError, match=message):
        LinkKinematics(platform, urdf)


def test_a_link_that_does_not_exist_is_refused():
    platform = load_platform("mobile_18dof")
    kinematics = LinkKinematics(platform, description_xml(platform, False))
    with pytest.raises(ConfigError, match="no link 'left_tpc'.*left_tcp"):
        kinematics.poses(platform.home, ("left_tpc",))


def test_without_pinocchio_the_error_names_the_fix(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pinocchio", None)
    with pytest.raises(ConfigError, match="not installed.*rosdep install"):
        LinkKinematics(load_platform("mobile_18dof"), "<robot/>")
