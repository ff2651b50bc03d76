"""A base that does not move as commanded latches a fault; one that follows late does not."""

import dataclasses

import numpy as np
import pytest
from fakes.bridge_robot import BASE, PLATFORM, Robot, at_home

from pi05_ros.control.modes import Mode
from pi05_ros.control.velocity_watch import VelocityWatch
from pi05_ros.platforms.parts import Dimension
from pi05_ros.platforms.platform import load_platform

AXES = [PLATFORM.index(name) for name in ("base_vx", "base_vy", "base_wz")]


def drive(robot, base, ticks=500):
    """Let a base follow chunks of 0.3 m/s: base(command) -> measured; return ticks to a fault."""
    robot.base_follows = False
    for count in range(ticks):
        if count % 20 == 0 and robot.bridge.mode.is_armed:
            robot.give()
        tick = robot.tick()
        if tick.mode is Mode.FAULTED:
            return count
        robot.body.values[BASE] = base(tick.command[BASE])
    return None


def test_odometry_opposite_to_the_command_latches_a_fault():
    robot = Robot().armed()
    ticks = drive(robot, lambda command: -command)
    assert 0.5 < ticks * 0.02 < 0.8  # It was driven for ever.
    assert robot.bridge.reason == (
        "base_vx is measured at -0.30 m/s and commanded at 0.30: check the wheels and the sign of "
        "the odometry"
    )
    assert [robot.tick().command[BASE] for _ in range(5)][-1] == 0.0


def test_a_base_that_stands_while_it_is_commanded_latches_a_fault():
    robot = Robot().armed()
    assert 0.9 < drive(robot, lambda command: 0.0) * 0.02 < 1.3
    assert "is measured at 0.00 m/s and commanded at 0.30" in robot.bridge.reason


def test_a_base_that_drives_by_itself_latches_a_fault():
    robot = Robot().armed()
    robot.base_follows = False
    robot.body.values[AXES[2]] = 0.3
    robot.tick(25)
    assert robot.bridge.mode is Mode.HOLDING
    robot.tick(2)
    assert robot.bridge.mode is Mode.FAULTED and "base_wz" in robot.bridge.reason


def test_a_disarmed_base_may_be_pushed():
    robot = Robot()
    robot.base_follows = False
    robot.body.values[BASE] = 0.5
    assert robot.tick(100).mode is Mode.DISARMED
    robot.body.values[BASE] = 0.0
    robot.tick()
    robot.arm()
    assert robot.tick(50).mode is Mode.HOLDING


@pytest.mark.parametrize("share", [0.8, 1.0, 1.2])
def test_slip_and_a_wrong_scale_within_the_limit_are_no_fault(share):
    assert drive(Robot().armed(), lambda command: share * command) is None


@pytest.mark.parametrize("time_constant", [0.05, 0.2, 0.3])
def test_a_base_that_follows_late_is_no_fault(time_constant):
    base = [0.0]

    def late(command):
        base[0] += (command - base[0]) * 0.02 / time_constant
        return base[0]

    assert drive(Robot().armed(), late) is None


def run(speeds, measured, axis=0, platform=PLATFORM):
    """Return the first tick at which the watch reports; None: never."""
    watch = VelocityWatch(platform)
    for count, (speed, value) in enumerate(zip(speeds, measured, strict=True)):
        command, state = platform.home.copy(), platform.home.copy()
        command[AXES[axis]], state[AXES[axis]] = speed, value
        if watch.update(command, state):
            return count
    return None


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_slow_movement_against_the_command_counts_on_each_axis(axis, sign):
    speed = sign * 0.05 * PLATFORM.max_velocity[AXES[axis]]  # The error is below the limit.
    speeds = np.full(100, speed)
    assert 40 < run(speeds, -speeds, axis) < 60
    assert run(speeds, speeds, axis) is None
    assert run(speeds, 0 * speeds, axis) is None  # Too slow for its motors.


