"""Latched faults, holds, and recovery of the bridge."""

import numpy as np
import pytest
from fakes.bridge_robot import BASE, JOINT, PLATFORM, SESSION, TICK, Robot, at_home

from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.control.modes import ARM_AGAIN, RECOVERING, Mode, disarmed_by_itself
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.errors import MessageError

NAN = np.full(50 * PLATFORM.size, np.nan, np.float32)


def speeds_of(robot, ticks):
    return [robot.tick().command[BASE] for _ in range(ticks)]


def assert_holds(robot):
    """The base stands within 100 ms, the joints stay, and all goes quiet."""
    speeds = speeds_of(robot, 5)
    assert speeds[-1] == 0.0
    place = robot.bridge.motion.commanded
    for _ in range(30):
        tick = robot.tick()
    assert tick.command is None
    np.testing.assert_array_equal(robot.bridge.motion.commanded, place)


def test_a_joint_that_does_not_follow_latches_a_fault():
    robot = Robot().armed()
    robot.give_rows(at_home(left_arm_joint_1=np.linspace(0, 0.9, 50), base_vx=0.3))
    mode = [robot.tick().mode for _ in range(40)]  # It is measured at home all the time.
    first = mode.index(Mode.FAULTED)
    # It is 0.2 rad behind after 12 ticks or so; 100 ms are 5 more.
    assert 14 <= first <= 20
    assert "left_arm_joint_1 is 0.3" in robot.bridge.reason
    assert robot.bridge.motion.at_rest
    with pytest.raises(MessageError, match="call 'reset' first"):
        robot.arm()
    robot.bridge.reset()
    assert robot.tick().mode is Mode.DISARMED
    robot.arm()
    tick = robot.tick()
    assert tick.mode is Mode.HOLDING and tick.command[JOINT] == pytest.approx(0.0)


def test_a_measured_jump_latches_a_fault_and_cancels_the_chunk():
    robot = Robot().running()
    robot.tick(10)
    robot.body.values[JOINT] += 0.5
    tick = robot.tick()
    assert tick.mode is Mode.FAULTED and tick.target is None
    assert "left_arm_joint_1 jumped by 0.50 rad within 20 ms" in tick.reason
    assert_holds(robot)


def test_a_jump_of_a_disarmed_robot_is_no_fault():
    robot = Robot()
    robot.tick()
    robot.body.values[JOINT] += 0.5
    assert robot.tick().mode is Mode.DISARMED
    robot.arm()
    assert robot.tick().mode is Mode.HOLDING


def test_three_malformed_chunks_in_a_row_latch_a_fault():
    robot = Robot().running()
    for _ in range(2):
        with pytest.raises(ChunkRejected):
            robot.give(data=NAN)
        assert robot.tick().mode is Mode.RUNNING
    robot.give()  # A good one between them.
    for _ in range(2):
        with pytest.raises(ChunkRejected):
            robot.give(data=NAN)
        assert robot.tick().mode is Mode.RUNNING
    with pytest.raises(ChunkRejected):
        robot.give(period=0.5)
    tick = robot.tick()
    assert tick.mode is Mode.FAULTED
    assert tick.reason.startswith("3 malformed chunks in a row: wanted a period of 0.02 s")
    assert_holds(robot)
    robot.bridge.reset()
    robot.arm()
    with pytest.raises(ChunkRejected):
        robot.give(data=NAN)
    assert robot.tick().mode is Mode.HOLDING  # The count began anew.


def test_late_chunks_are_no_malformed_ones():
    robot = Robot().running()
    robot.tick(40)
    for _ in range(5):
        with pytest.raises(ChunkRejected):
            robot.give(stamp_ns=robot.now - 30 * TICK)
    assert robot.tick().mode is Mode.RUNNING


def test_malformed_chunks_do_not_fault_a_disarmed_bridge():
    robot = Robot()
    robot.tick()
    for _ in range(4):
        with pytest.raises(ChunkRejected):
            robot.give(data=NAN)
    assert robot.tick().mode is Mode.DISARMED
    robot.arm()
    assert robot.tick().mode is Mode.HOLDING


