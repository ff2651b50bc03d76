"""Who drives: dead-man switches, two devices, a robot that is not ready, faults."""

import numpy as np
import pytest
from fakes.teleop import Bench

from pi05_ros.platforms.platform import load_platform
from pi05_ros.teleop.device import DeviceInput, DeviceStatus, Match, TeleopDevice
from pi05_ros.teleop.session import SessionSettings, TeleopState

PLATFORM = load_platform("mobile_10dof")


class Lever(TeleopDevice):
    """A device with one entry, whose inputs a test sets."""

    kind = "leader"

    def __init__(self, name, value=0.0):
        self.name = name
        self.held, self.silent, self.jump, self.obstacle = False, "", "", ""
        self.value = value
        self.engagements = 0
        self.now_ns = 0

    @property
    def inputs(self):
        return [DeviceInput(f"/{self.name}", bool)]

    def add(self, topic, sample, at_ns):
        self.held = sample

    def status(self, now_ns):
        if not self.silent:
            self.now_ns = now_ns
        return DeviceStatus(self.held, self.now_ns, self.silent, "", self.jump)

    def match(self, robot, velocity):
        return Match(self.obstacle, 0.5 if self.obstacle else 0.0)

    def engage(self, robot):
        self.engagements += 1
        self.jump = ""

    def targets(self, last, robot):
        row = last.copy()
        row[0] += self.value
        return row


@pytest.fixture
def lever():
    return Lever("lever", 0.001)


@pytest.fixture
def bench(lever):
    """A bench whose device was idle for a moment."""
    bench = Bench(PLATFORM, [lever])
    bench.tick(count=8)
    return bench


def press(bench, lever, **state):
    """Press the switch, and tick."""
    lever.held = True
    bench.robot.update(state)
    return bench.tick()


def test_pressed_it_drives_from_where_the_robot_was_told_and_let_go_it_gives_back(bench, lever):
    bench.robot["commanded"] = np.array(PLATFORM.home)
    bench.robot["commanded"][[0, 8]] = 0.2, 0.3  # The base was driving.
    output = press(bench, lever)
    assert output.state is TeleopState.ENGAGED and bench.session.driver is lever
    expected = np.array(PLATFORM.home)
    expected[0] = 0.201
    np.testing.assert_allclose(output.rows, np.tile(expected, (10, 1)))
    assert bench.tick().rows[0][0] == pytest.approx(0.202)
    lever.held = False
    assert bench.tick().state is TeleopState.RELEASED
    assert bench.session.driver is None


def test_an_entry_that_was_never_commanded_stays_where_it_is_measured(bench, lever):
    commanded = np.full(PLATFORM.size, np.nan)
    measured = np.where(PLATFORM.is_velocity, 0.0, 0.5)
    bench.robot.update(commanded=commanded, measured=measured)
    bench.tick(count=8)
    output = press(bench, lever)
    np.testing.assert_allclose(output.rows[0], [0.501, *[0.5] * 7, 0.0, 0.0])


def test_a_switch_that_was_held_from_the_beginning_must_be_let_go_first(lever):
    bench = Bench(PLATFORM, [lever])
    lever.held = True
    output = bench.tick(count=10)
    assert output.state is TeleopState.ALIGNING
    assert output.reason == (
        "it was held when teleoperation started: let the dead-man switch go and press it again"
    )
    lever.held = False
    bench.tick()
    assert press(bench, lever).state is TeleopState.ENGAGED


def test_the_first_device_keeps_control_and_the_second_is_told_so():
    first, second = Lever("first"), Lever("second", 0.5)
    bench = Bench(PLATFORM, [second, first])
    bench.tick(count=8)
    press(bench, first)
    second.held = True
    output = bench.tick(count=5)
    assert output.device is first and second.engagements == 0
    assert bench.session.notices(bench.now_ns)["second"] == (
        "first has control: let the dead-man switch go and press it again"
    )
    first.held = False
    output = bench.tick(count=3)  # Still pressed, it does not get control by that.
    assert output.state is TeleopState.ALIGNING and second.engagements == 0
    second.held = False
    bench.tick()
    second.held = True
    assert bench.tick().device is second


def test_of_two_pressed_devices_the_one_pressed_first_is_asked():
    first, second = Lever("first"), Lever("second")
    first.obstacle = "far away"
    bench = Bench(PLATFORM, [second, first])
    bench.tick(count=8)
    second.obstacle = "also far"
    press(bench, first)
    second.held = True
    output = bench.tick()
    assert (output.device, output.reason, output.error) == (first, "far away", 0.5)
    second.obstacle = ""
    assert bench.tick().device is second


