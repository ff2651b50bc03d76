"""Laws of planar poses and of quaternions."""

import math

import numpy as np
import pytest

from pi05_ros.sim.homes.geometry import (
    FloorPose,
    quaternion_conjugate,
    quaternion_multiply,
    rotate,
    wrap_angle,
    yaw_quaternion,
)


def test_point_is_turned_then_moved():
    pose = FloorPose(1.0, 2.0, math.pi / 2)
    assert pose.point((3.0, 0.0)) == pytest.approx([1.0, 5.0])
    assert pose.point((0.0, 3.0, 0.7)) == pytest.approx([-2.0, 2.0, 0.7])


def test_local_undoes_point():
    pose = FloorPose(-0.3, 1.7, 2.5)
    assert pose.local(pose.point((0.4, -0.9, 0.2))) == pytest.approx([0.4, -0.9, 0.2])


def test_compose_agrees_with_points_and_inverse_undoes_it():
    a, b = FloorPose(0.5, -0.2, 0.8), FloorPose(-1.1, 0.3, -2.9)
    assert a.compose(b).point((0.2, 0.1)) == pytest.approx(a.point(b.point((0.2, 0.1))))
    nothing = a.compose(a.inverse())
    assert (nothing.x, nothing.y, nothing.yaw) == pytest.approx((0, 0, 0), abs=1e-12)


@pytest.mark.parametrize(
    ("angle", "wrapped"), [(0.5, 0.5), (7.0, 7.0 - 2 * math.pi), (-4.0, 2 * math.pi - 4.0)]
)
def test_wrap_angle(angle, wrapped):
    assert wrap_angle(angle) == pytest.approx(wrapped)


def test_rotate_by_yaw_turns_x_to_y():
    turned = rotate(yaw_quaternion(math.pi / 2), np.array([1.0, 0.0, 0.5]))
    assert turned == pytest.approx([0.0, 1.0, 0.5], abs=1e-12)


def test_quaternions_multiply_as_rotations_do():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 5, 4))
    a, b = (q / np.linalg.norm(q, axis=1, keepdims=True) for q in (a, b))
    v = rng.normal(size=(5, 3))
    assert rotate(quaternion_multiply(a, b), v) == pytest.approx(rotate(a, rotate(b, v)))
    assert rotate(quaternion_conjugate(a), rotate(a, v)) == pytest.approx(v)


def test_rotate_is_bit_for_bit_the_formula_with_numpys_cross():
    random = np.random.default_rng(0)
    q, v = random.normal(size=(7, 4)), random.normal(size=(7, 3))
    t = 2.0 * np.cross(q[:, 1:], v)
    assert np.array_equal(rotate(q, v), v + q[:, :1] * t + np.cross(q[:, 1:], t))
    one = v[0] + q[0, :1] * t[0] + np.cross(q[0, 1:], t[0])
    assert np.array_equal(rotate(q[0], v[0]), one)
