"""An operator who drives through teleop: taking over, giving back, silence, bad chunks."""

import numpy as np
import pytest
from fakes.bridge_robot import BASE, JOINT, PLATFORM, TICK, Robot, at_home
from fakes.operator import TELEOP_ROWS, Operator

from pi05_ros.control.chunk import ChunkRejected, ControlSource
from pi05_ros.control.modes import RECOVERING, Mode
from pi05_ros.control.teleop_source import TeleopState

DRIVE = at_home(TELEOP_ROWS, base_vx=0.2)


def scene(**settings):
    """Return an armed robot that follows its commands, and its operator."""
    robot = Robot(**settings)
    robot.body.follows = True
    return robot.armed(), Operator(robot)


def test_an_operator_drives_without_a_policy_or_a_task():
    robot, operator = scene()
    tick = operator.drive(30, DRIVE)
    assert (tick.mode, tick.reason) == (Mode.RUNNING, "")
    assert tick.control_source is ControlSource.TELEOP
    assert tick.command[BASE] == pytest.approx(0.2)
    assert tick.target.chunk.sequence == operator.sequence
    operator.release()
    tick = robot.tick(10)
    assert tick.mode is Mode.HOLDING and tick.control_source is ControlSource.NONE
    assert tick.reason == "an operator gave the robot back, waiting for a chunk"
    assert tick.command[BASE] == 0.0 and robot.bridge.motion.at_rest
    robot.tick(100)
    assert robot.bridge.is_idle  # Nobody drove before: no fault, however long.


def test_with_nothing_to_do_an_operator_may_drive():
    robot, operator = scene()
    robot.bridge.follow_subtask(7, "", "")
    assert operator.drive(5, DRIVE).mode is Mode.RUNNING
    robot.bridge.follow_subtask(8, "dishes", "pick up the plate")
    assert robot.tick().control_source is ControlSource.TELEOP
    operator.release()
    robot.bridge.follow_subtask(9, "", "")
    assert robot.tick().reason == "nothing to do"


def test_the_policy_is_overridden_and_its_newest_chunk_continues():
    robot, operator = scene()
    robot.give(sequence=3)
    tick = robot.tick()
    assert (tick.control_source, tick.target.chunk.sequence) == (ControlSource.POLICY, 3)
    operator.drive(5)
    robot.give(sequence=4)
    tick = operator.drive(5)
    assert tick.control_source is ControlSource.TELEOP
    assert robot.bridge.counts["chunks_overridden"] == 1
    assert robot.bridge.counts["takeovers"] == 1
    operator.release()
    tick = robot.tick()
    assert (tick.mode, tick.control_source) == (Mode.RUNNING, ControlSource.POLICY)
    # Given at tick 6, its row 0 is due at tick 6, released before tick 12.
    assert (tick.target.chunk.sequence, tick.target.row) == (4, pytest.approx(6.0))


def test_the_chunk_that_ran_at_the_takeover_continues_if_no_newer_came():
    robot, operator = scene()
    robot.give(sequence=3)
    robot.tick()
    operator.drive(10)
    operator.release()
    tick = robot.tick()
    assert (tick.target.chunk.sequence, tick.target.row) == (3, pytest.approx(12.0))


def test_without_a_chunk_with_rows_left_it_holds_until_the_next():
    robot, operator = scene()
    robot.running()
    operator.drive(60)  # The chunk of 50 rows has ended.
    operator.release()
    tick = robot.tick()
    assert tick.mode is Mode.HOLDING
    assert tick.reason == "an operator gave the robot back, waiting for a chunk"
    assert robot.bridge.is_idle
    robot.tick(26)
    assert not robot.bridge.is_idle  # Its policy should have sent a chunk within 0.5 s.
    robot.give()
    assert robot.tick().control_source is ControlSource.POLICY
    robot.tick(60)
    assert robot.bridge.reason == "the last chunk has ended and no new one arrived"


def test_a_chunk_of_a_task_that_ended_meanwhile_does_not_continue():
    robot, operator = scene()
    robot.bridge.follow_subtask(1, "dishes", "pick up the plate")
    robot.give(subtask_id=1)
    robot.tick()
    operator.drive(3)
    robot.bridge.follow_subtask(2, "laundry", "pick up the shirt")
    operator.drive(3)
    operator.release()
    assert robot.tick().mode is Mode.HOLDING


