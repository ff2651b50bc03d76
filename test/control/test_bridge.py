"""The bridge's modes and checks, on a clock that the test turns."""

import numpy as np
import pytest
from fakes.bridge_robot import BASE, JOINT, PLATFORM, SESSION, START, TICK, Robot

from pi05_ros.control.bridge import Bridge
from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.control.modes import RECOVERING, Mode
from pi05_ros.errors import MessageError


def test_disarmed_sends_nothing():
    robot = Robot()
    robot.tick()
    robot.give()
    tick = robot.tick()
    assert tick.mode == Mode.DISARMED and tick.command is None
    assert np.isnan(robot.bridge.motion.commanded).all()


def test_armed_holds_where_it_stands_until_a_chunk_comes():
    robot = Robot().armed()
    tick = robot.tick()
    assert tick.mode == Mode.HOLDING and tick.reason == "armed, waiting for a chunk"
    np.testing.assert_allclose(tick.command, PLATFORM.home)
    robot.give()
    assert robot.tick().mode == Mode.RUNNING


def test_arming_voids_earlier_chunks():
    robot = Robot()
    robot.tick()
    old = robot.chunk()
    robot.arm()
    with pytest.raises(ChunkRejected, match="epoch is 1, the current epoch is 2"):
        robot.bridge.add_chunk(old, robot.now)


def test_the_base_stands_when_a_chunk_ends_and_no_other_comes():
    robot = Robot().armed()
    robot.give()
    speeds = []
    for _ in range(55):
        speeds.append(robot.tick().command[BASE])
    assert max(speeds) == pytest.approx(0.3, abs=1e-6)
    assert robot.bridge.mode == Mode.HOLDING
    assert speeds[49] == pytest.approx(0.0, abs=0.02)  # The chunk's last row is at tick 49.
    assert speeds[-1] == 0.0


def test_rows_that_are_past_are_never_executed():
    robot = Robot().armed()
    actions = np.tile(PLATFORM.home, (50, 1))
    actions[:5, JOINT] = -0.5
    robot.give(stamp_ns=robot.now - 5 * TICK, data=actions.astype(np.float32).ravel())
    assert robot.tick().command[JOINT] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"session": 1}, "session"),
        ({"epoch": 77}, "epoch"),
        ({"stamp_ns": START - 600_000_000}, "age"),
        ({"stamp_ns": START + 200_000_000}, "future"),
        ({"names": PLATFORM.names[:-1]}, "names"),
        ({"names": (PLATFORM.names[1], PLATFORM.names[0], *PLATFORM.names[2:])}, "names"),
        ({"period": 0.021}, "period"),
        ({"period": float("nan")}, "period"),
        ({"horizon": 0}, "horizon"),
        ({"horizon": 2_000_000_000}, "horizon"),
        ({"horizon": 51}, "shape"),
        ({"data": np.full(50 * 19, np.inf, np.float32)}, "not_finite"),
        ({"data": np.full(50 * 19, 9.0, np.float32)}, "limits"),
    ],
)
def test_a_chunk_that_breaks_a_rule_is_rejected_and_what_runs_goes_on(changes, rule):
    robot = Robot().armed()
    robot.give()
    robot.tick()
    with pytest.raises(ChunkRejected) as caught:
        robot.give(**changes)
    assert caught.value.rule == rule
    assert robot.bridge.counts[f"chunks_rejected_{rule}"] == 1
    assert robot.tick().mode == Mode.RUNNING


def test_doubled_and_overtaken_chunks_are_rejected_but_a_restarted_policy_is_heard():
    robot = Robot().armed()
    first = robot.chunk()
    robot.tick(3)
    robot.give()
    with pytest.raises(ChunkRejected, match="not newer"):
        robot.bridge.add_chunk(first, robot.now)
    robot.tick()
    robot.give(sequence=1)  # A new policy counts from 1; its observation is newer.
    assert robot.bridge.counts["chunks_accepted"] == 2


def test_values_just_outside_the_limits_are_clamped_and_counted():
    robot = Robot().armed()
    actions = np.tile(PLATFORM.home, (50, 1))
    actions[:, JOINT] = PLATFORM.upper[JOINT] + 0.01 * (
        PLATFORM.upper[JOINT] - PLATFORM.lower[JOINT]
    )
    robot.give(data=actions.astype(np.float32).ravel())
    assert robot.bridge.counts["values_clamped"] == 50


def test_old_measurements_hold_and_come_back_after_a_second_of_health():
    robot = Robot().armed()
    robot.give()
    robot.tick(3)
    robot.measured = False
    tick = robot.tick(6)
    assert tick.mode == Mode.HOLDING and "old" in tick.reason
    robot.measured = True
    robot.tick()
    robot.give()  # Not executed yet: the measurements are not trusted.
    assert robot.tick(45).reason == RECOVERING
    robot.tick(10)
    robot.give()
    assert robot.tick().mode == Mode.RUNNING


def test_three_faulty_joint_states_in_a_row_hold():
    robot = Robot().armed()
    robot.give()
    robot.tick()
    names, positions = robot.joint_states()
    broken = [*positions[:-1], float("nan")]
    for count in range(3):
        assert robot.bridge.tick(robot.now + count * TICK, robot.steady).mode == Mode.RUNNING
        with pytest.raises(MessageError, match="is nan; dropped"):
            robot.bridge.add_joint_states(names, broken, robot.now, robot.now)
    assert robot.bridge.tick(robot.now + 3 * TICK, robot.steady).mode == Mode.HOLDING


