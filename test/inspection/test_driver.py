"""Who drives, in words."""

import math

import numpy as np
import pytest

from pi05_ros.data.episodes.episode import CONTROL_NONE, CONTROL_POLICY, CONTROL_TELEOP
from pi05_ros.inspection.driver import DriverWatch, driver_text
from pi05_ros.inspection.facts import StateFacts, TeleopFacts

SECOND = 1_000_000_000


def state(control, stamp_s=1.0):
    return StateFacts(
        round(stamp_s * SECOND), np.zeros(2), np.zeros(2), 1, "", 0, math.nan, control
    )


def teleop(state="engaged", device="leader", reason="", error=math.nan):
    return TeleopFacts(state, device, reason, error)


@pytest.mark.parametrize(
    ("control", "command", "wanted"),
    [
        (CONTROL_NONE, None, "nobody drives"),
        (CONTROL_POLICY, teleop("released", ""), "the model drives"),
        (CONTROL_TELEOP, teleop(), "operator drives (leader)"),
        (CONTROL_TELEOP, None, "operator drives"),
        (CONTROL_POLICY, teleop("aligning", reason="elbow is 0.4 rad away"),
         "aligning: elbow is 0.4 rad away"),
        (CONTROL_POLICY, teleop("aligning", error=0.404), "aligning: 0.40 from the robot"),
        (CONTROL_POLICY, teleop("aligning"), "aligning: leader"),
        (7, None, "nobody drives"),
    ],
)  # fmt: skip
def test_it_is_said_in_words(control, command, wanted):
    assert driver_text(state(control), command) == wanted


def test_old_inputs_tell_nothing():
    watch = DriverWatch()
    assert watch.text(SECOND) == ""
    watch.add_state(state(CONTROL_TELEOP, 1.0))
    watch.add_teleop(teleop(), round(0.9 * SECOND))
    assert watch.text(round(1.3 * SECOND)) == "operator drives (leader)"
    assert watch.text(round(1.45 * SECOND)) == "operator drives"
    assert watch.text(round(1.5 * SECOND)) == ""
    watch.clear()
    assert watch.text(SECOND) == ""
