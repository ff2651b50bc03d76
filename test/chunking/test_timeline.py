"""Timeline of published chunks: executed actions by time, lost chunks, holds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pi05_ros.chunking.timeline import ChunkStatus, ChunkTimeline, PublishedChunk

PERIOD = 20_000_000
START = 1_000_000_000


def chunk(sequence, stamp_ns, values, published_ns=None, start_ns=None):
    return PublishedChunk(
        sequence=sequence,
        stamp_ns=stamp_ns,
        start_ns=stamp_ns if start_ns is None else start_ns,
        period_ns=float(PERIOD),
        actions=np.array(values, dtype=np.float64)[:, None],
        published_ns=stamp_ns if published_ns is None else published_ns,
        asked_rows=0.0,
        is_first=False,
    )


def rows(k):
    return START + round(k * PERIOD)


def test_nothing_is_executed_before_a_chunk_and_after_its_end():
    timeline = ChunkTimeline()
    assert timeline.last is None and timeline.plan(START, 5, PERIOD) is None
    timeline.add(chunk(1, START, [0.0, 1.0, 2.0]))
    assert timeline.plan(rows(2.1), 5, PERIOD) is None
    assert timeline.plan(rows(2.0), 5, PERIOD) is not None


def test_rows_are_taken_at_their_time_and_the_last_one_is_held():
    timeline = ChunkTimeline()
    timeline.add(chunk(1, START, [0.0, 1.0, 2.0, 3.0]))
    actions, overlap = timeline.plan(rows(1.25), 5, PERIOD)
    np.testing.assert_allclose(actions[:, 0], [1.25, 2.25, 3.0, 3.0, 3.0])
    assert overlap == 2


def test_a_chunk_that_waited_counts_its_rows_from_its_start():
    timeline = ChunkTimeline()
    timeline.add(chunk(1, START, [0.0, 1.0, 2.0], start_ns=rows(10)))
    actions, overlap = timeline.plan(rows(11), 3, PERIOD)
    np.testing.assert_allclose(actions[:, 0], [1.0, 2.0, 2.0])
    assert overlap == 2


def test_each_time_belongs_to_the_chunk_that_is_executed_then():
    timeline = ChunkTimeline()
    timeline.add(chunk(1, START, np.arange(10.0)))
    assert timeline.mark_executed(1, START, rows(1)) is not None
    timeline.add(chunk(2, rows(3), 100.0 + np.arange(10.0), published_ns=rows(5)))
    # Until the bridge reports it, execution is assumed to begin at the publication.
    actions, overlap = timeline.plan(rows(4), 8, PERIOD)
    np.testing.assert_allclose(actions[:, 0], [4, 102, 103, 104, 105, 106, 107, 108])
    assert overlap == 8
    assert timeline.mark_executed(2, rows(3), rows(6)).sequence == 2
    actions, _ = timeline.plan(rows(4), 3, PERIOD)
    np.testing.assert_allclose(actions[:, 0], [4, 5, 103])


def test_rows_that_were_past_when_a_chunk_came_are_no_part_of_the_plan():
    timeline = ChunkTimeline()
    timeline.add(chunk(1, START, np.arange(10.0), published_ns=rows(4)))
    timeline.mark_executed(1, START, rows(4.5))
    actions, _ = timeline.plan(rows(2), 5, PERIOD)
    np.testing.assert_allclose(actions[:, 0], [4.5, 4.5, 4.5, 5.0, 6.0])


def test_a_chunk_that_is_not_taken_up_is_lost_and_what_runs_goes_on():
    timeline = ChunkTimeline()
    timeline.add(chunk(1, START, np.arange(50.0)))
    timeline.mark_executed(1, START, START)
    timeline.add(chunk(2, rows(3), 100.0 + np.arange(10.0), published_ns=rows(5)))
    assert timeline.mark_overdue(rows(15)) == 0
    assert timeline.mark_overdue(rows(15.1)) == 1 and timeline.mark_overdue(rows(16)) == 0
    assert timeline.last.sequence == 1
    actions, _ = timeline.plan(rows(20), 2, PERIOD)
    np.testing.assert_allclose(actions[:, 0], [20.0, 21.0])
    # It was only late.
    assert timeline.mark_executed(2, rows(3), rows(16)).status is ChunkStatus.EXECUTED
    assert timeline.last.sequence == 2


def test_a_chunk_that_was_passed_over_is_lost():
    timeline = ChunkTimeline()
    timeline.add(chunk(1, START, np.arange(50.0)))
    timeline.add(chunk(2, rows(3), np.arange(50.0)))
    timeline.mark_executed(2, rows(3), rows(5))
    assert timeline.mark_overdue(rows(90)) == 0  # Nothing is on its way any more.
    actions, _ = timeline.plan(rows(4), 3, PERIOD)
    np.testing.assert_allclose(actions[:, 0], [2, 2, 3])


def test_an_execution_is_returned_once_and_only_for_known_chunks():
    timeline = ChunkTimeline()
    timeline.add(chunk(1, START, np.arange(50.0)))
    assert timeline.mark_executed(1, rows(1), rows(2)) is None
    assert timeline.mark_executed(2, START, rows(2)) is None
    assert timeline.mark_executed(1, START, rows(2)) is not None
    assert timeline.mark_executed(1, START, rows(3)) is None


def test_a_hold_ends_what_was_executed_and_not_what_is_on_its_way():
    timeline = ChunkTimeline()
    timeline.add(chunk(1, START, np.arange(50.0)))
    timeline.mark_executed(1, START, rows(1))
    timeline.forget_executed(rows(5))
    assert timeline.last is None and timeline.plan(rows(6), 5, PERIOD) is None
    timeline.add(chunk(2, rows(6), np.arange(50.0), published_ns=rows(8)))
    timeline.forget_executed(rows(9))
    assert timeline.last.sequence == 2


@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=60),
    st.floats(0, 70),
    st.integers(1, 60),
)
def test_a_plan_is_made_of_rows_only_and_never_of_zeros(values, at, horizon):
    timeline = ChunkTimeline()
    timeline.add(chunk(1, START, np.array(values) + 10.0))
    found = timeline.plan(rows(at), horizon, PERIOD)
    if found is None:
        assert at > len(values) - 1 - 1e-6
        return
    actions, overlap = found
    assert actions.shape == (horizon, 1) and actions.min() >= min(values) + 10.0 - 1e-9
    assert 1 <= overlap <= horizon
    np.testing.assert_allclose(
        actions[:, 0],
        np.interp(at + np.arange(horizon), np.arange(len(values)), values) + 10.0,
        atol=1e-6,
    )
    assert np.all(actions[overlap:] == actions[-1])
