"""Holds of the robot, from modes and subtasks as they are heard."""

import pytest

from pi05_ros.control.modes import DEACTIVATED, RECOVERING, Mode
from pi05_ros.evaluation.holds import Hold, HoldLog, RobotStatus, after_start


def running(pursued=True):
    """The log of a task that began with a robot that executes chunks."""
    log = HoldLog()
    log.subtask(pursued, 0.0)
    log.robot(Mode.RUNNING, "", 0.0)
    log.begin()
    return log


def tell(log, mode, reason, *times):
    """The same state at these times and between them: a bridge is never silent for 2 s."""
    for begin, end in zip(times, times[1:], strict=False):
        for i in range(round(end - begin) + 1):
            log.robot(mode, reason, min(begin + i, end))


def test_a_hold_lasts_until_the_robot_runs_again():
    log = running()
    tell(log, Mode.RUNNING, "", 0.0, 5.0)
    log.robot(Mode.HOLDING, "planner is silent for 0.2 s", 5.0)
    assert log.holds == [Hold(5.0, Mode.HOLDING, "planner is silent for 0.2 s")]
    log.robot(Mode.HOLDING, "planner is silent for 0.3 s", 5.1)
    robot = log.snapshot(5.2)
    reason = "planner is silent for 0.3 s"
    assert robot == RobotStatus(Mode.HOLDING, reason, 5.2, 5.0, cause=reason)
    assert robot.troubled_s == pytest.approx(0.2)
    log.robot(Mode.RUNNING, "", 6.5)
    assert log.holds == [Hold(5.0, Mode.HOLDING, "planner is silent for 0.2 s", 6.5)]
    assert log.snapshot(7.0) == RobotStatus(Mode.RUNNING, "", 7.0, None)
    assert log.snapshot(7.0).troubled_s == 0.0


def test_a_hold_that_becomes_worse_is_one_with_the_worst_mode_and_its_reason():
    log = running()
    tell(log, Mode.RUNNING, "", 0.0, 5.0)
    log.robot(Mode.HOLDING, "planner is silent for 0.2 s", 5.0)
    tell(log, Mode.DISARMED, "planner is gone", 6.0, 8.0)
    log.robot(Mode.HOLDING, "armed, waiting for a chunk", 8.0)
    log.robot(Mode.RUNNING, "", 8.5)
    assert log.holds == [Hold(5.0, Mode.DISARMED, "planner is gone", 8.5)]


def test_while_input_is_trusted_again_the_cause_is_what_was_wrong_before():
    log = running()
    tell(log, Mode.RUNNING, "", 0.0, 5.0)
    log.robot(Mode.HOLDING, "planner is silent for 0.2 s", 5.0)
    log.robot(Mode.HOLDING, RECOVERING, 5.1)
    robot = log.snapshot(5.2)
    assert (robot.reason, robot.cause) == (RECOVERING, "planner is silent for 0.2 s")
    log.robot(Mode.RUNNING, "", 6.2)
    log.robot(Mode.HOLDING, RECOVERING, 7.0)  # The state before it was lost on the way.
    assert [hold.reason for hold in log.holds] == ["planner is silent for 0.2 s", RECOVERING]


def test_a_robot_without_a_subtask_has_no_hold():
    log = running()
    tell(log, Mode.RUNNING, "", 0.0, 4.0)
    log.subtask(False, 4.0)
    tell(log, Mode.HOLDING, "nothing to do", 4.02, 9.0)
    assert log.snapshot(9.0).trouble_since_s is None
    log.subtask(True, 9.0)
    assert log.snapshot(9.1).trouble_since_s == 9.0  # Its first chunk has to come.
    log.robot(Mode.RUNNING, "", 9.5)
    assert log.holds == []


def test_the_bridge_may_tell_the_end_of_a_subtask_before_the_planner():
    log = running()
    tell(log, Mode.RUNNING, "", 0.0, 4.0)
    log.robot(Mode.HOLDING, "nothing to do", 4.0)
    log.subtask(False, 4.1)
    assert (log.holds, log.snapshot(4.2).trouble_since_s) == ([], None)


def test_a_hold_that_ends_with_its_subtask_was_one():
    log = running()
    tell(log, Mode.RUNNING, "", 0.0, 4.0)
    tell(log, Mode.HOLDING, "camera_ingestion: front is silent", 4.0, 6.0)
    log.subtask(False, 6.0)
    assert log.holds == [Hold(4.0, Mode.HOLDING, "camera_ingestion: front is silent", 6.0)]


