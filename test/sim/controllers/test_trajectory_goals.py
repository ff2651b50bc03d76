"""follow_joint_trajectory: ends of goals, tolerances, topic and action side by side."""

import math

import numpy as np
import pytest

from pi05_ros.sim.controllers.goals import CommandRejected, TrajectoryResult
from pi05_ros.sim.controllers.joint_trajectory import (
    JointTrajectoryConfig,
    JointTrajectoryController,
)
from pi05_ros.sim.controllers.spline import JointPoint
from pi05_ros.sim.controllers.tolerances import Tolerances
from pi05_ros.sim.controllers.trajectory import JointTrajectory

JOINTS = ("shoulder", "elbow")
MS = 1_000_000


def to(time_ms, *positions):
    """A trajectory with one point."""
    return JointTrajectory(
        0, JOINTS, (JointPoint(time_ms * MS, np.array(positions, dtype=np.float64)),)
    )


class Loop:
    """A controller at 100 Hz with a robot whose tracking error the test chooses."""

    def __init__(self, tolerances=None):
        self.now = 10_000 * MS
        self.measured = np.zeros(2)
        self.controller = JointTrajectoryController(
            JointTrajectoryConfig(JOINTS), self.measured, tolerances
        )
        self.step()

    def step(self, cycles=1, error=(0.0, 0.0)):
        for _ in range(cycles):
            command = self.controller.update(self.now, self.measured, np.zeros(2))
            self.measured = command - np.array(error)
            self.now += 10 * MS
        return command

    def goal(self, name, trajectory, **tolerances):
        self.controller.start_goal(name, trajectory, self.now, **tolerances)

    def results(self):
        return self.controller.take_results()


def test_a_goal_succeeds_at_its_last_point():
    loop = Loop()
    loop.goal("a", to(100, 1.0, 0.0))
    loop.step(9)
    assert loop.results() == []
    assert loop.controller.active_goal == "a"
    loop.step()
    assert loop.results() == [TrajectoryResult("a", "succeeded", 0, "Goal successfully reached!")]
    assert loop.controller.active_goal is None
    np.testing.assert_array_equal(loop.step(100), [1.0, 0.0])


def test_a_rejected_goal_leaves_the_active_one():
    loop = Loop()
    loop.goal("a", to(1000, 1.0, 0.0))
    with pytest.raises(CommandRejected, match="no points"):
        loop.goal("b", JointTrajectory(0, JOINTS, ()))
    assert loop.controller.active_goal == "a"


def test_a_new_goal_aborts_the_old_with_invalid_goal():
    loop = Loop()
    loop.goal("a", to(1000, 1.0, 0.0))
    loop.step(10)
    loop.goal("b", to(100, 0.0, 1.0))
    (result,) = loop.results()
    assert (result.goal, result.outcome, result.error_code) == ("a", "aborted", -1)
    loop.step(10)
    (result,) = loop.results()
    assert (result.goal, result.outcome) == ("b", "succeeded")
    np.testing.assert_allclose(loop.measured, [0.0, 1.0])


def test_a_topic_message_moves_the_joints_but_not_the_goal():
    loop = Loop()
    loop.goal("a", to(1000, 1.0, 0.0))
    loop.step(10)
    loop.controller.set_trajectory(to(50, -1.0, 0.0), loop.now)
    loop.step(4)
    assert loop.controller.active_goal == "a"
    assert loop.results() == []
    loop.step()
    # The goal is judged by whatever runs: the topic's trajectory ends it.
    assert [(r.goal, r.outcome) for r in loop.results()] == [("a", "succeeded")]
    np.testing.assert_allclose(loop.measured, [-1.0, 0.0])


def test_cancel_holds_the_measured_position_a_step_of_the_tracking_error():
    loop = Loop()
    loop.goal("a", to(1000, 1.0, 0.0))
    commanded = loop.step(50, error=(0.05, 0.0)).copy()
    assert not loop.controller.cancel_goal("b")
    # What the controller measured in its last update, before the robot took the last step.
    held = loop.controller.state.feedback.positions.copy()
    assert loop.controller.cancel_goal("a")
    assert loop.results() == [TrajectoryResult("a", "canceled")]
    after = loop.step(error=(0.05, 0.0))
    np.testing.assert_allclose(after, held)
    assert commanded[0] - after[0] > 0.05
    np.testing.assert_allclose(loop.step(50), held)