def test_silence_holds_and_never_returns_the_robot_to_the_policy():
    robot, operator = scene()
    robot.give()
    robot.tick()
    operator.drive(20, DRIVE)
    rest = None
    for count in range(1, 40):
        robot.give()
        tick = robot.tick()
        assert tick.control_source is not ControlSource.POLICY
        if tick.command[BASE] == 0.0 and rest is None:
            rest = count
    # The last message came one period before tick 1; its chunk of 10 rows ends after tick 10, and
    # 0.2 s of silence have passed at tick 11. The base brakes within 4 ticks.
    assert rest <= 14
    assert tick.mode is Mode.HOLDING and tick.reason == "teleop is silent for 0.8 s"
    assert not robot.bridge.is_idle


def test_after_silence_it_follows_again_after_the_recovery_time():
    robot, operator = scene()
    operator.drive(5)
    robot.tick(20)
    reasons = []
    for _ in range(60):
        tick = operator.drive()
        reasons.append(tick.reason)
    # The last faulty tick was the 20th: 1.0 s later, at the 50th of these, the hold ends, and the
    # next chunk is followed.
    assert reasons[:49] == [RECOVERING] * 49
    assert reasons[49:51] == ["waiting for the next chunk of teleop", ""]


def test_a_release_ends_the_hold_of_a_silence_at_once():
    robot, operator = scene()
    robot.give()
    robot.tick()
    operator.drive(5)
    robot.tick(20)
    robot.give(sequence=9)
    operator.release()
    assert robot.tick().target.chunk.sequence == 9


def test_old_input_holds_while_the_messages_go_on():
    robot, operator = scene()
    operator.drive(5)
    stamp, ticks = robot.now, 0
    while robot.bridge.mode is not Mode.HOLDING:
        try:
            operator.hold(stamp_ns=stamp, start_ns=robot.now)
        except ChunkRejected as error:
            assert error.rule == "age"
            assert str(error) == "its input is 0.22 s old, the limit is 0.2 s"
        robot.tick()
        ticks += 1
    # 0.2 s is not too old yet, at the tick after the tenth.
    assert ticks == 11
    assert robot.bridge.reason == "the newest input of teleop is 0.22 s old: check its device"


def test_aligning_while_engaged_pauses_and_goes_on_without_recovery():
    robot, operator = scene()
    robot.give()
    operator.drive(5)
    for _ in range(30):
        operator.align()
        tick = robot.tick()
    assert tick.mode is Mode.HOLDING
    assert tick.reason == "teleop aligns: left_arm_joint_1 is 0.4 rad away"
    assert operator.drive().mode is Mode.RUNNING


def test_aligning_before_engaging_leaves_the_policy_alone():
    robot, operator = scene()
    robot.give()
    operator.align()
    assert robot.tick().control_source is ControlSource.POLICY


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"session": 1}, "session"),
        ({"epoch": 77}, "epoch"),
        ({"names": PLATFORM.names[:-1]}, "names"),
        ({"data": np.full(TELEOP_ROWS * 19, np.nan, np.float32)}, "not_finite"),
        ({"data": np.full(TELEOP_ROWS * 19, 9.0, np.float32)}, "limits"),
        ({"horizon": 0}, "horizon"),
        ({"sequence": 0}, "sequence"),
    ],
)
def test_a_chunk_that_breaks_a_rule_is_rejected_and_the_last_one_goes_on(changes, rule):
    robot, operator = scene()
    operator.drive(5, DRIVE)
    stamp = {"stamp_ns": robot.now - TICK} if rule == "sequence" else {}
    with pytest.raises(ChunkRejected) as caught:
        operator.hold(**changes, **stamp)
    assert caught.value.rule == rule
    assert robot.bridge.counts[f"teleop_rejected_{rule}"] == 1
    assert robot.tick().control_source is ControlSource.TELEOP
    assert operator.drive().mode is Mode.RUNNING


def test_a_device_whose_clock_is_a_little_ahead_is_followed():
    robot, operator = scene()
    for _ in range(5):
        operator.hold(stamp_ns=robot.now + 30_000_000, start_ns=robot.now)
        assert robot.tick().control_source is ControlSource.TELEOP
    with pytest.raises(ChunkRejected) as caught:
        operator.hold(stamp_ns=robot.now + 60_000_000, start_ns=robot.now)
    assert caught.value.rule == "future"


def test_a_device_engages_although_its_stamps_are_behind_those_of_the_last_one():
    robot, operator = scene()
    operator.drive(5)
    operator.release()
    operator.hold(stamp_ns=robot.now - 3 * TICK)
    assert robot.tick().control_source is ControlSource.TELEOP


def test_the_reason_of_the_node_is_the_reason_of_the_hold():
    robot, operator = scene()
    operator.drive(5)
    stamp = robot.now
    for _ in range(12):
        operator.sequence += 1
        chunk = robot.chunk(sequence=operator.sequence, stamp_ns=stamp, start_ns=robot.now)
        try:
            operator.send(TeleopState.ENGAGED, chunk, "its joint_2 jumped by 0.9 rad")
        except ChunkRejected as error:
            assert error.rule == "age"
        robot.tick()
    assert robot.bridge.mode is Mode.HOLDING
    assert robot.bridge.reason == "teleop: its joint_2 jumped by 0.9 rad"