@pytest.mark.parametrize(
    "state, reason",
    [
        ({"is_armed": False, "reason": "not armed yet"}, "the robot is not armed: not armed yet"),
        ({"is_armed": False}, "the robot is not armed: arm it"),
    ],
)
def test_a_robot_that_is_not_armed_is_not_driven(bench, lever, state, reason):
    output = press(bench, lever, **state)
    assert (output.state, output.reason) == (TeleopState.ALIGNING, reason)
    bench.robot.update(is_armed=True)
    assert bench.tick().state is TeleopState.ENGAGED


def test_without_a_recent_state_of_the_robot_nothing_engages(lever):
    bench = Bench(PLATFORM, [lever])
    bench.tick()
    lever.held = True
    late_ns = bench.now_ns + 380_000_000
    output = bench.session.tick(late_ns)
    assert (output.state, output.reason) == (
        TeleopState.ALIGNING,
        "the robot's state is 0.4 s old",
    )


def test_a_robot_that_still_moves_though_nobody_drives_is_waited_for(bench, lever):
    bench.follows = False
    for k in range(8):
        bench.robot["measured"] = np.array(PLATFORM.home)
        bench.robot["measured"][2] += 0.01 * k  # 0.5 rad/s
        lever.held = k > 4
        output = bench.tick()
    assert output.state is TeleopState.ALIGNING
    assert output.reason == "arm_joint_3 still moves at 0.50/s"
    assert bench.tick(count=8).state is TeleopState.ENGAGED


def test_a_robot_that_follows_the_policy_is_taken_over_as_it_moves(bench, lever):
    bench.follows = False
    for k in range(8):
        bench.robot["measured"] = np.array(PLATFORM.home)
        bench.robot["measured"][2] += 0.01 * k
        bench.tick()
        bench.robot["is_running"] = True
    assert press(bench, lever).state is TeleopState.ENGAGED


@pytest.mark.parametrize("change", [{"epoch": 4}, {"session": 8}, {"is_armed": False}])
def test_a_stop_ends_control_and_the_switch_must_be_let_go(bench, lever, change):
    press(bench, lever)
    bench.tick(count=3)
    bench.robot.update(change, reason="stopped by an operator")
    output = bench.tick()
    assert output.state is TeleopState.ALIGNING and output.rows is None
    assert output.reason.startswith("the robot was stopped or disarmed: stopped by an operator")
    bench.robot.update(is_armed=True)
    assert bench.tick(count=5).state is TeleopState.ALIGNING
    lever.held = False
    assert bench.tick().state is TeleopState.RELEASED
    assert press(bench, lever).state is TeleopState.ENGAGED


def test_a_robot_that_was_held_does_not_go_after_a_device_that_moved_on(bench, lever):
    press(bench, lever)
    bench.tick(count=3)
    bench.follows = False
    bench.robot.update(reason="no pictures")
    assert bench.tick(count=20).is_fresh
    lever.value = 0.1  # Five rad/s. Joint 1 does 0.9 rad in 0.5 s.
    assert bench.tick(count=9).is_fresh
    output = bench.tick(count=2)
    assert output.reason.startswith("arm_joint_1 is 0.9")
    assert output.reason.endswith(" away since the robot was held: no pictures")


def test_a_bridge_that_does_not_follow_for_long_stops_the_output_until_let_go(bench, lever):
    press(bench, lever)
    bench.tick(count=3)
    bench.follows = False
    lever.value = 0.0
    bench.robot.update(reason="no pictures")
    output = bench.tick(count=150)
    assert output.is_fresh
    output = bench.tick(count=3)
    assert output.reason == "the control bridge does not follow: no pictures"
    assert output.state is TeleopState.ENGAGED and not output.is_fresh
    bench.follows = True
    assert not bench.tick(count=5).is_fresh
    lever.held = False
    assert bench.tick().state is TeleopState.RELEASED


def test_after_a_fault_another_device_takes_over_and_the_first_must_be_let_go():
    first, second = Lever("first"), Lever("second")
    bench = Bench(PLATFORM, [first, second])
    bench.tick(count=8)
    press(bench, first)
    first.silent = "unplugged"
    stopped = bench.tick(count=3)
    assert (stopped.device, stopped.reason) == (first, "unplugged")
    second.held = True
    output = bench.tick()
    assert output.device is second and output.is_fresh
    first.silent, second.held = "", False
    output = bench.tick()
    assert output.state is TeleopState.ALIGNING
    assert output.reason.startswith("unplugged; second took over: let the dead-man")


def test_a_fault_ends_when_the_switch_is_let_go(bench, lever):
    press(bench, lever)
    lever.jump = "it jumped"
    assert bench.tick().reason == "it jumped"
    lever.held = False
    assert bench.tick().state is TeleopState.RELEASED
    assert press(bench, lever).is_fresh


def test_the_number_of_rows_is_a_setting(lever):
    bench = Bench(PLATFORM, [lever], SessionSettings(rows=4))
    bench.tick()
    assert press(bench, lever).rows.shape == (4, PLATFORM.size)
