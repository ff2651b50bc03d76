"""Rays through a picture."""

import cv2
import numpy as np
import pytest

from pi05_ros.inspection.lens import Lens, lens_from_info, lens_of
from pi05_ros.platforms.platform import load_platform

CAMERA = load_platform("mobile_18dof").camera("front")
K = [300.0, 0, 310.0, 0, 320.0, 250.0, 0, 0, 1]


def test_the_edges_of_the_picture_are_half_the_field_of_view_away():
    lens = lens_of(CAMERA)
    middle, top, bottom = lens.rays(np.array([[0.5, 0.5], [0.5, 0.0], [0.5, 1.0]]))
    assert middle == pytest.approx(np.array([0, 0, 1]))
    half = np.tan(np.radians(CAMERA.fov_y_deg / 2))
    assert top == pytest.approx(np.array([0, -half, 1]))
    assert bottom == pytest.approx(np.array([0, half, 1]))


def test_right_in_the_picture_is_right_in_the_optical_frame():
    lens = lens_from_info(640, 480, K, "plumb_bob", [0.0] * 5)
    (ray,) = lens.rays(np.array([[1.0, 0.5]]))
    assert ray == pytest.approx(np.array([(639.5 - 310) / 300, (239.5 - 250) / 320, 1.0]))


def test_a_distorted_lens_sees_where_opencv_sees():
    d = [-0.2, 0.05, 0.001, -0.002, 0.0]
    lens = lens_from_info(640, 480, K, "plumb_bob", d)
    fractions = np.array([[0.1, 0.2], [0.7, 0.9]])
    rays = lens.rays(fractions)
    seen, _ = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), np.reshape(K, (3, 3)), np.array(d))
    assert (seen[:, 0] + 0.5) / (640, 480) == pytest.approx(fractions, abs=1e-4)


def test_a_camera_that_is_not_calibrated_has_no_lens():
    assert lens_from_info(640, 480, [0.0] * 9, "plumb_bob", []) is None
    assert lens_from_info(0, 0, K, "plumb_bob", []) is None
    assert lens_from_info(640, 480, K, "equidistant", [0.1] * 4).distortion == ()
    with pytest.raises(ValueError, match="above 0"):
        Lens(0, 480, 1, 1, 0, 0)