def test_chunks_of_an_unknown_session_latch_but_a_late_one_of_the_last_session_does_not():
    robot = Robot().running()
    with pytest.raises(ChunkRejected):
        robot.give(session=SESSION + 1)
    assert robot.tick(25).mode is Mode.RUNNING
    with pytest.raises(ChunkRejected):
        robot.give(session=SESSION + 1)
    tick = robot.tick()
    assert tick.mode is Mode.FAULTED
    assert tick.reason == f"chunks of unknown session {SESSION + 1}: stop the other policy node"


def test_targets_out_of_reach_hold_after_three_seconds_and_not_before():
    robot = Robot().armed()
    robot.body.follows = True
    robot.measured = True
    swing = np.tile([-1.0, 1.0], 25)  # 25 Hz.
    modes, reasons, warned = [], [], []
    for k in range(220):
        if k % 20 == 0:
            robot.give_rows(at_home(left_arm_joint_1=swing))
        tick = robot.tick()
        modes.append(tick.mode)
        reasons.append(tick.reason)
        warned.append(robot.bridge.motion.limiting > robot.bridge.settings.limiting_warn_s)
    held = modes.index(Mode.HOLDING)
    assert 150 <= held <= 156
    assert 50 <= warned.index(True) <= 53
    assert robot.bridge.motion.ticks_limited >= 75
    assert reasons[held] == "chunk targets exceed the robot's limits"
    assert reasons[held + 1] == RECOVERING
    robot.tick(60)
    robot.give()
    assert robot.tick().mode is Mode.RUNNING


def test_a_peer_that_falls_silent_holds_and_once_gone_disarms():
    robot = Robot(peers=("policy",))
    robot.tick()
    with pytest.raises(MessageError, match="no heartbeat from policy: check"):
        robot.arm()
    robot.beats = {"policy": (1, "")}
    robot.running()
    robot.beats = {}
    modes = [robot.tick() for _ in range(60)]
    assert modes[6].mode is Mode.RUNNING and modes[7].mode is Mode.HOLDING
    assert modes[7].reason == "no heartbeat from policy for 0.2 s"
    assert modes[11].command[BASE] == 0.0  # 240 ms after it was last heard.
    assert modes[-1].mode is Mode.DISARMED
    assert robot.bridge.reason == f"policy is gone (no heartbeat for over 1 s): {ARM_AGAIN}"
    with pytest.raises(MessageError, match="no heartbeat from policy"):
        robot.arm()
    robot.beats = {"policy": (2, "")}
    assert robot.tick(100).mode is Mode.DISARMED
    robot.arm()
    assert robot.tick().mode is Mode.HOLDING


def test_a_peer_that_is_unfit_holds_and_goes_on_by_itself_after_a_second():
    robot = Robot()
    robot.beats = {"camera_ingestion": (1, "")}
    robot.running()
    robot.beats = {"camera_ingestion": (1, "front is silent")}
    tick = robot.tick()
    assert (tick.mode, tick.reason) == (Mode.HOLDING, "camera_ingestion: front is silent")
    assert not robot.bridge.is_idle
    robot.tick(10)
    robot.beats = {"camera_ingestion": (1, "")}
    for _ in range(49):
        robot.give()
        assert robot.tick().mode is Mode.HOLDING
    robot.tick(2)
    robot.give()
    assert robot.tick().mode is Mode.RUNNING


def test_a_peer_that_was_started_anew_disarms_at_once():
    robot = Robot()
    robot.beats = {"policy": (1, "")}
    robot.running()
    robot.beats = {"policy": (2, "")}
    tick = robot.tick()
    assert (tick.mode, tick.reason) == (
        Mode.DISARMED,
        f"policy was restarted: {ARM_AGAIN}",
    )
    assert_holds(robot)


def test_an_operators_disarm_is_told_from_the_bridges_own_whichever_came_first():
    robot = Robot()
    robot.beats = {"policy": (1, "")}
    robot.running()
    robot.beats = {"policy": (2, "")}
    robot.tick()
    assert disarmed_by_itself(robot.bridge.reason)
    robot.bridge.disarm(robot.now)
    assert robot.tick().reason == "disarmed by an operator"
    assert not disarmed_by_itself(robot.bridge.reason)
    robot.tick(200)
    robot.arm()
    robot.bridge.disarm(robot.now)
    robot.beats = {"policy": (3, "")}
    assert robot.tick().reason == "disarmed by an operator"


