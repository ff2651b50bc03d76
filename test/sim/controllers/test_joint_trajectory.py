"""joint_trajectory_controller: replacement, stamps, holding, starts."""

import math

import numpy as np
import pytest

from pi05_ros.sim.controllers.goals import CommandRejected
from pi05_ros.sim.controllers.joint_trajectory import (
    JointTrajectoryConfig,
    JointTrajectoryController,
)
from pi05_ros.sim.controllers.spline import JointPoint
from pi05_ros.sim.controllers.trajectory import JointTrajectory

JOINTS = ("shoulder", "elbow")
MS = 1_000_000
START = 10_000 * MS


class Loop:
    """A controller at 100 Hz with a robot that follows its commands exactly."""

    def __init__(self, positions=(0.0, 0.0), **config):
        self.now = START
        self.controller = JointTrajectoryController(
            JointTrajectoryConfig(JOINTS, **config), np.array(positions, float)
        )
        self.measured = np.array(positions, float)

    def send(self, *points, names=JOINTS, stamp_ns=0):
        """Points are (time in ms, positions[, velocities])."""
        self.controller.set_trajectory(
            self.trajectory(*points, names=names, stamp_ns=stamp_ns), self.now
        )

    @staticmethod
    def trajectory(*points, names=JOINTS, stamp_ns=0):
        return JointTrajectory(
            stamp_ns,
            tuple(names),
            tuple(
                JointPoint(time * MS, *(np.array(a, float) for a in arrays))
                for time, *arrays in points
            ),
        )

    def step(self, cycles=1, follow=True):
        """Run cycles and return the last command (the position at the end of the cycle)."""
        for _ in range(cycles):
            command = self.controller.update(self.now, self.measured, np.zeros(2))
            self.now += 10 * MS
            if follow:
                self.measured = command
        return command


def test_holds_the_measured_pose_from_the_start():
    loop = Loop(positions=(0.3, -0.4))
    np.testing.assert_array_equal(loop.step(5), [0.3, -0.4])


def test_points_are_met_on_time_and_the_last_is_held_for_ever():
    loop = Loop()
    loop.step()
    loop.send((100, [1.0, 0.0]), (200, [1.0, 2.0]))
    # An update at t commands the place at t + one period.
    np.testing.assert_allclose(loop.step(10), [1.0, 0.0])
    np.testing.assert_allclose(loop.step(5), [1.0, 1.0])
    np.testing.assert_allclose(loop.step(5), [1.0, 2.0])
    np.testing.assert_array_equal(loop.step(1000), [1.0, 2.0])


def test_columns_are_sorted_by_name():
    loop = Loop()
    loop.send((10, [2.0, 1.0]), names=("elbow", "shoulder"))
    np.testing.assert_array_equal(loop.step(), [1.0, 2.0])


def test_a_joint_left_out_for_a_doubled_one_takes_what_an_earlier_message_left():
    loop = Loop()
    loop.send((10, [0.7, 0.8]))
    loop.step()
    loop.send((10, [0.1, 0.2]), names=("elbow", "elbow"))
    np.testing.assert_array_equal(loop.step(), [0.7, 0.2])


def test_a_rejected_trajectory_changes_nothing():
    loop = Loop()
    loop.send((100, [1.0, 0.0]))
    loop.step(5)
    with pytest.raises(CommandRejected, match="'wrist' is none of the controller's"):
        loop.send((10, [5.0, 5.0]), names=("wrist", "elbow"))
    np.testing.assert_allclose(loop.step(5), [1.0, 0.0])


def test_a_new_message_replaces_the_old_at_once_from_the_last_command():
    loop = Loop()
    loop.step()
    loop.send((1000, [1.0, 0.0]))
    halfway = loop.step(50).copy()
    loop.send((20, halfway + [0.0, 0.5]))
    # The last command is dated one period back, so that the bridge takes 30 ms, of which the first
    # update covers 20.
    np.testing.assert_allclose(loop.step(), halfway + [0.0, 0.5 * 2 / 3], atol=1e-12)
    np.testing.assert_allclose(loop.step(), halfway + [0.0, 0.5])
    np.testing.assert_allclose(loop.step(200), halfway + [0.0, 0.5])


def test_interpolate_from_desired_state_decides_where_motion_starts():
    """With a robot that lags, the measured state pulls a stream back, the last command not."""
    first = {}
    for desired in (True, False):
        loop = Loop(interpolate_from_desired_state=desired)
        loop.step()
        loop.send((10, [1.0, 0.0]))
        loop.step(2, follow=False)  # Commanded 1, the robot still stands at 0.
        loop.send((40, [1.0, 0.0]))
        first[desired] = loop.step(follow=False)[0]
    assert first[True] == pytest.approx(1.0)
    assert first[False] == pytest.approx(0.25)  # 10 of 40 ms from the measured 0.


