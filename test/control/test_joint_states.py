"""Joint states of several drivers: which messages concern the platform, and which do not."""

import pytest
from fakes.bridge_robot import PLATFORM, START, Robot

from pi05_ros.control.modes import Mode

NAN = float("nan")
LATER = START + 10**9
WHEELS = ["wheel_left_joint", "wheel_right_joint"]
FOREIGN = {
    "velocity only": (WHEELS, []),
    "no names at all": ([], []),
    "positions without names": ([], [0.1]),
    "fewer positions than names": (WHEELS, [0.1]),
    "not finite": (WHEELS, [NAN, NAN]),
    "a name twice": ([WHEELS[0], WHEELS[0]], [0.1, 0.2]),
}


@pytest.mark.parametrize("message", FOREIGN.values(), ids=FOREIGN)
def test_a_message_without_the_platforms_joints_is_ignored_at_any_rate(message):
    robot = Robot().armed()
    robot.give()
    for _ in range(40):
        for _ in range(5):  # 250 Hz beside 50 Hz.
            robot.bridge.add_joint_states(*message, robot.now, robot.now)
            robot.bridge.add_joint_states(*message, LATER, robot.now)
        assert robot.tick().mode == Mode.RUNNING
    assert robot.bridge.counts["joint_states_dropped"] == 0


def test_foreign_messages_do_not_hide_faulty_ones():
    robot = Robot().running()
    names, positions = robot.joint_states()
    for _ in range(3):
        with pytest.raises(Exception, match="is nan; dropped"):
            robot.bridge.add_joint_states(names, [*positions[:-1], NAN], robot.now, robot.now)
        robot.bridge.add_joint_states(WHEELS, [], robot.now, robot.now)
    tick = robot.bridge.tick(robot.now, robot.steady)
    assert tick.mode == Mode.HOLDING and "is nan" in tick.reason


def test_a_driver_that_never_gives_positions_is_named():
    robot = Robot()
    names, positions = robot.joint_states()
    robot.bridge.add_joint_states(names[1:], positions[1:], START, START)
    robot.bridge.add_joint_states(names[:1], [], START, START)
    robot.bridge.add_odometry((0.0, 0.0, 0.0), START, START)
    reason = robot.bridge.input_problem(START, START)
    assert reason.startswith("joint states name left_arm_joint_1 without a position: its driver")
    robot.bridge.add_joint_states(names[:1], positions[:1], START, START)
    assert robot.bridge.input_problem(START, START) == ""


def test_positions_that_stop_make_the_state_old():
    robot = Robot().running()
    robot.measured = False
    names, _ = robot.joint_states()
    for _ in range(7):
        robot.bridge.add_joint_states(names, [], robot.now, robot.now)
        tick = robot.tick()
    assert tick.mode == Mode.HOLDING and "s old" in tick.reason
    assert PLATFORM.size == len(tick.command)
