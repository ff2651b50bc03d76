"""Jogging: speeds, the hand's inverse kinematics, and its limits."""

import numpy as np
import pytest
from fakes.teleop import Bench, joy

from pi05_ros.platforms.platform import load_platform
from pi05_ros.platforms.teleop import JogSpeeds
from pi05_ros.teleop.devices import PAGE_TOPIC, make_devices
from pi05_ros.teleop.hands import Hands
from pi05_ros.teleop.jog import Jogger
from pi05_ros.teleop.joy import JogDemand
from pi05_ros.teleop.robot_view import RobotView
from pi05_ros.teleop.session import TeleopState

LB, RB, B = 4, 5, 1
HANDS = {}  # By platform: compiling their models takes a while.


def hands_of(platform):
    return HANDS.setdefault(platform.name, Hands(platform))


def jog(platform, demand, ticks, speeds=None, start=None):
    """Targets after some ticks of a demand, with a bridge that follows at once; all rows."""
    jogger = Jogger(platform, speeds or platform.teleop.jog, hands_of(platform))
    rows = [np.array(platform.home if start is None else start)]
    for _ in range(ticks):
        still = np.where(platform.is_velocity, 0.0, rows[-1])
        view = RobotView(1, rows[-1], rows[-1], 1, 1, True, True, True)
        rows.append(jogger.step(still, demand, view))
    return np.array(rows)


def test_base_torso_and_gripper_move_at_their_speeds():
    platform = load_platform("mobile_19dof")
    demand = JogDemand(
        base=np.array([1.0, -0.5, 0.5]), torso=np.array([-0.5, 1.0]), hand=1, gripper=-1.0
    )
    rows = jog(platform, demand, 10)  # 0.2 s
    moved = dict(zip(platform.names, rows[-1] - rows[0], strict=True))
    assert moved["torso_lift"] == pytest.approx(-0.5 * 0.1 * 0.2)
    assert moved["torso_reach"] == pytest.approx(0.1 * 0.2)
    assert moved["right_gripper"] == pytest.approx(-1.5 * 0.2)
    assert moved["left_gripper"] == 0.0 and moved["left_arm_joint_2"] == 0.0
    assert [moved[f"base_{a}"] for a in ("vx", "vy", "wz")] == pytest.approx([0.3, -0.15, 0.3])


def test_a_differential_base_gets_its_two_components():
    platform = load_platform("mobile_10dof")
    row = jog(platform, JogDemand(base=np.array([0.5, 1.0, -1.0])), 1)[-1]
    np.testing.assert_allclose(row[8:], [0.15, -0.6])


