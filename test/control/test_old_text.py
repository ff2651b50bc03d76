"""Between subtasks: rows of an earlier text end with the delay of one chunk."""

import pytest
from fakes.bridge_robot import BASE, TICK, Robot, at_home

from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.control.modes import Mode
from pi05_ros.control.old_text import OldText

DELAY = 8 * TICK  # From an observation to the chunk's arrival.
REASON = "the subtask has changed, waiting for its first chunk"


def follows(subtask_id, robot, delay=DELAY):
    """Give a chunk for a subtask that took `delay`."""
    robot.give_rows(at_home(base_vx=0.3), subtask_id=subtask_id, stamp_ns=robot.now - delay)


@pytest.fixture
def robot():
    robot = Robot().armed()
    robot.bridge.follow_subtask(1, "dishes", "pick up the cup")
    robot.tick(10)
    follows(1, robot)
    assert robot.tick(5).mode is Mode.RUNNING
    return robot


def ticks_until_hold(robot):
    for count in range(60):
        if robot.tick().mode is Mode.HOLDING:
            return count
    raise AssertionError("it goes on with the old text")


def test_rows_of_the_old_text_end_with_the_delay_of_a_chunk(robot):
    robot.bridge.follow_subtask(2, "dishes", "put it in the sink")
    # 8 periods of delay and two ticks; it was 41 ticks, to the chunk's end.
    assert ticks_until_hold(robot) in (10, 11)
    assert robot.bridge.reason == REASON
    assert [robot.tick().command[BASE] for _ in range(5)][-1] == 0.0


def test_the_first_chunk_of_the_new_text_takes_over_without_a_hold(robot):
    robot.bridge.follow_subtask(2, "dishes", "put it in the sink")
    modes = [robot.tick().mode for _ in range(8)]
    follows(2, robot)
    modes += [robot.tick().mode for _ in range(25)]
    assert set(modes) == {Mode.RUNNING}


def test_after_the_hold_it_goes_on_with_the_new_text(robot):
    robot.bridge.follow_subtask(2, "dishes", "put it in the sink")
    robot.tick(20)
    with pytest.raises(ChunkRejected, match="its subtask 1 was replaced") as caught:
        follows(1, robot)
    assert caught.value.rule == "subtask"
    follows(2, robot)
    assert robot.tick().mode is Mode.RUNNING


def test_the_same_text_under_a_new_number_is_no_change(robot):
    robot.bridge.follow_subtask(2, "dishes", "pick up the cup")
    assert robot.tick(30).mode is Mode.RUNNING


def test_text_that_changes_again_does_not_prolong_the_old_one(robot):
    for number in range(2, 6):
        robot.bridge.follow_subtask(number, "dishes", f"text {number}")
        robot.tick(3)
    assert robot.bridge.mode is Mode.HOLDING and robot.bridge.reason == REASON


def test_waiting_for_the_first_chunk_becomes_an_error_only_when_it_does_not_come(robot):
    robot.bridge.follow_subtask(2, "dishes", "put it in the sink")
    ticks_until_hold(robot)
    assert robot.bridge.is_idle
    robot.tick(26)
    assert not robot.bridge.is_idle and robot.bridge.reason == REASON


def test_a_chunk_that_overtook_its_subtask_goes_on(robot):
    follows(2, robot, 0)
    robot.bridge.follow_subtask(2, "dishes", "put it in the sink")
    assert robot.tick(40).mode is Mode.RUNNING


def test_until_a_delay_was_measured_it_is_the_longest_that_is_accepted():
    text = OldText(0.5, 0.02)
    assert text.limit_s == pytest.approx(0.54)
    for delay in [0.4] + [0.1] * 9:
        text.add_delay(delay)
    assert text.limit_s == pytest.approx(0.44)
    text.add_delay(0.2)  # The window is ten chunks.
    assert text.limit_s == pytest.approx(0.24)


def test_the_time_begins_with_the_first_tick_and_anew_when_time_jumps_back():
    text = OldText(0.5, 0.02)
    text.follow(1, "a")
    text.tick(0)
    text.follow(2, "b")
    assert not text.is_over(1, 10**12)
    text.tick(10**12)
    assert not text.is_over(1, 10**12 + 500_000_000) and text.is_over(1, 10**12 + 550_000_000)
    assert not text.is_over(2, 10**13)
    text.tick(5 * 10**11)
    assert not text.is_over(1, 5 * 10**11) and text.is_over(1, 6 * 10**11)


def test_a_planner_that_counts_anew_begins_a_new_text():
    text = OldText(0.5, 0.02)
    text.follow(30, "a")
    text.tick(0)
    text.follow(1, "a")
    text.tick(0)
    assert not text.is_over(1, 10**12) and text.is_over(0, 10**12)
