"""Grippers keep what they hold when the robot is armed again."""

import numpy as np
import pytest
from fakes.bridge_robot import PLATFORM, Robot, at_home

from pi05_ros.control.bridge import Bridge
from pi05_ros.control.gripper_goals import GripperGoals

GRIPPER = PLATFORM.index("left_gripper")
OTHER = PLATFORM.index("right_gripper")
HELD = 0.5  # Width of a cup.
CLOSED = at_home(left_gripper=0.0)


def holding_a_cup():
    """Return a robot whose left gripper was closed on a cup, and stands at the cup's width."""
    robot = Robot().armed()
    robot.give_rows(CLOSED)
    for _ in range(25):
        robot.tick()
        robot.body.values[GRIPPER] = max(HELD, robot.bridge.motion.commanded[GRIPPER])
    assert robot.bridge.motion.commanded[GRIPPER] == 0.0
    return robot


def stop_and_resume(robot):
    robot.bridge.stop(robot.now, "stopped by an operator")
    robot.tick(40)
    robot.bridge.resume(robot.now, robot.steady)


def reset_and_arm(robot):
    robot.bridge.fault(robot.now, "a fault")
    robot.tick(40)
    robot.bridge.reset()
    robot.arm()


def disarm_and_arm(robot):
    robot.bridge.disarm(robot.now)
    robot.tick(40)
    robot.arm()


def lost_peer_and_arm(robot):
    robot.bridge.state.disarm("policy is gone")
    robot.tick(40)
    robot.arm()


AGAIN = pytest.mark.parametrize(
    "arm_again", [stop_and_resume, reset_and_arm, disarm_and_arm, lost_peer_and_arm]
)


def goals(robot, ticks=20):
    return [robot.tick().command[GRIPPER] for _ in range(ticks)]


@AGAIN
def test_a_chunk_that_says_closed_never_opens_a_gripper_that_holds(arm_again):
    robot = holding_a_cup()
    arm_again(robot)
    robot.give_rows(CLOSED)
    # At the measured width they began with 0.484, 0.452, 0.404.
    assert goals(robot) == [0.0] * 20


@AGAIN
def test_a_measurement_that_wanders_does_not_open_it_either(arm_again):
    robot = holding_a_cup()
    robot.body.values[GRIPPER] = HELD + 0.02
    robot.tick()
    robot.body.values[GRIPPER] = HELD - 0.02
    arm_again(robot)
    robot.body.values[GRIPPER] = HELD + 0.03
    robot.give_rows(CLOSED)
    assert goals(robot) == [0.0] * 20


def test_a_chunk_that_says_open_opens_it_from_its_last_goal():
    robot = holding_a_cup()
    stop_and_resume(robot)
    robot.give_rows(at_home(left_gripper=1.0))
    opening = goals(robot)
    assert opening[0] == pytest.approx(0.016) and opening[-1] == 1.0


def test_a_gripper_stopped_on_its_way_goes_on_from_its_last_goal():
    robot = Robot().armed()
    robot.give_rows(CLOSED)
    robot.tick(4)
    before = robot.bridge.motion.commanded[GRIPPER]
    assert 0.5 < before < 1.0
    stop_and_resume(robot)
    assert robot.tick().command[GRIPPER] == before  # Braking after the stop was not sent.


def test_a_gripper_that_something_else_moved_away_starts_where_it_is():
    robot = holding_a_cup()
    robot.bridge.stop(robot.now, "stopped by an operator")
    robot.tick(40)
    robot.body.values[GRIPPER] = 1.0  # Opened by hand: it must not snap shut.
    robot.tick()
    robot.bridge.resume(robot.now, robot.steady)
    assert robot.tick().command[GRIPPER] == 1.0
    # Nor is the old goal remembered.
    stop_and_resume(robot)
    assert robot.tick().command[GRIPPER] == 1.0


def test_a_gripper_that_lost_its_cup_keeps_its_goal():
    robot = holding_a_cup()
    robot.bridge.stop(robot.now, "stopped by an operator")
    robot.body.values[GRIPPER] = 0.0
    robot.tick(40)
    robot.bridge.resume(robot.now, robot.steady)
    assert robot.tick().command[GRIPPER] == 0.0


def test_without_a_goal_it_starts_at_the_measured_width():
    robot = Robot()
    robot.body.values[GRIPPER] = HELD
    robot.armed()
    assert robot.tick().command[GRIPPER] == HELD
    # A hold is no goal: no chunk has moved it.
    stop_and_resume(robot)
    robot.body.values[GRIPPER] = 0.8
    robot.tick()
    stop_and_resume(robot)
    assert robot.tick().command[GRIPPER] == 0.8


def test_arms_and_torso_start_at_the_measured_state():
    robot = holding_a_cup()
    robot.body.values[PLATFORM.index("left_arm_joint_1")] = 0.1
    stop_and_resume(robot)
    assert robot.tick().command[PLATFORM.index("left_arm_joint_1")] == pytest.approx(0.1)


def test_where_controllers_answer_only_an_accepted_goal_counts():
    given = GripperGoals(PLATFORM, confirmed=True)
    measured = PLATFORM.home.copy()
    measured[[GRIPPER, OTHER]] = HELD
    given.update(np.zeros(PLATFORM.size), measured)
    np.testing.assert_array_equal(given.start(measured), measured)
    given.accept(GRIPPER, 0.25)
    start = given.start(measured)
    assert (start[GRIPPER], start[OTHER]) == (0.25, HELD)


def test_goals_outlast_the_bridge_that_gave_them():
    robot = holding_a_cup()
    goals_of_it = robot.bridge._gripper_goals
    robot.bridge = robot.bridged.bridge = Bridge(PLATFORM, 99, None, goals_of_it)
    robot.armed()
    assert robot.tick().command[GRIPPER] == 0.0
