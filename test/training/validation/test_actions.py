"""Figures of chunks, computed by hand."""

import numpy as np
import pytest
from fakes.held_out import HORIZON, PLATFORM, STATS

from pi05_ros.model.normalization import NormStats
from pi05_ros.training.validation.actions import ChunkPair, chunk_figures, swap_ratio


def pair(change, platform=PLATFORM.name, valid=HORIZON, stats=STATS):
    target = np.repeat(PLATFORM.home[None], HORIZON, axis=0)
    predicted = target + change
    return ChunkPair(platform, stats, 50.0, predicted, target, np.arange(HORIZON) < valid)


def column(name, values):
    change = np.zeros((HORIZON, PLATFORM.size))
    change[:, PLATFORM.index(name)] = values
    return change


def test_errors_by_group_unit_and_horizon():
    # Rows 4, 24 and 49 end the first 0.1, 0.5 and 1 s at 50 Hz.
    figures = chunk_figures([pair(column("left_arm_joint_1", np.arange(HORIZON) / 100))])
    assert figures["error_rad/left_arm/0.1s"] == pytest.approx(0.04 / 6)
    assert figures["error_rad/left_arm/0.5s"] == pytest.approx(0.24 / 6)
    assert figures["error_rad/left_arm/1.0s"] == pytest.approx(0.49 / 6)
    assert figures["error_rad/right_arm/1.0s"] == 0.0
    turning = chunk_figures([pair(column("base_wz", 0.3))])
    assert turning["error_rad_per_s/base/0.1s"] == pytest.approx(0.3)
    assert turning["error_m_per_s/base/0.1s"] == 0.0


def test_rows_behind_the_end_do_not_count():
    figures = chunk_figures([pair(column("torso_lift", 0.1), valid=30)])
    assert "error_m/torso/0.5s" in figures
    assert "error_m/torso/1.0s" not in figures


def test_the_hand_rises_with_the_torso():
    figures = chunk_figures([pair(column("torso_lift", 0.02)), pair(column("torso_lift", 0.0))])
    assert figures["hand_cm/0.5s"] == pytest.approx(1.0)


def test_grippers_agree_by_the_half():
    # Home is open (1.0). Half of the rows close the left gripper of two.
    change = column("left_gripper", np.where(np.arange(HORIZON) < 25, -0.6, -0.4))
    assert chunk_figures([pair(change)])["gripper_accuracy"] == pytest.approx(0.75)


def test_a_robot_of_another_lab_has_groups_by_unit():
    stats = NormStats.from_limits(
        [f"j{k}" for k in range(PLATFORM.size)], STATS.units, PLATFORM.lower, PLATFORM.upper
    )
    figures = chunk_figures([pair(column("torso_lift", 0.1), platform="theirs", stats=stats)])
    assert figures["error_m/all/0.5s"] == pytest.approx(0.1)
    assert not [name for name in figures if name.startswith("hand_cm")]
    assert figures["gripper_accuracy"] == 1.0


def test_swap_ratio():
    own = [np.full((2, 2), value) for value in (1.0, -1.0)]  # Distance 1 to their mean.
    moved = [np.full((2, 2), value) for value in (1.5, -1.5)]
    chunks = [("r", a, b) for a, b in zip(own, moved, strict=True)]
    assert swap_ratio(chunks) == pytest.approx(0.5)
    assert swap_ratio([("r", a, a) for a in own]) == 0.0
    # Robots are compared with their own mean.
    far = [
        (name, a + 10 * (name == "s"), b + 10 * (name == "s"))
        for name in "rs"
        for _, a, b in chunks
    ]
    assert swap_ratio(far) == pytest.approx(0.5)
    assert swap_ratio(chunks[:1]) is None
    assert swap_ratio([]) is None
