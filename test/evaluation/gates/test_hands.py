"""Distances of hands between two chunks, with the base's motion."""

import numpy as np
import pytest
from fakes.gate_episodes import PLATFORM

from pi05_ros.evaluation.gates.hands import HandComparison


@pytest.fixture(scope="module")
def compare():
    return HandComparison(PLATFORM)


def chunk(**values):
    made = np.repeat(PLATFORM.home[None], 50, axis=0)
    for name, value in values.items():
        made[:, PLATFORM.index(name)] += value
    return made


def test_a_base_that_turns_carries_the_hand(compare):
    """At rest in the base frame, the hands are turned about the base by half a radian."""
    still, turning = chunk(), chunk(base_wz=1.0)
    error = compare(turning, still, 25)
    x, y = compare._hands.positions(still[:1])[0, 0, :2]
    assert error.whole == pytest.approx(100 * np.hypot(x, y) * 2 * np.sin(0.25))
    assert error.in_base == 0.0 and error.moves == 0.0
    assert compare(still, turning, 25).moves == pytest.approx(error.whole)


def test_arm_and_base_may_make_up_for_each_other(compare):
    """The torso of this robot only rises, so both add at right angles: 3, 4 and 5 cm."""
    recorded = chunk()
    error = compare(chunk(torso_lift=0.04, base_vx=0.06), recorded, 25)
    assert error.in_base == pytest.approx(4.0)
    assert error.whole == pytest.approx(5.0)


@pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left")])
def test_the_hand_that_moves_in_the_recording_counts(compare, side, other):
    recorded = chunk(**{f"{side}_arm_joint_1": np.linspace(0.0, 0.5, 50)})
    off = recorded.copy()
    off[:, PLATFORM.index(f"{other}_arm_joint_2")] += 0.5
    assert compare(off, recorded, 25).whole == pytest.approx(0.0, abs=1e-9)
    off = recorded.copy()
    off[:, PLATFORM.index(f"{side}_arm_joint_2")] += 0.5
    assert compare(off, recorded, 25).whole > 5.0