def test_reversed_odometry_is_found_though_the_command_alternates():
    speeds = 0.3 * np.sign(np.sin(np.pi * (np.arange(500) * 0.02 + 0.01)))  # Each second.
    assert run(speeds, -speeds) < 200
    assert run(speeds, speeds) is None


def test_late_and_reversing_is_no_fault():
    time = np.arange(1000) * 0.02
    speeds = 0.4 * np.sin(2 * np.pi * 0.5 * time)
    late = 0.4 * np.sin(2 * np.pi * 0.5 * np.maximum(time - 0.3, 0.0))
    assert run(speeds, late) is None


def test_noise_neither_hides_an_error_nor_makes_one():
    noise = np.random.default_rng(0).normal(0.0, 0.05, 500)
    speeds = np.full(500, 0.12)
    assert run(speeds, speeds + noise) is None
    assert run(speeds, -speeds + noise) < 100


def test_limits_are_the_platforms_an_axis_each():
    def patient(group):
        if group.kind != "base_velocity":
            return group
        vx, vy, wz = group.dimensions
        vx = dataclasses.replace(vx, max_velocity_error=0.4)
        vy = dataclasses.replace(vy, velocity_error_time_s=2.0)
        return dataclasses.replace(group, dimensions=(vx, vy, wz))

    groups = tuple(patient(group) for group in PLATFORM.groups)
    platform = dataclasses.replace(PLATFORM, groups=groups)
    speeds, still = np.full(200, 0.35), np.zeros(200)
    assert run(speeds, still, 0) < 55 and run(speeds, still, 0, platform) is None
    assert run(speeds, still, 1) < 55 and 120 < run(speeds, still, 1, platform) < 130


def test_a_platform_without_limits_has_a_fifth_of_its_velocity():
    axis = Dimension("base_vx", "m/s", max_velocity=2.0, max_acceleration=1.0)
    assert axis.velocity_error_limit == 0.4 and axis.velocity_error_time_s == 0.5


@pytest.mark.parametrize(("unit", "least"), [("m/s", 0.05), ("rad/s", 0.1)])
def test_an_axis_of_next_to_no_velocity_is_not_stopped_by_noise(unit, least):
    """A file may give an axis that the base does not have 1 mm/s."""
    axis = Dimension("base", unit, max_velocity=0.001, max_acceleration=0.01)
    assert axis.velocity_error_limit == least


@pytest.mark.parametrize("name", ["mobile_18dof", "mobile_19dof"])
def test_the_platforms_state_their_limits(name):
    base = load_platform(name).groups_of("base_velocity")[0]
    assert [axis.max_velocity_error for axis in base.dimensions] == [0.1, 0.1, 0.2]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"max_velocity_error": 0.0}, "must be above 0"),
        ({"max_velocity_error": float("nan")}, "must be above 0"),
        ({"velocity_error_time_s": 0.0}, "must be above 0"),
        (
            {"unit": "rad", "min_position": -1, "max_position": 1, "max_velocity_error": 0.1},
            "max_velocity_error is for base velocities",
        ),
    ],
)
def test_limits_that_make_no_sense_are_refused(changes, error):
    values = {"name": "a", "unit": "m/s", "max_velocity": 1.0, "max_acceleration": 1.0}
    with pytest.raises(ValueError, match=error):
        Dimension(**{**values, **changes})


def test_a_platform_without_a_base_is_not_watched():
    groups = tuple(group for group in PLATFORM.groups if group.kind != "base_velocity")
    platform = dataclasses.replace(PLATFORM, groups=groups, teleop=None)
    values = np.full(platform.size, 9.0)
    assert VelocityWatch(platform).update(values, -values) == ""


def test_a_chunk_at_rest_moves_no_base():
    robot = Robot().armed()
    robot.give_rows(at_home())
    assert robot.tick(45).mode is Mode.RUNNING
