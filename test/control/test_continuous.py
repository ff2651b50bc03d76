"""Joints that turn without end: no limits, and differences modulo a turn."""

import dataclasses
import math

import numpy as np
import pytest
from fakes.bridge_robot import PLATFORM, TICK, Robot

from pi05_ros.control.modes import Mode
from pi05_ros.control.watches import JumpWatch, TrackingWatch
from pi05_ros.evaluation.bridged_robot import joint_states
from pi05_ros.platforms.parts import Dimension

WRIST = PLATFORM.index("left_arm_joint_6")
TURN = 2.0 * math.pi


def endless(home=3.0):
    """Return mobile_19dof with a continuous left wrist."""
    arm = PLATFORM.groups[0]
    wrist = dataclasses.replace(
        arm.dimensions[5], min_position=None, max_position=None, continuous=True, home=home
    )
    arm = dataclasses.replace(arm, dimensions=(*arm.dimensions[:5], wrist))
    return dataclasses.replace(PLATFORM, groups=(arm, *PLATFORM.groups[1:]))


ENDLESS = endless()


class Turning(Robot):
    """A robot that follows every command, and whose driver reports the wrist from -π to π."""

    wraps = True

    def measure(self):
        state = self.body.values.copy()
        if self.wraps:
            state[WRIST] = math.remainder(state[WRIST], TURN)
        names, positions = joint_states(self.platform, state)
        self.bridge.add_joint_states(names, positions, self.now, self.now)
        self.bridge.add_odometry((0.0, 0.0, 0.0), self.now, self.now)

    def tick(self, count=1):
        for _ in range(count):
            tick = super().tick()
            if tick.command is not None:
                self.body.values = np.where(self.platform.is_velocity, 0.0, tick.command)
        return tick

    def turn(self, speed, seconds, wrapped_rows):
        """Turn the wrist at `speed` [rad/s]; return its commands."""
        sent = []
        for step in range(round(seconds * 50)):
            if step % 10 == 0:
                rows = np.tile(self.platform.home, (50, 1))
                rows[:, WRIST] = self.body.values[WRIST] + np.arange(50) * speed * 0.02
                if wrapped_rows:
                    rows[:, WRIST] = np.arctan2(np.sin(rows[:, WRIST]), np.cos(rows[:, WRIST]))
                self.give_rows(rows)
            tick = self.tick()
            assert tick.mode == Mode.RUNNING, tick.reason
            sent.append(tick.command[WRIST])
        return np.array(sent)


@pytest.mark.parametrize("wrapped_rows", [False, True])
@pytest.mark.parametrize("wraps", [False, True])
@pytest.mark.parametrize("speed", [1.0, -1.0])
def test_a_wrist_turns_past_pi_and_on(speed, wraps, wrapped_rows):
    robot = Turning(endless(math.copysign(3.0, speed)))
    robot.wraps = wraps
    robot.armed()
    sent = robot.turn(speed, 8.0, wrapped_rows)
    steps = np.diff(sent) * math.copysign(1.0, speed)
    # Never a jump, never the long way round: it goes on as fast as the chunks ask.
    assert (steps > -1e-3).all() and (steps < 0.049).all()
    assert abs(sent[-1] - sent[0]) == pytest.approx(8.0, abs=0.3)


def test_what_is_reported_as_commanded_lies_beside_the_measurement():
    robot = Turning(ENDLESS).armed()
    robot.turn(1.0, 3.0, False)
    tick = robot.bridged.tick(robot.now + TICK, robot.steady + TICK)
    state = robot.bridged.state(tick, robot.now)
    assert tick.command[WRIST] > math.pi and tick.measurement.values[WRIST] < 0
    assert abs(state.commanded[WRIST] - state.measured[WRIST]) < 0.1
    np.testing.assert_array_equal(
        np.delete(state.commanded, WRIST), np.delete(tick.command, WRIST)
    )


def test_arming_again_continues_in_the_turn_of_the_last_command():
    robot = Turning(ENDLESS).armed()
    before = robot.turn(1.0, 3.0, False)[-1]
    robot.bridge.disarm(robot.now)
    robot.tick(40)
    robot.arm()
    after = robot.tick().command[WRIST]
    assert math.pi < before < after < before + 0.3


def test_a_driver_that_counts_turns_is_believed_when_it_was_moved_by_hand():
    robot = Turning(ENDLESS)
    robot.wraps = False
    robot.armed().tick(10)
    robot.bridge.disarm(robot.now)
    robot.tick(40)
    robot.bridge.measured_state.clear()
    robot.body.values[WRIST] += 3 * TURN + 0.5
    robot.tick()
    for _ in range(2):
        robot.arm()
        robot.tick(10)
        assert robot.tick().command[WRIST] == pytest.approx(3.5 + 3 * TURN)
        robot.bridge.disarm(robot.now)
        robot.tick(40)


def test_a_true_jump_and_a_true_error_are_still_found():
    jumps = JumpWatch(ENDLESS, 0.25)
    jumps.update(WRIST, 3.1, 0)
    assert jumps.update(WRIST, -3.1, TICK) == ""
    assert "jumped by 0.90" in jumps.update(WRIST, -2.2, 2 * TICK)
    tracking = TrackingWatch(ENDLESS, 0.2, 0.1)
    command, measured = ENDLESS.home.copy(), ENDLESS.home.copy()
    measured[WRIST] = command[WRIST] - TURN
    assert not any(tracking.update(command, measured) for _ in range(10))
    measured[WRIST] += 0.3
    said = [tracking.update(command, measured) for _ in range(10)][-1]
    assert said.startswith("left_arm_joint_6 is 0.30 rad away")


def test_a_joint_with_limits_still_jumps():
    jumps = JumpWatch(PLATFORM, 0.25)
    jumps.update(WRIST, 3.1, 0)
    assert "jumped by 6.20" in jumps.update(WRIST, -3.1, TICK)


def test_garbage_is_rejected_without_limits():
    robot = Turning(ENDLESS).armed()
    rows = np.tile(ENDLESS.home, (50, 1))
    rows[:, WRIST] = 1e6
    with pytest.raises(Exception, match="left_arm_joint_6 is 1e.06, outside -10000 to 10000"):
        robot.give_rows(rows)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"min_position": -1.0}, "a continuous joint has no position limits"),
        ({"unit": "m"}, "min_position and max_position are missing"),
        ({"unit": "m", "min_position": 0.0, "max_position": 1.0}, "only a joint in rad can be"),
        ({"unit": "rad/s"}, "only a joint in rad can be continuous"),
        (
            {"continuous": False},
            "max_position, or 'continuous: true' are missing",
        ),
    ],
)
def test_what_cannot_be_continuous(changes, problem):
    values = {"name": "wrist", "unit": "rad", "max_velocity": 1.0, "max_acceleration": 1.0}
    Dimension(**values, continuous=True)
    with pytest.raises(ValueError, match=problem):
        Dimension(**{**values, "continuous": True, **changes})


def test_differences_take_the_short_way_in_continuous_joints_only():
    a, b = ENDLESS.home.copy(), ENDLESS.home.copy()
    a[WRIST], b[WRIST] = 3.1, -3.1
    a[0], b[0] = 3.1, -3.1
    change = ENDLESS.difference(a, b)
    assert change[WRIST] == pytest.approx(6.2 - TURN) and change[0] == pytest.approx(6.2)
    low, high = ENDLESS.usual_range
    assert (low[WRIST], high[WRIST]) == (-math.pi, math.pi) and low[0] == ENDLESS.lower[0]