@pytest.mark.parametrize("mode", [Mode.DISARMED, Mode.FAULTED, Mode.STOPPED])
def test_what_does_not_end_by_itself_is_a_hold_also_without_a_subtask(mode):
    log = running()
    log.subtask(False, 1.0)
    log.robot(Mode.HOLDING, "nothing to do", 1.0)
    log.robot(mode, "why", 2.0)
    log.subtask(True, 3.0)
    assert log.snapshot(4.0).trouble_since_s == 2.0
    log.end(4.0)
    assert log.holds == [Hold(2.0, mode, "why", 4.0)]


def test_a_robot_that_has_not_moved_yet_has_no_hold_but_a_trouble():
    log = HoldLog()
    log.robot(Mode.HOLDING, "nothing to do", 0.0)
    log.begin()
    log.subtask(True, 1.0)
    for i in range(10):
        log.robot(Mode.HOLDING, "armed, waiting for a chunk", 1.0 + i)
    assert (log.holds, log.snapshot(10.0).trouble_since_s) == ([], 1.0)


def test_what_came_before_the_task_does_not_count_but_what_lasts_does():
    log = HoldLog()
    log.subtask(True, 0.0)
    log.robot(Mode.RUNNING, "", 0.0)
    log.robot(Mode.HOLDING, "why", 0.0)
    log.robot(Mode.RUNNING, "", 0.0)
    log.robot(Mode.DISARMED, "gone", 0.0)
    assert log.holds == []
    log.begin()
    assert log.holds == [Hold(0.0, Mode.DISARMED, "gone")]
    assert log.snapshot(1.0).trouble_since_s == 0.0


def test_a_bridge_that_is_not_heard_is_a_trouble():
    log = HoldLog()
    log.begin()
    said = "control_bridge has published no state yet"
    assert log.snapshot(1.0) == RobotStatus(None, said, 1.0, None)
    assert log.snapshot(2.1) == RobotStatus(None, said, 2.1, 0.0)
    log.robot(Mode.RUNNING, "", 3.0)
    assert log.snapshot(5.0).trouble_since_s is None
    assert log.snapshot(5.5) == RobotStatus(None, "control_bridge is silent for 2.5 s", 5.5, 3.0)


@pytest.mark.parametrize(
    ("mode", "reason", "holds"),
    [
        (Mode.RUNNING, "", [Hold(3.0, None, "control_bridge is silent for 4.0 s", 7.0)]),
        (Mode.DISARMED, "policy is gone", [Hold(3.0, Mode.DISARMED, "policy is gone")]),
    ],
)
def test_a_silence_of_the_bridge_is_a_hold_from_when_it_was_last_heard(mode, reason, holds):
    log = running()
    log.robot(Mode.RUNNING, "", 1.0)
    log.robot(Mode.RUNNING, "", 3.0)
    log.robot(mode, reason, 7.0)
    log.robot(mode, reason, 7.02)
    assert log.holds == holds


def test_a_bridge_that_was_deactivated_says_nothing_more():
    log = running()
    log.robot(Mode.DISARMED, DEACTIVATED, 1.0)
    assert log.snapshot(9.0) == RobotStatus(Mode.DISARMED, DEACTIVATED, 9.0, 1.0, DEACTIVATED)


def test_what_the_listener_missed_is_no_silence():
    log = running()
    tell(log, Mode.RUNNING, "", 0.0, 3.0)
    log.skip(3.5)
    assert log.snapshot(7.0).mode is Mode.RUNNING
    log.robot(Mode.RUNNING, "", 7.0)
    assert log.holds == []


def test_a_silence_that_lasts_until_the_end_is_a_hold_too():
    log = running()
    log.robot(Mode.RUNNING, "", 1.0)
    log.end(9.0)
    assert log.holds == [Hold(1.0, None, "control_bridge is silent for 8.0 s", 9.0)]


def test_a_mode_of_another_version_is_unknown():
    log = running()
    log.robot(17, "new", 1.0)
    assert log.snapshot(1.0) == RobotStatus(None, "new", 1.0, None, cause="new")
    log.robot(Mode.RUNNING, "", 1.5)
    assert (log.holds, log.snapshot(1.5).mode) == ([], Mode.RUNNING)


def test_holds_of_the_first_three_seconds_are_counted_apart():
    holds = [Hold(t, Mode.HOLDING, "why", t + 1) for t in (0.5, 3.0, 3.1, 50.0)]
    assert after_start(holds) == 2