@pytest.mark.parametrize("name", ["mobile_18dof", "mobile_19dof", "mobile_10dof"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_hand_moves_along_an_axis_of_the_base_without_turning(name, axis):
    platform = load_platform(name)
    linear = np.zeros(3)
    linear[axis] = -0.8
    hand = len(hands_of(platform).names) - 1
    rows = jog(platform, JogDemand(linear=linear, hand=hand), 20)
    motion = hands_of(platform).motion(hands_of(platform).names[hand])
    before, after = motion.pose(rows[0]), motion.pose(rows[-1])
    expected = np.zeros(3)
    expected[axis] = -0.8 * 0.15 * 0.4
    np.testing.assert_allclose(after.translation() - before.translation(), expected, atol=1e-3)
    turn = (after.rotation() @ before.rotation().inverse()).log()
    np.testing.assert_allclose(turn, 0.0, atol=4e-3)
    others = np.setdiff1d(np.arange(platform.size), motion.joints)
    np.testing.assert_array_equal(rows[-1][others], rows[0][others])


def test_a_hand_turns_about_an_axis_of_the_base_where_it_is():
    platform = load_platform("mobile_18dof")
    rows = jog(platform, JogDemand(angular=np.array([0.0, 0.0, 0.5])), 20)
    motion = hands_of(platform).motion("left_gripper")
    before, after = motion.pose(rows[0]), motion.pose(rows[-1])
    turn = (after.rotation() @ before.rotation().inverse()).log()
    np.testing.assert_allclose(turn, [0.0, 0.0, 0.5 * 0.8 * 0.4], atol=4e-3)
    np.testing.assert_allclose(after.translation(), before.translation(), atol=1e-3)


@pytest.mark.parametrize("direction", [(1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, 0, 1), (0, 0, -1)])
def test_at_the_end_of_its_reach_no_step_is_faster_than_a_joint_and_no_limit_is_left(direction):
    platform = load_platform("mobile_18dof")
    fast = JogSpeeds(hand_linear=0.5)
    rows = jog(platform, JogDemand(linear=np.array(direction, dtype=float)), 120, fast)
    steps = np.abs(np.diff(rows, axis=0))[:, :14]
    assert (steps <= platform.max_velocity[:14] * platform.period + 1e-9).all()
    assert (rows >= platform.lower - 1e-12).all() and (rows <= platform.upper + 1e-12).all()
    # It stands at the end: what it could not do is not saved up.
    assert steps[-10:].max() < 0.003
    back = jog(platform, JogDemand(linear=-np.array(direction, dtype=float)), 25, None, rows[-1])
    motion = hands_of(platform).motion("left_gripper")
    gone = motion.pose(back[-1]).translation() - motion.pose(back[0]).translation()
    assert gone @ direction < -0.04  # 0.075 m were asked for.


def test_targets_do_not_run_away_from_a_robot_that_stands():
    platform = load_platform("mobile_18dof")
    jogger = Jogger(
        platform, JogSpeeds(torso_entries=("torso_lift",), torso=0.25), Hands(platform)
    )
    home = np.array(platform.home)
    view, row = RobotView(1, home, home, 1, 1, True, True, True), home
    for _ in range(40):
        row = jogger.step(row, JogDemand(torso=np.array([-1.0, 0.0])), view)
    assert row[14] == pytest.approx(0.25 - 0.25 * 0.25)  # A quarter of a second at 0.25 m/s.


def test_a_gamepad_drives_while_its_button_is_held_and_the_arm_holds_where_it_was_told():
    platform = load_platform("mobile_18dof")
    devices = make_devices(platform, hands_of(platform))
    pad = next(device for device in devices if device.kind == "gamepad")
    bench = Bench(platform, [pad])
    bench.robot["measured"] = np.array(platform.home) + 0.01  # Under its load.
    bench.tick((pad, "/joy", joy({1: 1.0})), count=3)
    assert bench.output.state is TeleopState.RELEASED
    output = bench.tick((pad, "/joy", joy({1: 1.0}, pressed=(LB,))))
    assert output.state is TeleopState.ENGAGED
    expected = np.array(platform.home)
    expected[15] = 0.3
    np.testing.assert_allclose(output.rows, np.tile(expected, (10, 1)))
    output = bench.tick((pad, "/joy", joy({1: 1.0})))
    assert output.state is TeleopState.RELEASED and output.rows is None


def test_the_page_is_silent_while_nobody_drives_and_engages_with_its_first_message():
    platform = load_platform("mobile_18dof")
    page = make_devices(platform, hands_of(platform))[-1]
    bench = Bench(platform, [page])
    assert bench.tick(count=3).state is TeleopState.RELEASED
    assert bench.session.notices(bench.now_ns) == {"page": ""}
    frame = joy({0: 0.5, 2: 0.0, 5: 0.0, 10: -1.0, 11: -1.0}, pressed=(0,), count=12, buttons=2)
    output = bench.tick((page, PAGE_TOPIC, frame))
    assert output.state is TeleopState.ENGAGED
    assert output.rows[0][15] == pytest.approx(0.15)
    # The browser is gone: the stamp stays, so the bridge holds, and goes on holding.
    stamp = output.stamp_ns
    output = bench.tick(count=22)
    assert (output.state, output.stamp_ns) == (TeleopState.ENGAGED, stamp)
    assert output.reason.startswith("nothing usable from console/joy for 0.3 s")
    released = joy({2: 0.0, 5: 0.0, 10: -1.0, 11: -1.0}, count=12, buttons=2)
    assert bench.tick((page, PAGE_TOPIC, released)).state is TeleopState.RELEASED
