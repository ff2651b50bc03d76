"""omni_wheel_drive_controller: the timeout and its exceptions."""

import math

import pytest

from pi05_ros.sim.controllers.base_velocity import BaseVelocityConfig, BaseVelocityController
from pi05_ros.sim.controllers.goals import CommandRejected

MS = 1_000_000
NOW = 10_000 * MS
STILL = (0.0, 0.0, 0.0)
DRIVE = (0.1, -0.2, 0.3)


@pytest.fixture
def base():
    controller = BaseVelocityController(BaseVelocityConfig(cmd_vel_timeout_s=0.2))
    controller.reset(NOW)
    return controller


def test_stands_still_before_the_first_command(base):
    assert base.update(NOW) == STILL
    assert base.update(NOW + 1_000 * MS) == STILL


def test_a_command_lasts_as_long_as_the_timeout(base):
    base.set_command(NOW, DRIVE, NOW)
    assert base.update(NOW) == DRIVE
    assert base.update(NOW + 200 * MS) == DRIVE
    assert base.update(NOW + 201 * MS) == STILL


def test_a_zero_stamp_is_now(base):
    base.set_command(0, DRIVE, NOW)
    assert base.update(NOW + 200 * MS) == DRIVE
    assert base.update(NOW + 201 * MS) == STILL


def test_a_future_stamp_defeats_the_timeout(base):
    base.set_command(NOW + 5_000 * MS, DRIVE, NOW)
    assert base.update(NOW + 5_200 * MS) == DRIVE
    assert base.update(NOW + 5_201 * MS) == STILL


def test_an_old_stamp_is_not_taken(base):
    base.set_command(NOW, DRIVE, NOW)
    with pytest.raises(CommandRejected, match="a stamp 0.200 s old, cmd_vel_timeout is 0.2 s"):
        base.set_command(NOW - 200 * MS, (1.0, 1.0, 1.0), NOW)
    assert base.update(NOW) == DRIVE


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_what_is_not_finite_keeps_the_last_finite_command_for_ever_while_fresh(base, bad, axis):
    base.set_command(NOW, DRIVE, NOW)
    base.update(NOW)
    sent = list(DRIVE)
    sent[axis] = bad
    for k in range(1, 100):
        now = NOW + k * 100 * MS
        base.set_command(now, tuple(sent), now)
        assert base.update(now) == DRIVE
    assert base.update(now + 201 * MS) == STILL


def test_nan_as_the_first_command_stands_still(base):
    base.set_command(NOW, (math.nan, 0.0, 0.0), NOW)
    assert base.update(NOW) == STILL


def test_nothing_is_limited(base):
    base.set_command(NOW, (1e3, 0.0, 0.0), NOW)
    assert base.update(NOW) == (1e3, 0.0, 0.0)


def test_a_timeout_of_0_takes_every_stamp_and_drives_on_none_that_is_past():
    base = BaseVelocityController(BaseVelocityConfig(cmd_vel_timeout_s=0.0))
    base.set_command(NOW - 9_000 * MS, DRIVE, NOW)
    assert base.update(NOW) == STILL
    base.set_command(NOW, DRIVE, NOW)
    assert base.update(NOW) == DRIVE
    assert base.update(NOW + MS) == STILL


def test_reset_forgets(base):
    base.set_command(NOW, DRIVE, NOW)
    base.update(NOW)
    base.reset(NOW)
    assert base.update(NOW) == STILL


def test_config():
    with pytest.raises(ValueError, match="cmd_vel_timeout_s -1 is below 0"):
        BaseVelocityConfig(cmd_vel_timeout_s=-1)
