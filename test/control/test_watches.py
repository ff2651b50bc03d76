"""Checks on tracking error, limited targets and position jumps."""

import numpy as np
import pytest

from pi05_ros.control.watches import JumpWatch, LimitingWatch, TrackingWatch
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_19dof")
JOINT = PLATFORM.index("left_arm_joint_1")
TORSO = PLATFORM.index("torso_lift")
GRIPPER = PLATFORM.index("left_gripper")
BASE = PLATFORM.index("base_vx")
MS = 1_000_000


def off(index, amount):
    values = np.zeros(PLATFORM.size)
    values[index] = amount
    return values


def test_a_joint_may_be_off_for_a_tenth_of_a_second_and_no_longer():
    watch = TrackingWatch(PLATFORM, 0.2, 0.1)
    home = np.zeros(PLATFORM.size)
    for _ in range(5):
        assert watch.update(home, off(JOINT, -0.21)) == ""
    said = watch.update(home, off(JOINT, -0.21))
    assert said.startswith("left_arm_joint_1 is 0.21 rad away from its command: check")


def test_a_joint_that_comes_back_in_between_begins_anew():
    watch = TrackingWatch(PLATFORM, 0.2, 0.1)
    home = np.zeros(PLATFORM.size)
    for _ in range(5):
        for _ in range(5):
            assert watch.update(off(JOINT, 0.3), home) == ""
        assert watch.update(off(JOINT, 0.2), home) == ""
    for _ in range(5):
        watch.update(off(JOINT, 0.3), home)
    watch.clear()
    assert watch.update(off(JOINT, 0.3), home) == ""


@pytest.mark.parametrize(
    ("index", "amount", "reported"),
    [(TORSO, 0.11, True), (TORSO, 0.09, False), (GRIPPER, 1.0, False), (BASE, 0.5, False)],
)
def test_metres_count_double_grippers_and_base_not_at_all(index, amount, reported):
    watch = TrackingWatch(PLATFORM, 0.2, 0.1)
    said = [watch.update(np.zeros(PLATFORM.size), off(index, amount)) for _ in range(8)]
    assert bool(said[-1]) is reported


def test_the_worst_joint_is_named():
    watch = TrackingWatch(PLATFORM, 0.2, 0.1)
    error = off(JOINT, 0.3) + off(TORSO, 0.35) + off(TORSO + 1, 0.11)
    said = [watch.update(np.zeros(PLATFORM.size), error) for _ in range(6)][-1]
    assert said.startswith("torso_lift is 0.35")  # 3.5 times its limit, the joint 1.5 times.


def test_what_was_never_commanded_is_not_off():
    watch = TrackingWatch(PLATFORM, 0.2, 0.1)
    unsent = np.full(PLATFORM.size, np.nan)
    assert [watch.update(unsent, off(JOINT, 1.0)) for _ in range(9)] == [""] * 9


def test_a_lag_of_more_than_one_period_at_full_speed_is_limiting():
    watch = LimitingWatch(PLATFORM)
    reach = PLATFORM.max_velocity[JOINT] * 0.02
    assert watch.update(off(JOINT, reach * 0.99)) is False and watch.seconds == 0.0
    assert watch.update(off(JOINT, reach * 1.01)) is True
    assert watch.seconds == pytest.approx(0.02)
    speed = PLATFORM.max_acceleration[BASE] * 0.02
    assert watch.update(off(BASE, speed * 0.99)) is False
    assert watch.update(off(BASE, speed * 1.01)) is True


def test_a_tenth_of_a_second_of_calm_ends_the_limiting():
    watch = LimitingWatch(PLATFORM)
    watch.update(off(JOINT, 0.0))
    assert watch.seconds == 0.0
    for _ in range(10):
        watch.update(off(JOINT, 1.0))
    for _ in range(4):
        watch.update(off(JOINT, 0.0))
    assert watch.seconds == pytest.approx(0.28)
    watch.update(off(JOINT, 1.0))
    for _ in range(4):
        watch.update(off(JOINT, 0.0))
    assert watch.seconds == pytest.approx(0.38)
    watch.update(off(JOINT, 0.0))
    assert watch.seconds == 0.0
    watch.update(off(JOINT, 1.0))
    watch.clear()
    assert watch.seconds == 0.0


def test_a_position_that_no_motor_reaches_is_a_jump():
    watch = JumpWatch(PLATFORM, 0.25)
    speed = PLATFORM.max_velocity[JOINT]
    assert watch.update(JOINT, 0.5, 0) == ""  # The first one.
    said = watch.update(JOINT, 1.0, 10 * MS)
    assert "position of left_arm_joint_1 jumped by 0.50 rad within 10 ms" in said
    allowed = 0.25 + 2 * speed * 0.01
    assert watch.update(JOINT, 1.0 - allowed + 1e-6, 20 * MS) == ""
    assert watch.update(JOINT, 1.0 + 2e-6, 30 * MS) != ""
    # After a gap of a second the same distance is nothing.
    assert watch.update(JOINT, 0.5, 1030 * MS) == ""


def test_jumps_in_metres_count_double_grippers_not_at_all_and_time_may_begin_anew():
    watch = JumpWatch(PLATFORM, 0.25)
    for index in (TORSO, GRIPPER, JOINT):
        assert watch.update(index, 0.0, 100 * MS) == ""
    assert watch.update(TORSO, 0.13 + 2 * PLATFORM.max_velocity[TORSO] * 0.01, 110 * MS) != ""
    assert watch.update(GRIPPER, 1.0, 110 * MS) == ""
    assert watch.update(JOINT, 3.0, 50 * MS) == ""  # Stamped earlier: nothing to compare.
    watch.clear()
    assert watch.update(JOINT, 0.0, 60 * MS) == ""