def test_a_future_stamp_drops_the_old_trajectory_and_moves_to_point_0_now():
    loop = Loop()
    loop.step()
    loop.send((1000, [-5.0, 0.0]))
    held = loop.step(10).copy()
    loop.send((0, [1.0, 0.0]), (100, [2.0, 0.0]), stamp_ns=loop.now + 200 * MS)
    # From the last command (dated 10 ms back) to point 0 in 210 ms.
    np.testing.assert_allclose(loop.step(), held + (np.array([1.0, 0.0]) - held) * 20 / 210)
    np.testing.assert_allclose(loop.step(19), [1.0, 0.0])
    np.testing.assert_allclose(loop.step(10), [2.0, 0.0])


def test_a_partly_past_stamp_jumps_into_the_middle():
    loop = Loop()
    loop.step()
    loop.send((0, [0.0, 1.0]), (100, [0.0, 2.0]), stamp_ns=loop.now - 40 * MS)
    np.testing.assert_allclose(loop.step(), [0.0, 1.5])  # One period after the arrival: at 50 ms.


def test_a_stream_of_single_points_20_ms_ahead_is_met_at_every_command():
    loop = Loop()
    loop.step()
    for k in range(1, 50):
        loop.send((20, [0.01 * k, 0.0]))
        np.testing.assert_allclose(loop.step(2), [0.01 * k, 0.0], atol=1e-12)


def test_positions_only_start_a_line_with_velocities_a_cubic():
    for velocities, halfway in (((), 2.0 / 3.0), (([0.0, 0.0],), 20 / 27)):
        loop = Loop()
        loop.step()
        loop.send((20, [1.0, 0.0], *velocities))
        # 20 of 30 ms of the bridge from rest: 2/3, or 3(2/3)² - 2(2/3)³.
        assert loop.step()[0] == pytest.approx(halfway)


def test_a_cubic_starts_with_the_last_commanded_velocity():
    loop = Loop()
    loop.step()
    loop.send((100, [1.0, 0.0]))  # 1 rad in 110 ms of bridge: a line of 9.09 rad/s.
    loop.step(5)
    last, speed = loop.controller.set_point[0], 1.0 / 0.110
    loop.send((40, [last, 0.0], [0.0, 0.0]))
    t, duration = 0.020, 0.050
    # Hermite's cubic from (last, speed) to (last, 0): only the term of the start velocity is left.
    u = t / duration
    assert loop.step()[0] == pytest.approx(last + speed * duration * u * (1 - u) ** 2)


def test_nan_goes_through_and_poisons_the_next_bridge_only():
    loop = Loop()
    loop.step()
    loop.send((10, [math.nan, 0.0]))
    assert math.isnan(loop.step(follow=False)[0])
    loop.send((20, [0.2, 0.0]))
    assert math.isnan(loop.step(follow=False)[0])  # From NaN to 0.2 is NaN until 0.2 is reached.
    np.testing.assert_allclose(loop.step(follow=False), [0.2, 0.0])


def test_limits_are_not_checked():
    loop = Loop()
    loop.send((10, [1e6, 0.0]))
    assert loop.step()[0] == 1e6


def test_state_has_reference_feedback_error_and_output():
    loop = Loop()
    loop.step()
    loop.send((90, [1.0, 0.0]))
    loop.step(5)
    loop.measured = np.array([0.3, 0.1])
    loop.step()
    state = loop.controller.state
    # The bridge runs from 10 ms before the start to 90 ms after it; this update is at 50 ms.
    assert state.reference.time_ns == 50 * MS
    np.testing.assert_allclose(state.reference.positions, [0.6, 0.0])
    np.testing.assert_allclose(state.reference.velocities, [10.0, 0.0])
    np.testing.assert_allclose(state.feedback.positions, [0.3, 0.1])
    np.testing.assert_allclose(state.error, [0.3, -0.1])
    np.testing.assert_allclose(state.output, [0.7, 0.0])


def test_reset_holds_the_new_pose():
    loop = Loop()
    loop.send((1000, [1.0, 0.0]))
    loop.step(20)
    loop.controller.reset(np.array([-1.0, 1.0]))
    np.testing.assert_array_equal(loop.step(20), [-1.0, 1.0])


def test_config_refuses_what_is_no_controller():
    with pytest.raises(ValueError, match="each once"):
        JointTrajectoryConfig(("a", "a"))
    with pytest.raises(ValueError, match="update_rate_hz 0 is not above 0"):
        JointTrajectoryConfig(JOINTS, update_rate_hz=0)
