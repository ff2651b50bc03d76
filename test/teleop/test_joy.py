"""Gamepads as the Linux joy node publishes them, and the operator's page."""

import numpy as np
import pytest
from fakes.teleop import joy

from pi05_ros.platforms.teleop import AxisBinding, Gamepad
from pi05_ros.teleop.device import JoySample
from pi05_ros.teleop.joy import JoyReader, PageReader

LB, RB, X, B = 4, 5, 2, 1


def read(axes=None, pressed=(), gamepad=None):
    return JoyReader(gamepad or Gamepad(dead_zone=0.0)).demand(joy(axes, pressed))


def test_the_left_shoulder_button_of_an_xbox_pad_is_its_dead_man():
    reader = JoyReader(Gamepad())
    assert reader.held(joy(pressed=(LB,)))
    assert not reader.held(joy(pressed=(RB,)))
    assert JoyReader(Gamepad(dead_man=7)).held(joy(pressed=(7,)))


def test_the_sticks_drive_the_base_and_the_cross_drives_the_torso():
    # The joy node counts up and left as positive, as REP-103 counts forward and left.
    demand = read({1: 0.5, 0: -0.25, 3: 1.0, 7: -1.0})
    np.testing.assert_allclose(demand.base, [0.5, -0.25, 1.0])
    np.testing.assert_allclose(demand.torso, [-1.0, 0.0])
    assert not demand.linear.any() and not demand.angular.any()


def test_with_the_right_shoulder_button_the_same_axes_drive_the_hand():
    demand = read({1: 0.5, 0: -0.25, 4: 0.75, 3: 1.0, 6: 1.0, 7: -1.0}, pressed=(RB,))
    np.testing.assert_allclose(demand.linear, [0.5, -0.25, 0.75])
    np.testing.assert_allclose(demand.angular, [-1.0, 1.0, 1.0])
    assert not demand.base.any() and not demand.torso.any()


def test_a_trigger_that_was_never_touched_reports_0_and_asks_for_nothing():
    reader = JoyReader(Gamepad())
    assert reader.demand(joy({2: 0.0, 5: 0.0})).gripper == 0.0
    assert reader.demand(joy({2: -1.0, 5: 0.0})).gripper == -1.0  # Left closes.
    assert reader.demand(joy({2: 1.0, 5: -1.0})).gripper == 1.0  # Right opens.
    assert reader.demand(joy()).gripper == 0.0
    # From now on a value of 0 is half pulled: (0.5 - 0.1) / 0.9.
    assert reader.demand(joy({5: 0.0})).gripper == pytest.approx(0.4444, abs=1e-4)


def test_a_pad_that_was_away_has_untouched_triggers_again():
    reader = JoyReader(Gamepad())
    reader.demand(joy())
    reader.forget()
    assert reader.demand(joy({2: 0.0, 5: 0.0})).gripper == 0.0


def test_the_dead_zone_is_cut_out_and_the_rest_of_the_way_starts_at_0():
    def forward(value):
        return read({1: value}, gamepad=Gamepad(dead_zone=0.2)).base[0]

    assert [forward(v) for v in (0.0, 0.19, -0.2)] == [0.0, 0.0, 0.0]
    assert forward(-0.6) == pytest.approx(-0.5)
    assert forward(1.0) == pytest.approx(1.0)


def test_a_face_button_chooses_the_hand_and_it_stays_chosen():
    reader = JoyReader(Gamepad())
    hands = [reader.demand(joy(pressed=p)).hand for p in ((), (B,), (), (X,), ())]
    assert hands == [0, 1, 1, 0, 0]


def test_the_ps4_pad_has_its_square_button_elsewhere():
    reader = JoyReader(Gamepad(layout="ps4"))
    hands = [reader.demand(joy(pressed=p, buttons=13)).hand for p in ((1,), (2,), (3,))]
    assert hands == [1, 1, 0]


def test_any_other_pad_is_described_in_yaml():
    pad = Gamepad(
        layout="custom",
        dead_man=0,
        dead_zone=0.0,
        axes=(AxisBinding(0, "hand_z", sign=-1), AxisBinding(1, "base_wz", with_button=1)),
    )
    demand = JoyReader(pad).demand(JoySample((0.5, 1.0), (1, 0)))
    assert demand.linear[2] == -0.5 and demand.base[2] == 0.0
    assert JoyReader(pad).demand(JoySample((0.5, 1.0), (1, 1))).base[2] == 1.0


@pytest.mark.parametrize(
    "sample, problem",
    [
        (JoySample((0.0,) * 6, (0,) * 11), "it has 6 axes and 11 buttons, the layout needs 8 and"),
        (joy({3: float("nan")}), "axis 3 is nan, wanted -1 to 1"),
        (joy({1: 2.0}), "axis 1 is 2.0, wanted -1 to 1"),
    ],
)
def test_a_message_of_another_pad_or_with_bad_numbers_is_refused(sample, problem):
    assert JoyReader(Gamepad()).problem(sample).startswith(problem)


def test_the_page_sends_shares_of_full_speed_and_openings_of_grippers():
    axes = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, -1.0, 0.25)
    reader = PageReader()
    sample = JoySample(axes, (1, 1))
    assert reader.problem(sample) == "" and reader.held(sample)
    demand = reader.demand(sample)
    np.testing.assert_allclose(demand.base, [0.1, 0.2, 0.3])
    np.testing.assert_allclose(demand.torso, [0.4, 0.0])
    np.testing.assert_allclose(demand.linear, [0.5, 0.6, 0.7])
    np.testing.assert_allclose(demand.angular, [0.8, 0.9, 1.0])
    assert demand.hand == 1 and demand.grippers == {1: 0.25}
    assert reader.problem(JoySample(axes[:11], (1, 1))).startswith("it has 11 axes")
