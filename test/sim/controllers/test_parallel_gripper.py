"""parallel_gripper_action_controller: reached, stalled, replaced."""

import math

import pytest

from pi05_ros.sim.controllers.goals import CommandRejected, GripperResult
from pi05_ros.sim.controllers.parallel_gripper import (
    ParallelGripperConfig,
    ParallelGripperController,
)

MS = 1_000_000
NOW = 10_000 * MS
OPEN = 0.04


def gripper(**config):
    return ParallelGripperController(
        ParallelGripperConfig(**{"goal_tolerance": 0.002, **config}), OPEN
    )


def test_holds_what_it_measured_at_the_start():
    assert gripper().update(NOW, OPEN, 0.0) == OPEN


@pytest.mark.parametrize("positions", [[], [0.0, 0.0]])
def test_a_goal_has_exactly_one_position(positions):
    controller = gripper()
    controller.start_goal("a", [0.01], NOW)
    with pytest.raises(CommandRejected, match=f"{len(positions)} positions, .* exactly 1"):
        controller.start_goal("b", positions, NOW)
    assert controller.active_goal == "a"
    assert controller.set_point == 0.01


def test_reached_within_the_tolerance():
    controller = gripper()
    controller.start_goal("a", [0.0], NOW)
    assert controller.update(NOW, 0.002, -0.1) == 0.0
    assert controller.take_results() == []
    controller.update(NOW + 10 * MS, 0.0019, -0.1)
    assert controller.take_results() == [GripperResult("a", "succeeded", 0.0019, False, True)]
    assert controller.update(NOW + 20 * MS, 0.0, 0.0) == 0.0  # Goes on holding it.


@pytest.mark.parametrize(("allow", "outcome"), [(False, "aborted"), (True, "succeeded")])
def test_a_stall_ends_the_goal(allow, outcome):
    controller = gripper(allow_stalling=allow)
    controller.start_goal("a", [0.0], NOW)
    controller.update(NOW + 500 * MS, 0.02, -0.01)  # Still moving.
    controller.update(NOW + 600 * MS, 0.02, 0.001)  # Stands.
    controller.update(NOW + 1_500 * MS, 0.02, 0.0)  # For exactly the timeout: not yet.
    assert controller.take_results() == []
    controller.update(NOW + 1_501 * MS, 0.02, 0.0)
    assert controller.take_results() == [GripperResult("a", outcome, 0.02, True, False)]
    assert controller.update(NOW + 1_510 * MS, 0.02, 0.0) == 0.0  # And squeezes on.


def test_a_new_goal_cancels_the_old_with_an_empty_result():
    controller = gripper()
    controller.start_goal("a", [0.0], NOW)
    controller.start_goal("b", [0.03], NOW)
    assert controller.take_results() == [GripperResult("a", "canceled", None, False, False)]
    assert controller.active_goal == "b"
    assert controller.update(NOW, OPEN, 0.0) == 0.03


def test_cancel_holds_the_measured_position():
    controller = gripper()
    controller.start_goal("a", [0.0], NOW)
    controller.update(NOW, 0.025, -0.1)
    assert not controller.cancel_goal("b")
    assert controller.cancel_goal("a")
    assert controller.take_results() == [GripperResult("a", "canceled")]
    assert controller.update(NOW, 0.024, -0.1) == 0.025


@pytest.mark.parametrize("sent", [5.0, -1.0, math.inf])
def test_limits_are_not_checked(sent):
    controller = gripper()
    controller.start_goal("a", [sent], NOW)
    assert controller.update(NOW, OPEN, 0.0) == sent


def test_nan_is_commanded_and_stalls():
    controller = gripper(allow_stalling=False)
    controller.start_goal("a", [math.nan], NOW)
    assert math.isnan(controller.update(NOW, OPEN, 0.0))
    controller.update(NOW + 1_001 * MS, OPEN, 0.0)
    assert [r.stalled for r in controller.take_results()] == [True]


def test_config():
    with pytest.raises(ValueError, match="below 0"):
        ParallelGripperConfig(stall_timeout_s=-1.0)