def test_a_stop_wins_over_chunks_and_latches():
    robot = Robot().armed()
    robot.give()
    robot.tick(20)
    robot.bridge.stop(robot.now, "stopped by an operator")
    robot.give()
    speeds = [robot.tick().command[BASE] for _ in range(5)]
    assert speeds[-1] == 0.0 and robot.bridge.mode == Mode.STOPPED
    with pytest.raises(MessageError, match="call 'reset' first"):
        robot.arm()
    assert robot.tick(40).command is None
    robot.bridge.reset()
    robot.arm()
    assert robot.tick().mode == Mode.HOLDING


def test_disarm_brakes_before_it_goes_quiet():
    robot = Robot().armed()
    robot.give()
    robot.tick(20)
    robot.bridge.disarm(robot.now)
    commands = [robot.tick().command for _ in range(30)]
    assert commands[5][BASE] == 0.0 and commands[-1] is None


def test_arming_names_what_is_not_measured():
    with pytest.raises(MessageError, match="no measurement of left_arm_joint_1"):
        Bridge(PLATFORM, SESSION).arm(START, START)


def test_time_that_jumps_back_voids_chunks_and_measurements():
    robot = Robot().armed()
    robot.give()
    robot.tick()
    robot.bridge.time_jumped_back(robot.now - 1_000_000_000)
    robot.measured = False
    robot.now -= 1_000_000_000
    tick = robot.tick()
    assert tick.mode == Mode.HOLDING and "no measurement" in tick.reason


def test_joint_states_come_in_any_order_in_parts_and_with_strangers():
    robot = Robot()
    backwards = list(zip(*robot.joint_states(), strict=True))[::-1]
    half = len(backwards) // 2
    for part in (backwards[:half] + [("wheel_front_joint", float("nan"))], backwards[half:]):
        names, positions = zip(*part, strict=True)
        robot.bridge.add_joint_states(names, positions, START, START)
    robot.bridge.add_odometry((0.1, 0.2, 0.3), START, START)
    values = robot.bridge.tick(START, START).measurement.values
    expected = PLATFORM.home.copy()
    expected[BASE : BASE + 3] = (0.1, 0.2, 0.3)
    np.testing.assert_allclose(values, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("names", "positions", "problem"),
    [
        (["left_arm_joint_1", "b"], [0.0], "2 names but 1 positions"),
        (["left_arm_joint_1", "left_arm_joint_1"], [0.0, 0.0], "is repeated"),
    ],
)
def test_joint_states_that_contradict_themselves_are_dropped(names, positions, problem):
    with pytest.raises(MessageError, match=problem):
        Robot().bridge.add_joint_states(names, positions, START, START)


def test_a_clock_that_steps_back_is_noticed_and_new_chunks_are_heard():
    robot = Robot().armed()
    robot.give()
    assert robot.tick().mode == Mode.RUNNING
    robot.now -= 50_000_000_000  # The simulation begins anew.
    epoch = robot.bridge.epoch
    assert robot.tick().mode == Mode.HOLDING
    assert robot.bridge.epoch == epoch + 1
    robot.tick(60)
    robot.give()
    assert robot.tick().mode == Mode.RUNNING


def test_a_joint_far_outside_its_limits_is_not_armed_into_a_jump():
    robot = Robot()
    robot.body.values[JOINT] = 3.0
    robot.tick()
    with pytest.raises(MessageError, match=r"left_arm_joint_1 is at 3.000 rad, outside"):
        robot.arm()
    robot.body.values[JOINT] = 2.42  # Within one period's reach.
    robot.tick()
    robot.arm()
    assert robot.tick().command[JOINT] == PLATFORM.upper[JOINT]


def test_arming_waits_until_the_robot_has_come_to_rest():
    robot = Robot().armed()
    robot.give()
    robot.tick(10)
    robot.bridge.disarm(robot.now)
    with pytest.raises(MessageError, match="still braking"):
        robot.arm()
    robot.tick(10)
    robot.arm()


def test_holding_goes_on_after_disarm_until_all_stand():
    robot = Robot(settle_time_s=0.02).armed()
    robot.give()
    robot.tick(20)
    robot.bridge.disarm(robot.now)
    last = None
    while (command := robot.tick().command) is not None:
        last = command
    assert last[BASE] == 0.0


def test_a_joint_position_that_overflows_is_dropped():
    robot = Robot()
    with pytest.raises(MessageError, match="left_gripper_joint is 1e"):
        robot.bridge.add_joint_states(["left_gripper_joint"], [1e308], START, START)


def test_a_platform_without_a_base_ignores_odometry():
    import dataclasses

    groups = tuple(g for g in PLATFORM.groups if g.kind != "base_velocity")
    bridge = Bridge(dataclasses.replace(PLATFORM, groups=groups, teleop=None), SESSION)
    bridge.add_odometry((0.1, 0.0, 0.0), START, START)
    assert "base_vx" not in bridge.input_problem(START, START)
