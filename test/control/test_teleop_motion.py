"""No jump when the source changes: limits hold for any targets and any times of the switch."""

import numpy as np
import pytest
from fakes.bridge_robot import JOINT, PLATFORM, Robot, at_home
from fakes.operator import TELEOP_ROWS, Operator
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.control.chunk import ControlSource
from pi05_ros.control.modes import Mode

DT = PLATFORM.period
POSITIONS = ~PLATFORM.is_velocity


def driven(platform=PLATFORM):
    """Return an armed robot that follows its commands, and its operator."""
    robot = Robot(platform)
    robot.body.follows = True
    return robot.armed(), Operator(robot)


def check_limits(commands):
    """Check commands (N, D) of following periods against all limits of the platform."""
    commands = np.array(commands)
    slack = 1e-9
    assert (commands >= PLATFORM.lower - slack).all()
    assert (commands <= PLATFORM.upper + slack).all()
    velocity = np.diff(commands, axis=0) / DT
    position_speed = np.abs(velocity[:, POSITIONS])
    assert (position_speed <= PLATFORM.max_velocity[POSITIONS] + 1e-6).all()
    acceleration = np.abs(np.diff(velocity, axis=0) / DT)[:, POSITIONS]
    assert (acceleration <= PLATFORM.max_acceleration[POSITIONS] + 1e-4).all()
    # A hold brakes the base in 80 ms, faster than it accelerates.
    base = ~POSITIONS
    braking = np.maximum(PLATFORM.max_acceleration, PLATFORM.max_velocity / 0.08)
    assert (np.abs(velocity[:, base]) <= braking[base] + 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    switches=st.lists(st.integers(1, 40), min_size=2, max_size=8),
)
def test_random_targets_and_switches_stay_within_all_limits(seed, switches):
    robot, operator = driven()
    random = np.random.default_rng(seed)
    robot.tick()
    commands, engaged = [PLATFORM.home.copy()] * 3, False
    speed = random.uniform(-1, 1, PLATFORM.size) * PLATFORM.max_velocity
    leader = PLATFORM.home.copy()
    for ticks in switches:
        engaged = not engaged
        if not engaged:
            operator.release()
        if random.random() < 0.5:  # The leader jumps, or goes on where it was.
            leader = random.uniform(PLATFORM.lower, PLATFORM.upper)
        for tick in range(ticks):
            leader = np.clip(leader + speed * DT, PLATFORM.lower, PLATFORM.upper)
            if engaged:
                operator.hold(np.tile(leader, (TELEOP_ROWS, 1)))
            if tick % 10 == 0:
                goal = random.uniform(PLATFORM.lower, PLATFORM.upper)
                robot.give_rows(np.linspace(robot.bridge.motion.commanded, goal, 50))
            commands.append(robot.tick().command)
    assert robot.bridge.mode in (Mode.RUNNING, Mode.HOLDING), robot.bridge.reason
    check_limits(commands)


def test_a_fade_to_an_operator_survives_chunks_at_every_tick():
    robot, operator = driven()
    away = at_home(TELEOP_ROWS, left_arm_joint_1=0.3)
    commands = [operator.drive(1, away).command[JOINT] for _ in range(60)]
    # A minimum-jerk step over 0.3 rad with half of the limits: its largest slope is half of the
    # greatest velocity, or what its duration by the acceleration leaves.
    dimension = PLATFORM.dimensions[JOINT]
    duration = max(
        1.875 * 0.3 / (0.5 * dimension.max_velocity),
        np.sqrt(10 / 3**0.5 * 0.3 / (0.5 * dimension.max_acceleration)),
    )
    x = np.minimum(np.arange(60) * DT / duration, 1.0)
    expected = 0.3 * x**3 * (10 - 15 * x + 6 * x**2)
    np.testing.assert_allclose(commands, expected, atol=1e-6)


@pytest.mark.parametrize("interval", [4, 20])
def test_a_fade_back_to_the_policy_survives_its_next_chunks(interval):
    robot, operator = driven()
    operator.drive(100, at_home(TELEOP_ROWS, left_arm_joint_1=0.3))
    operator.release()
    commands = [robot.tick().command[JOINT]]
    assert commands[0] == pytest.approx(0.3)
    robot.give_rows(at_home(50))
    operator.drive(1, at_home(TELEOP_ROWS, left_arm_joint_1=0.3))
    operator.release()
    robot.give_rows(at_home(50))
    for tick in range(60):
        if tick and tick % interval == 0:
            robot.give_rows(at_home(50))
        step = robot.tick()
        assert step.control_source is ControlSource.POLICY
        commands.append(step.command[JOINT])
    speeds = -np.diff(commands) / DT
    assert commands[-1] == pytest.approx(0.0, abs=1e-6)
    assert speeds.max() <= 0.5 * PLATFORM.dimensions[JOINT].max_velocity + 1e-6
    assert speeds.min() >= -1e-9  # Straight there.


def test_a_clutch_while_both_move_does_not_step():
    robot, operator = driven()
    commands = []
    for count in range(40):  # The policy moves the joint at 0.5 rad/s.
        if count % 20 == 0:
            start = robot.bridge.motion.commanded_near(PLATFORM.home)[JOINT] if count else 0.0
            robot.give_rows(at_home(50, left_arm_joint_1=start + 0.01 * np.arange(50)))
        commands.append(robot.tick().command)
    for count in range(60):  # The leader comes from 0.2 rad away at -0.5 rad/s.
        start = 0.6 - 0.01 * count
        rows = at_home(TELEOP_ROWS, left_arm_joint_1=start - 0.01 * np.arange(TELEOP_ROWS))
        commands.append(operator.drive(1, rows).command)
    check_limits(commands)
    assert commands[-1][JOINT] == pytest.approx(0.6 - 0.01 * 59, abs=0.01)


def test_a_leader_that_jumps_is_approached_within_the_limits():
    robot, operator = driven()
    commands = [operator.drive().command for _ in range(5)]
    jump = at_home(TELEOP_ROWS, left_arm_joint_1=1.0)
    commands += [operator.drive(1, jump).command for _ in range(100)]
    check_limits(commands)
    assert max(command[JOINT] for command in commands) <= 1.0 + 1e-9
    assert commands[-1][JOINT] == pytest.approx(1.0)


def test_a_leader_out_of_reach_holds():
    robot, operator = driven()
    reasons = []
    for tick in range(200):  # ±1 rad at every other tick.
        rows = at_home(TELEOP_ROWS, left_arm_joint_1=1.0 if tick % 2 else -1.0)
        reasons.append(operator.drive(1, rows).reason)
    assert "chunk targets exceed the robot's limits" in reasons
