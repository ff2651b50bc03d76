"""Chunks of the policy while an operator drives: afresh, at the usual pace, without a delay."""

import math
from dataclasses import replace

import pytest
from fakes.scheduled_policy import PERIOD, Policy, rows

from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.robot_view import RobotView
from pi05_ros.chunking.settings import CHUNK_MODES

TELEOP = 2
CONTINUES = [n for n, mode in CHUNK_MODES.items() if mode.continuation is not None]


def drive(policy, k, sequence=900):
    """An operator drives at row k: a chunk of his is followed."""
    policy.state = replace(
        policy.state,
        stamp_ns=rows(k),
        commanded_ns=rows(k),
        mode=1,
        control_source=TELEOP,
        chunk_sequence=sequence,
        chunk_stamp_ns=rows(k),
        chunk_row=0.0,
    )
    policy.scheduler.add_state(policy.state)


def give_back(policy, k, chunk, row):
    policy.say(rows(k), chunk, row, control_source=1)


@pytest.mark.parametrize("mode", CONTINUES)
def test_nothing_continues_what_an_operator_does(mode):
    policy = Policy(mode=mode)
    policy.run_one(0)
    drive(policy, 10)
    request = policy.ask(30)
    assert request.continuation is None and request.is_first


@pytest.mark.parametrize("mode", CHUNK_MODES)
def test_chunks_come_at_the_pace_of_the_execution_horizon(mode):
    policy = Policy(mode=mode, execution_horizon=25)
    drive(policy, 0)
    policy.publish(policy.ask(1), 4)
    drive(policy, 5)
    assert policy.ask(25) is None
    assert policy.ask(26) is not None


@pytest.mark.parametrize("mode", CONTINUES)
def test_the_chunk_that_continues_counts_from_then_on_and_tells_no_delay(mode):
    policy = Policy(mode=mode)
    policy.run_one(0)
    estimate, delay = policy.scheduler.estimate_rows, policy.scheduler.delay_rows
    drive(policy, 20)
    chunk = policy.publish(policy.ask(30), 34)
    for k in range(35, 50):
        drive(policy, k)
    assert policy.scheduler.counts["overridden by an operator"] == 1
    assert policy.scheduler.counts["never executed"] == 0
    give_back(policy, 50, chunk, 20.0)
    assert policy.scheduler.counts["executed"] == 2
    assert (policy.scheduler.estimate_rows, policy.scheduler.delay_rows) == (estimate, delay)
    request = policy.ask(56)
    assert request.continuation is not None
    # Row 0 of the new chunk is row 26 of the one that continues.
    assert request.continuation.actions[0, 0] == pytest.approx(2.0 * 26)


def test_an_operator_s_chunk_with_the_numbers_of_the_policy_s_executes_nothing():
    policy = Policy(mode="async")
    request, release = policy.publish(policy.ask(0), 4)
    policy.say(rows(5), (request, release), 1.0, mode=1, control_source=TELEOP)
    assert policy.scheduler.counts["executed"] == 0
    assert math.isnan(policy.scheduler.delay_rows)


def test_a_takeover_is_not_running_out():
    policy = Policy(mode="async")
    policy.run_one(0)
    drive(policy, 60)
    assert policy.scheduler.counts["ran out"] == 0


def test_a_robot_that_an_operator_holds_still_does_not_stand():
    view = RobotView()
    values = policy_state(control_source=TELEOP)
    for k in range(5):
        view.add(StateSample(stamp_ns=rows(k), **values))
    assert view.is_overridden and not view.follows_chunk
    assert not view.stands_since(rows(5) + PERIOD)


def policy_state(**changes):
    """Return fields of a state of a running robot."""
    zeros = Policy().state.measured
    fields = {"names": ("a", "b"), "measured": zeros, "commanded": zeros}
    fields |= {"session": 5, "epoch": 2, "mode": 1, "chunk_sequence": 4, "chunk_row": 0.0}
    return fields | changes
