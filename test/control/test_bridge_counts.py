"""Exact counts and texts of the bridge, and its behaviour at its time limits."""

import numpy as np
import pytest
from fakes.bridge_robot import BASE, JOINT, PLATFORM, SESSION, START, TICK, Robot, at_home

from pi05_ros.control.bridge import Bridge
from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.control.modes import RECOVERING, Mode
from pi05_ros.errors import MessageError

SECOND = 1_000_000_000


def test_it_keeps_its_session_and_counts_every_tick_that_was_sent():
    robot = Robot()
    assert robot.bridge.session == SESSION
    robot.tick(3)
    assert robot.bridge.counts["ticks_sent"] == 0
    robot.arm()
    robot.tick(4)
    assert robot.bridge.counts["ticks_sent"] == 4


def test_chunks_that_are_not_used_are_counted():
    robot = Robot()
    robot.tick()
    for _ in range(2):
        robot.give()
    assert robot.bridge.counts["chunks_unused"] == 2
    robot.arm()
    robot.measured = False
    robot.tick(7)
    robot.give()  # Armed, but not well.
    assert robot.bridge.counts["chunks_unused"] == 3
    assert robot.bridge.counts["chunks_accepted"] == 0


def test_drops_rejections_and_clamped_values_add_up():
    robot = Robot().armed()
    over = PLATFORM.upper[JOINT] + 0.01 * (PLATFORM.upper[JOINT] - PLATFORM.lower[JOINT])
    for count in (1, 2):
        robot.tick()
        robot.give_rows(at_home(left_arm_joint_1=over))
        with pytest.raises(MessageError):
            robot.bridge.add_odometry((np.nan, 0, 0), robot.now, robot.now)
        with pytest.raises(ChunkRejected):
            robot.give(epoch=99)
        assert robot.bridge.counts["values_clamped"] == 50 * count
        assert robot.bridge.counts["odometry_dropped"] == count
        assert robot.bridge.counts["chunks_rejected_epoch"] == count
        assert robot.bridge.counts["chunks_accepted"] == count


def test_refusals_to_arm_say_exactly_why():
    robot = Robot(peers=("planner", "policy"))
    robot.tick()
    with pytest.raises(MessageError) as caught:
        robot.arm()
    assert str(caught.value) == "no heartbeat from planner, policy: check that they are active"
    robot = Robot().running()
    robot.tick(10)
    robot.bridge.disarm(robot.now)
    with pytest.raises(MessageError) as caught:
        robot.arm()
    assert str(caught.value) == "the robot is still braking: try again when it is at rest"
    assert robot.bridge.reason == "disarmed by an operator"


def test_arming_twice_changes_nothing():
    robot = Robot().running()
    before = robot.bridge.epoch
    robot.arm()
    assert (robot.bridge.epoch, robot.bridge.mode) == (before, Mode.RUNNING)


def test_a_stop_keeps_its_reason_and_its_session_of_chunks_is_over():
    robot = Robot().running()
    old = robot.chunk()
    robot.bridge.stop(robot.now, "someone came near")
    assert robot.bridge.reason == "someone came near"
    with pytest.raises(ChunkRejected):
        robot.bridge.add_chunk(old, robot.now)


def test_a_robot_that_stands_is_told_to_stand_for_half_a_second_after_disarming():
    robot = Robot().armed()
    robot.tick()
    robot.bridge.disarm(robot.now)
    commands = [robot.tick().command is not None for _ in range(40)]
    assert commands == [True] * 24 + [False] * 16


def test_a_step_back_of_a_tenth_of_a_second_is_borne_and_one_of_more_is_not():
    robot = Robot().running()
    robot.tick(20)
    robot.now -= 6 * TICK  # The next tick is 0.1 s before the last one.
    assert robot.tick().mode is Mode.RUNNING
    epoch = robot.bridge.epoch
    robot.now -= 7 * TICK
    robot.measured = False
    tick = robot.tick()
    assert tick.mode is Mode.HOLDING and "no measurement" in tick.reason
    assert robot.bridge.epoch == epoch + 1
    robot.measured = True
    # One second of trust begins at the last trouble, and ends when it is full.
    assert [robot.tick().reason for _ in range(50)][:49] == [RECOVERING] * 49
    assert robot.bridge.reason == "the last chunk has ended and no new one arrived"


def test_trust_returns_after_a_whole_second_even_when_measurements_never_ceased():
    robot = Robot().running()
    robot.now -= SECOND
    modes = []
    for _ in range(60):
        robot.tick()
        robot.give()
        modes.append(robot.bridge.mode)
    assert modes.index(Mode.RUNNING) == 51


def test_a_clock_that_steps_back_while_braking_does_not_prolong_it():
    robot = Robot().running()
    robot.tick(10)
    robot.bridge.disarm(robot.now)
    robot.now -= 3600 * SECOND
    commands = [robot.tick().command for _ in range(60)]
    sent = [command is not None for command in commands]
    assert sent == [True] * 25 + [False] * 35
    assert commands[24][BASE] == 0.0


def test_a_clock_that_steps_back_on_a_disarmed_robot_starts_nothing():
    robot = Robot()
    robot.tick(3)
    robot.now -= 3600 * SECOND
    assert robot.tick(3).command is None


def test_a_bridge_alone_has_sent_nothing():
    bridge = Bridge(PLATFORM, SESSION)
    assert np.isnan(bridge.motion.commanded).all() and bridge.motion.at_rest
    tick = bridge.tick(START, START)
    assert (tick.mode, tick.command, tick.measurement, tick.target) == (
        Mode.DISARMED,
        None,
        None,
        None,
    )


def test_what_it_gives_out_are_copies():
    robot = Robot().running()
    command = robot.tick().command
    command[:] = 9.0
    assert (robot.bridge.motion.commanded != 9.0).all()