def test_path_tolerance_aborts_with_minus_4_and_holds_the_measured_position():
    loop = Loop()
    loop.goal("a", to(1000, 1.0, 0.0), path_tolerance={"shoulder": 0.1})
    loop.step(10, error=(0.05, 0.0))
    assert loop.results() == []
    loop.measured = np.array([-0.3, 0.0])
    commanded = loop.controller.set_point.copy()
    loop.step()
    (result,) = loop.results()
    assert (result.outcome, result.error_code) == ("aborted", -4)
    np.testing.assert_array_equal(loop.controller.set_point, commanded)  # Not a step further.
    np.testing.assert_allclose(loop.step(), [-0.3, 0.0])


def test_goal_tolerance_is_waited_for_until_goal_time_then_minus_5():
    loop = Loop()
    loop.goal("a", to(100, 1.0, 0.0), goal_tolerance={"shoulder": 0.01}, goal_time_tolerance=0.2)
    loop.step(30, error=(0.05, 0.0))
    assert loop.results() == []
    loop.step(3, error=(0.05, 0.0))
    (result,) = loop.results()
    assert (result.outcome, result.error_code) == ("aborted", -5)


def test_goal_tolerance_met_late_is_a_success():
    loop = Loop()
    loop.goal("a", to(100, 1.0, 0.0), goal_tolerance={"shoulder": 0.01}, goal_time_tolerance=0.2)
    loop.step(20, error=(0.05, 0.0))
    loop.step(2)
    assert [r.outcome for r in loop.results()] == ["succeeded"]


def test_without_goal_time_it_waits_for_ever():
    loop = Loop()
    loop.goal("a", to(100, 1.0, 0.0), goal_tolerance={"shoulder": 0.01})
    loop.step(1000, error=(0.05, 0.0))
    assert loop.results() == []


def test_tolerances_hold_for_topic_messages_too():
    loop = Loop(Tolerances(path=np.array([0.1, 0.0]), goal=np.zeros(2)))
    loop.controller.set_trajectory(to(1000, 1.0, 0.0), loop.now)
    loop.step(10)
    loop.measured = np.array([-0.3, 0.0])
    loop.step()
    np.testing.assert_allclose(loop.step(), [-0.3, 0.0])


def test_nan_breaks_no_tolerance():
    loop = Loop()
    loop.goal("a", to(50, math.nan, 0.0), path_tolerance={"shoulder": 1e-6})
    loop.step(20)
    assert [r.outcome for r in loop.results()] == ["succeeded"]


@pytest.mark.parametrize(
    ("path", "goal", "time", "expected"),
    [
        ({}, {}, 0.0, ([0.1, 0.2], [0.3, 0.4], 0.5)),
        ({"elbow": 0.9}, {}, 0.0, ([0.1, 0.9], [0.3, 0.4], 0.5)),
        ({"elbow": 0.0}, {"elbow": -1.0}, 2.0, ([0.1, 0.2], [0.3, 0.0], 2.0)),
        ({"elbow": 0.9}, {"wrist": 0.9}, 2.0, ([0.1, 0.2], [0.3, 0.4], 0.5)),  # All or nothing.
        ({"elbow": -0.5}, {}, 2.0, ([0.1, 0.2], [0.3, 0.4], 0.5)),
    ],
)
def test_a_goal_changes_the_default_tolerances(path, goal, time, expected):
    default = Tolerances(np.array([0.1, 0.2]), np.array([0.3, 0.4]), 0.5)
    merged = default.with_goal(JOINTS, path, goal, time)
    np.testing.assert_array_equal(merged.path, expected[0])
    np.testing.assert_array_equal(merged.goal, expected[1])
    assert merged.goal_time == expected[2]
