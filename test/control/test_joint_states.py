"""Joint states of several drivers: which messages concern the platform, and which do not."""

import dataclasses

import pytest
from fakes.bridge_robot import PLATFORM, START, Robot

from pi05_ros.control.bridge import Bridge
from pi05_ros.control.measurement import StateAssembler
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


def two_arms():
    """Return mobile_19dof with an own driver for each arm, whose joints have the same names."""
    groups = []
    for group in PLATFORM.groups:
        if group.name in ("left_arm", "right_arm"):
            dimensions = tuple(
                dataclasses.replace(d, driver_joint=f"joint_{k + 1}")
                for k, d in enumerate(group.dimensions)
            )
            group = dataclasses.replace(
                group, joint_states_topic=f"/{group.name}/joint_states", dimensions=dimensions
            )
        groups.append(group)
    return dataclasses.replace(PLATFORM, groups=tuple(groups))


def test_joints_of_one_name_are_told_apart_by_their_topics():
    platform = two_arms()
    bridge = Bridge(platform, 1)
    names = [f"joint_{k}" for k in range(1, 7)]
    bridge.add_joint_states(names, [0.1] * 6, START, START, "/left_arm/joint_states")
    bridge.add_joint_states(names, [0.2] * 6, START, START, "/right_arm/joint_states")
    others = list(platform.joints_on("/joint_states"))
    bridge.add_joint_states(
        [d.joint_name for d in others], [0.01] * len(others), START, START, "/joint_states"
    )
    bridge.add_joint_states(names, [0.3] * 6, START, START, "/joint_states")  # None of its own.
    bridge.add_odometry((0.0, 0.0, 0.0), START, START)
    values = bridge.tick(START, START).measurement.values
    assert values[platform.slices["left_arm"]].tolist() == [0.1] * 6
    assert values[platform.slices["right_arm"]].tolist() == [0.2] * 6


def test_one_of_two_topics_that_stops_holds_the_robot():
    platform = dataclasses.replace(
        PLATFORM, joint_states_topic=("/left/joint_states", "/right/joint_states")
    )
    bridge = Bridge(platform, 1)
    joints = platform.joints_on("/left/joint_states")
    left = [d.joint_name for d in joints if d.name.startswith("left")]
    right = [d.joint_name for d in joints if not d.name.startswith("left")]
    later = START + 200_000_000
    for names, topic in ((left, "/left/joint_states"), (right, "/right/joint_states")):
        bridge.add_joint_states(names, [0.03] * len(names), START, START, topic)
    bridge.add_odometry((0.0, 0.0, 0.0), START, START)
    assert bridge.input_problem(START, START) == ""
    bridge.add_odometry((0.0, 0.0, 0.0), later, later)
    bridge.add_joint_states(left, [0.03] * len(left), later, later, "/left/joint_states")
    assert bridge.input_problem(later, later) == (
        "the measured state is 0.20 s old: nothing new of right_arm_joint_1"
    )


def test_a_backward_jump_of_time_makes_every_measurement_missing_again():
    assembler = StateAssembler(PLATFORM, 1.0)
    assert assembler.missing() == PLATFORM.names
    names = [d.joint_name for d in PLATFORM.dimensions if not d.is_velocity]
    for _ in range(2):
        assembler.add_joint_states(names, [0.0] * len(names), START, START)
        assert set(assembler.missing()) == {d.name for d in PLATFORM.dimensions if d.is_velocity}
        assembler.add_odometry([0.0, 0.0, 0.0], START, START)
        assert assembler.missing() == () and assembler.measurement() is not None
        assembler.clear()
        assert assembler.missing() == PLATFORM.names and assembler.measurement() is None
