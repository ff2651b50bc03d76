"""Figures of hand-made seams, and counts of values outside the limits."""

import numpy as np
import pytest
from seams.metrics import WINDOW, measure, violations
from seams.record import TickRecord

from pi05_ros.control.modes import Mode
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
JOINT = PLATFORM.index("left_arm_joint_1")
BASE = PLATFORM.index("base_vx")
DT = PLATFORM.period


def record(wanted, before, sent, sequences, mode=Mode.RUNNING):
    """Ticks of one joint, the others at home."""

    def vector(value):
        values = PLATFORM.home.copy()
        values[JOINT] = value
        return values

    return [
        TickRecord(sequence, 8.0, vector(w), vector(b), vector(s), mode)
        for w, b, s, sequence in zip(wanted, before, sent, sequences, strict=True)
    ]


def test_a_step_at_the_seam_is_a_step_in_position_velocity_and_jerk():
    ticks = np.arange(60)
    sequences = [1 if tick < 30 else 2 for tick in ticks]
    before = 0.004 * ticks
    wanted = before + 0.1 * (ticks >= 30)
    course = measure(PLATFORM, record(wanted, before, before, sequences))
    (seam,) = course.seams
    assert seam.position == pytest.approx(0.1)
    assert seam.velocity == pytest.approx(0.1 / DT)  # There, and back a tick later.
    assert seam.jerk == pytest.approx(2 * 0.1 / DT**3)
    assert seam.sent_velocity == pytest.approx(0.0, abs=1e-9)
    assert (course.chunks, course.stood, course.violations) == (2, 0.0, 0)
    assert course.delay_rows == 8.0


def test_a_step_some_rows_behind_the_seam_belongs_to_it():
    ticks = np.arange(60)
    sequences = [1 if tick < 30 else 2 for tick in ticks]
    wanted = 0.05 * (ticks >= 30 + WINDOW - 1)
    (seam,) = measure(PLATFORM, record(wanted, 0 * ticks, 0 * ticks, sequences)).seams
    assert seam.position == pytest.approx(0.05)
    wanted = 0.05 * (ticks >= 30 + WINDOW)
    (seam,) = measure(PLATFORM, record(wanted, 0 * ticks, 0 * ticks, sequences)).seams
    assert seam.position == seam.velocity == 0.0


def test_standing_is_counted_from_the_first_chunk_on():
    sequences = [0] * 10 + [1] * 15 + [0] * 5 + [2] * 20
    course = measure(PLATFORM, record([0] * 50, [0] * 50, [0] * 50, sequences))
    assert course.stood == pytest.approx(5 / 40)


def test_what_leaves_a_limit_is_counted():
    still = [0.0] * 10
    assert violations(PLATFORM, record(still, still, still, [1] * 10)) == 0
    far = [3.0] * 10  # Its limit is 2.4.
    assert violations(PLATFORM, record(still, still, far, [1] * 10)) == 10
    fast = [0.037 * tick for tick in range(10)]  # 1.85 rad/s of 1.8.
    assert violations(PLATFORM, record(still, still, fast, [1] * 10)) == 9
    hard = [0.0] * 5 + [0.003] * 5  # 0.15 rad/s and back: 7.5 rad/s² of 7.
    assert violations(PLATFORM, record(still, still, hard, [1] * 10)) == 2


def test_a_base_may_stop_faster_than_it_drives_while_it_is_held():
    def driving(speeds, mode):
        entries = record([0] * 3, [0] * 3, [0] * 3, [1] * 3, mode)
        for entry, speed in zip(entries, speeds, strict=True):
            entry.command[BASE] = speed
        return entries

    braking = [0.1, 0.05, 0.0]  # 2.5 m/s²; it drives at 1.0 and stops at 6.25.
    assert violations(PLATFORM, driving(braking, Mode.RUNNING)) == 2
    assert violations(PLATFORM, driving(braking, Mode.HOLDING)) == 0