def test_resume_goes_on_from_where_the_robot_stands():
    robot = Robot().running()
    with pytest.raises(MessageError, match="nothing to resume: running"):
        robot.bridge.resume(robot.now, robot.steady)
    robot.tick(20)
    old = robot.chunk()
    robot.bridge.stop(robot.now, "told to")
    with pytest.raises(MessageError, match="still braking"):
        robot.bridge.resume(robot.now, robot.steady)
    assert robot.bridge.mode is Mode.STOPPED
    robot.tick(5)
    robot.bridge.resume(robot.now, robot.steady)
    with pytest.raises(ChunkRejected, match="epoch"):
        robot.bridge.add_chunk(old, robot.now)
    assert robot.tick().mode is Mode.HOLDING
    robot.give()
    assert robot.tick().mode is Mode.RUNNING


def test_a_fault_while_stopped_is_not_resumed_away():
    robot = Robot().running()
    robot.bridge.stop(robot.now, "told to")
    robot.bridge.fault(robot.now, "stop that node")
    robot.tick(20)
    with pytest.raises(MessageError, match="a fault is latched"):
        robot.bridge.resume(robot.now, robot.steady)


def test_a_chunk_begins_at_its_start_not_at_its_stamp():
    robot = Robot().armed()
    robot.body.follows = True
    course = np.linspace(0.0, 0.2, 50)
    robot.tick(10)
    robot.give_rows(
        at_home(left_arm_joint_1=course), stamp_ns=robot.now - 10 * TICK, start_ns=robot.now
    )
    ticks = [robot.tick() for _ in range(50)]
    assert ticks[0].target.row == pytest.approx(1.0)
    assert ticks[0].target.chunk.stamp_ns == ticks[0].target.chunk.start_ns - 10 * TICK
    assert ticks[48].mode is Mode.RUNNING


@pytest.mark.parametrize("offset", [-1, 4])
def test_a_start_before_the_observation_or_in_the_future_is_refused(offset):
    robot = Robot().armed()
    with pytest.raises(ChunkRejected, match="row 0 is due"):
        robot.give(start_ns=robot.now + offset * TICK)
    robot.give(start_ns=robot.now + 2 * TICK)


def test_stamps_in_the_future_are_dropped_and_counted():
    robot = Robot().running()
    for _ in range(3):
        with pytest.raises(MessageError, match=r"joint states: stamped 0\.10 s in the future"):
            robot.bridge.add_joint_states(*robot.joint_states(), robot.now + 5 * TICK, robot.now)
    with pytest.raises(MessageError, match="odometry: stamped"):
        robot.bridge.add_odometry((0, 0, 0), robot.now + 5 * TICK, robot.now)
    assert robot.bridge.counts["joint_states_dropped"] == 3
    assert robot.bridge.counts["odometry_dropped"] == 1
    robot.measured = False
    assert robot.tick().mode is Mode.HOLDING


def test_without_a_clock_it_is_not_armed():
    robot = Robot()
    with pytest.raises(MessageError, match="use_sim_time is true and nothing arrives"):
        robot.bridge.arm(0, robot.steady)


def test_idle_is_no_trouble_and_starving_is():
    robot = Robot()
    assert robot.tick() and robot.bridge.is_idle  # Disarmed.
    robot.arm()
    robot.tick()
    assert robot.bridge.is_idle
    robot.give()
    robot.tick()
    assert not robot.bridge.is_idle  # Running.
    tick = robot.tick(60)
    assert tick.reason == "the last chunk has ended and no new one arrived"
    assert not robot.bridge.is_idle
    robot.bridge.disarm(robot.now)
    robot.tick()
    assert robot.bridge.is_idle
    robot.bridge.stop(robot.now, "told to")
    assert not robot.bridge.is_idle


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"peer_timeout_s": 0.0}, "timeouts"),
        ({"tracking_time_s": 0.0}, "timeouts"),
        ({"recovery_time_s": -1.0}, "timeouts"),
        ({"limiting_warn_s": 0.0}, "timeouts"),
        ({"peer_timeout_s": 1.0}, "must exceed"),
        ({"limiting_hold_s": 1.0}, "must exceed"),
        ({"max_tracking_error_rad": 0.0}, "must be above 0"),
        ({"max_position_jump_rad": -0.1}, "must be above 0"),
        ({"limit_tolerance": 1.0}, "share of the range"),
        ({"limit_tolerance": -0.1}, "share of the range"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, problem):
    with pytest.raises(ValueError, match=problem):
        BridgeSettings(**changes)
