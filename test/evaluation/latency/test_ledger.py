"""Chunks joined with the states that follow them."""

from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy")

from fakes.chunk_lives import MS, SESSION, WALL, S, chunk, run, state

from pi05_msgs.msg import ActionChunk, RobotState
from pi05_ros.evaluation.latency.ledger import LatencyLog, chunk_record, state_record


def log_of(messages) -> LatencyLog:
    log = LatencyLog()
    for _, message in messages:
        if isinstance(message, ActionChunk):
            log.add_chunk(chunk_record(message))
        else:
            log.add_state(state_record(message))
    return log


def test_first_execution_is_the_first_command_that_follows_the_chunk():
    log = log_of(run(3)).chunks()
    assert [t.chunk.sequence for t in log] == [1, 2, 3]
    assert [t.executed_ns - t.chunk.publication_ns for t in log] == [15 * MS] * 3


def test_states_may_come_before_their_chunk_and_in_any_order():
    messages = run(3)
    assert log_of(messages[::-1]).chunks() == log_of(messages).chunks()


def test_a_chunk_that_nobody_followed_is_lost_unless_it_is_too_young_to_tell():
    log = log_of(run(4, lost=(1, 3))).chunks()
    assert [t.executed_ns is None for t in log] == [False, True, False, True]
    assert [t.is_open for t in log] == [False, False, False, False]
    messages = run(4, lost=(1, 3))
    until = messages[-1][0] - 600 * MS
    young = log_of([m for m in messages if m[0] < until]).chunks()
    assert [timed.is_open for timed in young] == [False, False, False, True]
    messages = run(4)
    executed = log_of([m for m in messages if m[0] < messages[-1][0] - 800 * MS]).chunks()
    assert executed[-1].executed_ns is not None and not executed[-1].is_open


def test_the_same_chunk_twice_is_one():
    log = log_of(run(2) + run(2))
    assert log.chunk_count == 2


def test_another_session_or_another_policy_s_first_chunk_is_another_chunk():
    log = LatencyLog()
    first, second = chunk(1, WALL), chunk(1, WALL + 9 * S)
    stranger = state(WALL + S, first, WALL + S)
    stranger.session = SESSION + 1
    for made in (first, second):
        log.add_chunk(chunk_record(made))
    log.add_state(state_record(stranger))
    log.add_state(state_record(state(WALL + 10 * S, second, WALL + 10 * S)))
    assert [timed.executed_ns for timed in log.chunks()] == [None, WALL + 10 * S]


def test_a_state_that_follows_nothing_executes_nothing():
    record = state_record(state(WALL, None))
    assert record.chunk_capture_ns is None and record.commanded_ns is None
    log = log_of([(0, chunk(1, WALL)), (0, state(WALL + 9 * S, None))])
    assert log.chunks()[0].executed_ns is None and log.state_count == 1


def test_stamps_of_a_simulator_are_known_by_their_size():
    assert log_of(run(1, begin_ns=12 * S)).simulated and not log_of(run(1)).simulated


def test_messages_of_an_older_suite_have_no_ledger():
    stamp = SimpleNamespace(sec=5, nanosec=6)
    old = SimpleNamespace(header=SimpleNamespace(stamp=stamp), session=1, sequence=2)
    record = chunk_record(old)
    assert (record.capture_ns, record.publication_ns) == (5 * S + 6, None)
    assert state_record(old).chunk_capture_ns is None
    log = LatencyLog()
    log.add_chunk(record)
    assert log.chunks() == [] and log.without_ledger() == 1
    # And a new one whose policy left it empty counts alike.
    assert chunk_record(ActionChunk()).publication_ns is None
    assert state_record(RobotState()).commanded_ns is None


def test_chunks_that_waited_for_an_operator_are_left_out():
    made = [chunk(number, WALL + number * S) for number in (1, 2, 3, 4)]
    log = LatencyLog()
    for message in made:
        log.add_chunk(chunk_record(message))
    published = [timed.chunk.publication_ns for timed in log.chunks()]
    log.add_state(state_record(state(published[0] + 20 * MS, made[0], published[0] + 20 * MS)))
    # An operator drives from 0.2 s before the second is published until 0.3 s after it; a chunk of
    # the operator has the numbers of the first, by chance.
    for at in range(published[1] - 200 * MS, published[1] + 300 * MS, 20 * MS):
        driven = state(at, made[0], at)
        driven.control_source = RobotState.CONTROL_TELEOP
        log.add_state(state_record(driven))
    late = published[1] + 320 * MS
    log.add_state(state_record(state(late, made[1], late)))
    log.add_state(state_record(state(published[2] + 30 * MS, made[2], published[2] + 30 * MS)))
    assert [timed.chunk.sequence for timed in log.chunks()] == [1, 3, 4]
    first, third = log.chunks()[:2]
    assert first.executed_ns == published[0] + 20 * MS
    assert third.executed_ns == published[2] + 30 * MS
    assert log.overridden() == 1
