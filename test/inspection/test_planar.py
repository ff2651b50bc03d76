"""Planar poses of the base: arcs, transforms, interpolation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi05_ros.inspection.planar import PoseHistory, drive, place

SECOND = 1_000_000_000


def test_straight_ahead_and_sideways_in_the_base_frame():
    poses = drive(np.array([1.0, 2.0, np.pi / 2]), np.tile([0.5, 0.1, 0.0], (3, 1)), 0.1)
    assert poses == pytest.approx(
        np.array([[1, 2, np.pi / 2], [0.99, 2.05, np.pi / 2], [0.98, 2.1, np.pi / 2]])
    )


def test_a_quarter_of_a_circle_ends_on_the_circle():
    turn, rows = np.pi / 2, 7
    velocities = np.tile([0.5, 0.0, turn], (rows + 1, 1))  # Radius v / w.
    end = drive(np.zeros(3), velocities, 1.0 / rows)[-1]
    radius = 0.5 / turn
    assert end == pytest.approx(np.array([radius, radius, turn]))


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-3, 3))
def test_short_steps_and_one_long_step_lead_to_the_same_place(vx, vy, wz):
    short = drive(np.zeros(3), np.tile([vx, vy, wz], (101, 1)), 0.01)[-1]
    long = drive(np.zeros(3), np.tile([vx, vy, wz], (2, 1)), 1.0)[-1]
    assert short == pytest.approx(long, abs=1e-9)


def test_points_are_placed_with_the_pose_of_their_row():
    poses = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, np.pi / 2]])
    points = np.array([[[1.0, 0.0, 0.5]], [[1.0, 0.0, 0.5]]])
    assert place(poses, points) == pytest.approx(np.array([[[2, 0, 0.5]], [[0, 3, 0.5]]]))
    assert place(poses[1], points[:, 0]) == pytest.approx(np.array([[0, 3, 0.5]] * 2))


def test_a_pose_between_two_goes_the_short_way_round():
    history = PoseHistory()
    assert history.at(5) is None
    history.add(SECOND, (0.0, 0.0, 3.1))
    history.add(2 * SECOND, (1.0, 0.0, -3.1))
    x, y, yaw = history.at(SECOND + SECOND // 2)
    assert (x, y) == (0.5, 0.0)
    assert np.cos(yaw) == pytest.approx(-1.0)
    assert history.at(0)[2] == 3.1 and history.at(9 * SECOND)[0] == 1.0


def test_poses_are_forgotten_after_half_a_minute_and_never_taken_twice():
    history = PoseHistory()
    for second in range(100):
        history.add(second * SECOND, (float(second), 0.0, 0.0))
    history.add(50 * SECOND, (7.0, 0.0, 0.0))
    assert len(history) == 31
    assert history.at(0)[0] == 69.0