def test_malformed_chunks_in_a_row_latch():
    robot, operator = scene()
    operator.drive(5)
    bad = np.full(TELEOP_ROWS * 19, np.nan, np.float32)
    for number in range(3):
        assert robot.bridge.mode is Mode.RUNNING, number
        with pytest.raises(ChunkRejected):
            operator.hold(data=bad)
        robot.tick()
    assert robot.bridge.mode is Mode.FAULTED
    assert robot.bridge.reason.startswith("3 malformed chunks of teleop in a row: row 0 of")


def test_malformed_chunks_of_an_overridden_policy_latch_nothing():
    robot, operator = scene()
    operator.drive(5)
    for _ in range(5):
        with pytest.raises(ChunkRejected):
            robot.give(horizon=0)
    assert operator.drive().mode is Mode.RUNNING
    assert robot.bridge.counts["chunks_rejected_horizon"] == 5


def test_a_held_switch_takes_control_even_with_a_bad_chunk():
    robot, operator = scene()
    robot.give()
    robot.tick()
    with pytest.raises(ChunkRejected):
        operator.hold(epoch=77)
    tick = robot.tick()
    assert (tick.mode, tick.reason) == (Mode.HOLDING, "waiting for the first chunk of teleop")
    for _ in range(12):
        with pytest.raises(ChunkRejected):
            operator.hold(epoch=77)
        robot.tick()
    assert robot.bridge.reason.startswith("the chunks of teleop are rejected: its epoch is 77")


def test_commands_of_two_nodes_latch():
    robot, operator = scene()
    other = Operator(robot)
    other.sequence = 500
    for _ in range(3):
        operator.hold()
        robot.tick()
        other.release()
        robot.tick()
    assert robot.bridge.mode is Mode.FAULTED
    assert robot.bridge.reason == "two nodes publish teleop_command: stop one of them"
    robot.bridge.reset()
    operator.release()
    assert robot.bridge.mode is Mode.DISARMED  # The other one is gone.
    other.release()
    operator.release()
    other.release()
    operator.release()
    assert robot.bridge.mode is Mode.FAULTED


def test_a_node_that_starts_anew_is_no_conflict():
    robot, operator = scene()
    operator.drive(50)
    operator.sequence = 0
    operator.release()
    operator.drive(100)
    operator.sequence = 0
    assert operator.drive(2).mode is Mode.RUNNING


def test_unfit_model_nodes_do_not_stop_an_operator():
    robot, operator = scene()
    robot.beats = {"policy": (1, "no chunks: inference hangs"), "teleop": (2, "")}
    robot.tick()
    assert robot.bridge.reason == "policy: no chunks: inference hangs"
    assert operator.drive().mode is Mode.RUNNING
    operator.release()
    assert robot.tick().reason == "policy: no chunks: inference hangs"


@pytest.mark.parametrize("node", ["camera_ingestion", "teleop"])
def test_other_unfit_nodes_do(node):
    robot, operator = scene()
    robot.beats = {node: (1, "not fit")}
    assert operator.drive(3).reason == f"{node}: not fit"


def test_a_silent_policy_holds_an_operator_too():
    robot, operator = scene()
    robot.beats = {"policy": (1, "")}
    operator.drive(3)
    robot.beats = {}
    assert operator.drive(10).reason.startswith("no heartbeat from policy")


def test_arming_forgets_who_drove_and_a_held_switch_takes_control_again():
    robot, operator = scene()
    operator.drive(5)
    robot.bridge.stop(robot.now, "stopped")
    robot.tick(60)
    robot.bridge.resume(robot.now, robot.steady)
    assert robot.tick().reason == "armed, waiting for a chunk"
    assert operator.drive(2).mode is Mode.RUNNING


def test_a_stopped_robot_does_not_follow_an_operator():
    robot, operator = scene()
    operator.drive(5, DRIVE)
    robot.bridge.stop(robot.now, "stopped")
    tick = operator.drive(60, DRIVE)
    assert tick.mode is Mode.STOPPED and tick.command is None


def test_time_that_jumps_back_holds_once():
    robot, operator = scene()
    operator.drive(5)
    robot.now -= 10_000_000_000
    assert robot.tick().mode is Mode.HOLDING
    assert operator.drive(60).mode is Mode.RUNNING


