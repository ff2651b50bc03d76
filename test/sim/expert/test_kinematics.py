"""Forward and inverse kinematics against each other and against the drawing of the arm."""

import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.transforms import Transform, hand_down


@pytest.fixture(scope="module", params=["mobile_18dof", "mobile_19dof"])
def kinematics(request):
    return ArmKinematics(load_platform(request.param))


def random_vector(platform, rng):
    """Draw joints in the inner part of their ranges, with bent elbows, away from singularities."""
    lower, upper = platform.lower, platform.upper
    vector = rng.uniform(0.85 * lower + 0.15 * upper, 0.15 * lower + 0.85 * upper)
    vector[platform.is_velocity] = 0.0
    return vector


def test_home_pose_points_the_hands_down(kinematics):
    for side, sign in (("left", 1), ("right", -1)):
        T_base_tcp = kinematics.tcps(kinematics.platform.home)[side]
        np.testing.assert_allclose(T_base_tcp.rotation[:, 0], [0, 0, -1], atol=2e-3)
        assert T_base_tcp.position[1] == pytest.approx(sign * 0.21)


def test_stretched_arm_is_as_long_as_its_links(kinematics):
    vector = np.zeros(kinematics.platform.size)
    low = kinematics.tcps(vector)["left"].position
    vector[kinematics.platform.index("torso_lift")] = 0.4
    high = kinematics.tcps(vector)["left"].position
    # Upper arm, forearm and wrist, hand: 0.34 + 0.16 + 0.14 + 0.05 + 0.15 m from the shoulder.
    assert low[0] - 0.165 == pytest.approx(0.84, abs=1e-6)
    np.testing.assert_allclose(high - low, [0, 0, 0.4], atol=1e-9)


@pytest.mark.parametrize("side", ["left", "right"])
def test_inverse_of_forward_reaches_the_same_pose(kinematics, side):
    rng = np.random.default_rng(3)
    met = 0
    for _ in range(40):
        vector = random_vector(kinematics.platform, rng)
        target = kinematics.tcps(vector)[side]
        seed = vector.copy()
        joints = kinematics.layout.arm(side).joints
        seed[joints] += rng.uniform(-0.15, 0.15, len(joints))
        solution = kinematics.solve(side, target, seed)
        if solution.reaches():
            met += 1
            found = kinematics.tcps(solution.vector)[side]
            np.testing.assert_allclose(found.position, target.position, atol=2e-3)
            np.testing.assert_allclose(found.rotation, target.rotation, atol=3e-2)
    assert met >= 38


def test_only_what_may_move_moves(kinematics):
    platform, layout = kinematics.platform, kinematics.layout
    seed = np.array(platform.home)
    target = hand_down(np.array([0.5, 0.2, 0.95]), 0.3)
    solution = kinematics.solve("left", target, seed)
    moved = np.flatnonzero(solution.vector != seed)
    assert set(moved) <= set(layout.arm("left").joints)
    assert solution.reaches()


def test_the_torso_helps_when_asked(kinematics):
    platform = kinematics.platform
    seed = np.array(platform.home)
    seed[platform.index("torso_lift")] = 0.0
    high = hand_down(np.array([0.45, 0.2, 1.2]), 0.0)
    assert not kinematics.solve("left", high, seed).reaches()
    helped = kinematics.solve("left", high, seed, move_torso=True)
    assert helped.reaches()
    assert helped.vector[platform.index("torso_lift")] > 0.05


def test_out_of_reach_is_reported_and_inside_the_limits(kinematics):
    platform = kinematics.platform
    far = hand_down(np.array([2.0, 0.2, 1.0]), 0.0)
    solution = kinematics.solve("left", far, platform.home)
    assert not solution.reaches()
    assert solution.position_error > 0.5
    assert (solution.vector >= platform.lower).all() and (solution.vector <= platform.upper).all()


def test_front_camera_looks_forward_and_down(kinematics):
    optical = kinematics.camera(kinematics.platform.home, "front")
    forward = optical.rotation[:, 2]
    assert forward[0] > 0.6 and forward[2] < -0.6 and abs(forward[1]) < 1e-6
    back = kinematics.camera(kinematics.platform.home, "back").rotation[:, 2]
    assert back[0] < -0.6


def test_transform_laws():
    a = hand_down(np.array([0.1, -0.4, 1.0]), 0.7)
    b = hand_down(np.array([-0.3, 0.2, 0.5]), -1.1)
    identity = a @ a.inverse()
    np.testing.assert_allclose(identity.rotation, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(identity.position, 0, atol=1e-12)
    points = np.array([[0.1, 0.2, 0.3], [1.0, -1.0, 0.0]])
    np.testing.assert_allclose((a @ b).apply(points), a.apply(b.apply(points)))
    assert isinstance(a @ b, Transform)