def test_a_release_mid_motion_brakes_within_the_limits():
    robot, operator = scene()
    for count in range(1, 40):
        # At 0.6 rad/s; rows go on at that speed.
        start = 0.6 * count * 0.02
        operator.hold(at_home(TELEOP_ROWS, left_arm_joint_1=start + 0.012 * np.arange(10)))
        before = robot.tick().command[JOINT]
    speed = 0.6
    operator.release()
    dimension = PLATFORM.dimensions[JOINT]
    for _ in range(60):
        after = robot.tick().command[JOINT]
        assert after - before >= -1e-9
        assert abs((after - before) / 0.02 - speed) <= dimension.max_acceleration * 0.02 + 1e-6
        speed, before = (after - before) / 0.02, after
    assert speed == 0.0 and robot.bridge.motion.at_rest


def test_state_numbers_are_those_of_the_messages():
    assert [state.value for state in TeleopState] == [0, 1, 2]
    assert [source.value for source in ControlSource] == [0, 1, 2]


def test_silence_is_noticed_after_simulated_time_jumped_back():
    robot, operator = scene()
    operator.drive(5)
    robot.now -= 10_000_000_000
    robot.steady -= 10_000_000_000
    robot.tick(12)
    assert robot.bridge.reason == "teleop is silent for 0.2 s"


def test_a_malformed_stamp_is_a_malformed_chunk():
    robot, operator = scene()
    operator.drive(5)
    for _ in range(3):
        operator.sequence += 1
        with pytest.raises(ChunkRejected) as caught:
            operator.send(TeleopState.ENGAGED)
        assert caught.value.rule == "stamp"
    assert robot.bridge.mode is Mode.FAULTED


def test_a_hold_ends_the_chunk_that_waits_for_the_return():
    robot, operator = scene()
    robot.give()
    robot.tick()
    operator.drive(3)
    robot.beats = {"camera_ingestion": (1, "front is silent")}
    operator.drive(1)
    robot.beats = {"camera_ingestion": (1, "")}
    operator.drive(1)
    operator.release()
    assert robot.tick().reason == RECOVERING
    assert robot.bridge.motion.chunk is None


def test_a_hold_of_the_policy_s_does_not_delay_an_operator_but_the_return():
    robot, operator = scene()
    robot.beats = {"planner": (1, "no usable subtask")}
    robot.tick(5)
    assert operator.drive(5).mode is Mode.RUNNING
    robot.beats = {"planner": (1, "")}
    operator.drive(10)
    robot.give()
    assert robot.bridge.counts["chunks_unused"] == 1  # Not healthy for a second yet.
    operator.release()
    assert robot.tick().reason == RECOVERING
    operator.drive(60)
    robot.give()
    operator.release()
    assert robot.tick().control_source is ControlSource.POLICY


def test_no_goal_for_a_gripper_before_an_operator_moves_it():
    robot, operator = scene()
    robot.tick(3)
    assert not robot.bridge.motion.has_run
    operator.drive(2)
    assert robot.bridge.motion.has_run


def test_a_good_chunk_between_bad_ones_latches_nothing():
    robot, operator = scene()
    for _ in range(3):
        for _ in range(2):
            with pytest.raises(ChunkRejected):
                operator.hold(horizon=0)
        operator.drive(1)
    assert robot.bridge.mode is Mode.RUNNING


def test_a_chunk_from_before_a_hold_does_not_continue_after_it():
    robot, operator = scene()
    operator.drive(2)
    robot.give_rows(at_home(60))
    robot.beats = {"camera_ingestion": (1, "front is silent")}
    operator.drive(1)
    robot.beats = {"camera_ingestion": (1, "")}
    operator.drive(52)
    assert robot.bridge.mode is Mode.RUNNING
    operator.release()
    assert robot.tick().mode is Mode.HOLDING  # Though five of the 60 rows are left.


def test_a_switch_that_is_pressed_anew_after_silence_is_followed_at_once():
    robot, operator = scene()
    operator.drive(5)
    robot.tick(20)
    operator.release()
    robot.tick()
    assert operator.drive().mode is Mode.RUNNING


def test_a_change_of_the_subtask_does_not_end_an_operator_s_chunks():
    robot, operator = scene()
    robot.bridge.follow_subtask(1, "dishes", "pick up the plate")
    operator.drive(5)
    robot.bridge.follow_subtask(2, "dishes", "put it down")
    for _ in range(60):
        assert operator.drive().mode is Mode.RUNNING


def test_the_time_out_of_reach_begins_anew_with_the_source():
    robot, operator = scene()
    robot.give()
    for tick in range(50):
        operator.drive(1, at_home(TELEOP_ROWS, left_arm_joint_1=1.0 if tick % 2 else -1.0))
    assert robot.bridge.motion.limiting > 0.5
    robot.give()
    operator.release()
    robot.tick()
    assert robot.bridge.motion.limiting <= 0.02
