"""Percentiles, shares and what is said beside them."""

import dataclasses

import pytest

pytest.importorskip("rclpy")

from fakes.chunk_lives import WALL, S, chunk, run

from pi05_ros.evaluation.latency.ledger import (
    LatencyError,
    LatencyLog,
    TimedChunk,
    chunk_record,
    state_record,
)
from pi05_ros.evaluation.latency.statistics import INNER, OUTER, TOTAL, summarize
from pi05_ros.evaluation.latency.table import as_json, as_text


def log_of(messages) -> LatencyLog:
    log = LatencyLog()
    for _, message in messages:
        if hasattr(message, "ledger"):
            log.add_chunk(chunk_record(message))
        else:
            log.add_state(state_record(message))
    return log


def test_each_stage_is_what_the_ledger_says():
    summary = summarize("bag", log_of(run(20)))
    p50 = {row.key: round(row.p50 * 1e3, 6) for row in summary.rows}
    assert p50 == {
        "ingestion": 5.0,
        "transport": 2.0,
        "queue": 3.0,
        "computing": 50.0,
        "waited": 1.0,
        "vision": 4.0,
        "prefix": 5.0,
        "flow": 30.0,
        "rest": 10.0,
        "execution": 15.0,
        "total": 75.0,
    }
    assert (summary.chunks, summary.executed, summary.never, summary.open) == (20, 20, 0, 0)
    assert summary.notes == ()


def test_parts_add_up_to_the_whole_for_every_chunk():
    base = chunk_record(chunk(1, WALL))
    for k in range(50):
        timed = TimedChunk(
            dataclasses.replace(
                base,
                ingestion_ns=WALL + 7 * k,
                arrival_ns=WALL + 31 * k,
                start_ns=WALL + 90 * k,
                publication_ns=WALL + 1000 * k,
                vision=0.001 * k,
            ),
            WALL + 1500 * k,
            False,
        )
        assert sum(s.seconds(timed) for s in OUTER) == pytest.approx(TOTAL.seconds(timed))
        assert sum(s.seconds(timed) for s in INNER) == pytest.approx(OUTER[3].seconds(timed))


def test_shares_are_of_the_total():
    shares = {row.key: row.share for row in summarize("bag", log_of(run(20))).rows}
    assert shares["total"] == pytest.approx(1.0)
    assert shares["computing"] == pytest.approx(50 / 75)
    assert shares["flow"] == pytest.approx(30 / 75)
    assert sum(shares[s.key] for s in OUTER) == pytest.approx(1.0)
    assert sum(shares[s.key] for s in INNER) == pytest.approx(shares["computing"])


def test_percentiles_are_of_all_chunks():
    messages = run(100)
    chunks = [m for _, m in messages if hasattr(m, "ledger")]
    for k, made in enumerate(chunks):
        made.ledger.flow = 0.001 * k
    row = {r.key: r for r in summarize("bag", log_of(messages)).rows}["flow"]
    assert (row.p50, row.p90, row.max) == pytest.approx((0.0495, 0.0891, 0.099))
    assert row.p99 == pytest.approx(0.09801) and row.count == 100


def test_chunks_that_were_never_executed_are_counted():
    summary = summarize("bag", log_of(run(10, lost=(2, 3, 7))))
    assert (summary.chunks, summary.executed, summary.never) == (10, 7, 3)
    counts = {row.key: row.count for row in summary.rows}
    assert counts["computing"] == 10 and counts["execution"] == counts["total"] == 7
    assert "7 of 10 chunks executed, 3 never" in as_text(summary)


def test_chunks_at_the_end_are_neither_executed_nor_lost():
    messages = run(10, lost=(2, 9))
    until = messages[-1][0] - 600_000_000
    summary = summarize("bag", log_of([m for m in messages if m[0] < until]))
    assert (summary.executed, summary.never, summary.open) == (8, 1, 1)
    assert "8 of 10 chunks executed, 1 never, 1 not known" in as_text(summary)


def test_a_brain_that_does_not_say_has_no_inner_parts():
    messages = run(5)
    for made in (m.ledger for _, m in messages if hasattr(m, "ledger")):
        made.waited = made.vision = made.prefix = made.flow = 0.0
    log = log_of(messages)
    keys = {row.key for row in summarize("bag", log).rows}
    assert keys == {stage.key for stage in (*OUTER, TOTAL)}
    log.simulated = True
    assert summarize("bag", log).notes == ("stamps are simulated time",)


def test_simulated_stamps_are_said_and_never_mixed_with_wall_durations():
    summary = summarize("bag", log_of(run(5, begin_ns=3 * S)))
    rows = {row.key: row for row in summary.rows}
    assert summary.simulated and "rest" not in rows
    assert rows["flow"].share is None and rows["computing"].share == pytest.approx(50 / 75)
    assert summary.notes[0].startswith("stamps are simulated time; the model's own durations")
    assert "simulated time" in as_text(summary) and as_json(summary)["simulated"] is True


def test_nothing_to_tell_is_an_error_that_says_what_to_do():
    with pytest.raises(LatencyError, match="bag: no action chunk in it; is the topic recorded"):
        summarize("bag", LatencyLog())
    log = LatencyLog()
    empty = chunk(1, WALL)
    empty.ledger.publication.sec = empty.ledger.publication.nanosec = 0
    log.add_chunk(chunk_record(empty))
    with pytest.raises(LatencyError, match="none of its 1 action chunks carries a ledger"):
        summarize("bag", log)


@pytest.mark.parametrize(
    "what", ["some old", "no states", "not armed", "silent", "clocks", "late"]
)
def test_what_a_reader_would_get_wrong_is_noted(what):
    lost = {"not armed": (0, 1, 2, 3), "late": (0, 1)}.get(what, ())
    messages = run(4, lost=lost)
    chunks = [m for _, m in messages if hasattr(m, "ledger")]
    if what == "no states":
        messages = [m for m in messages if hasattr(m[1], "ledger")]
    stamp = chunks[0].ledger.publication if what == "some old" else chunks[0].ledger.ingestion
    if what in ("some old", "silent"):
        stamp.sec = stamp.nanosec = 0
    if what == "clocks":
        stamp.sec -= 1
    if what == "late":
        chunks[0].ledger.publication.nanosec += 441_000_000  # 501 ms after capture.
        chunks[1].ledger.publication.nanosec += 439_000_000
    summary = summarize("bag", log_of(messages))
    said = {
        "late": "1 chunks were published more than 500 ms after their observation: the bridge "
        "refuses them",
        "some old": "1 chunks without a ledger are left out",
        "no states": "no robot_state: nothing is known about execution",
        "not armed": "no chunk was executed: was the robot armed?",
        "silent": "1 chunks carry no stamp of camera_ingestion",
        "clocks": "capture → ingestion is negative for 1 chunks: clocks of two machines differ",
    }
    assert summary.notes == (said[what],)
    assert f"note: {said[what]}" in as_text(summary)
    if what == "no states":
        assert (summary.never, summary.open) == (0, 4)


def test_the_table_can_be_read():
    lines = as_text(summarize("kitchen", log_of(run(20)))).splitlines()
    assert lines[0] == "kitchen: 20 of 20 chunks executed, 0 never. Times in ms."
    assert lines[2].split() == ["p50", "p90", "p99", "max", "share", "count"]
    flow = next(line for line in lines if line.startswith("  flow"))
    assert flow.split() == ["flow", "30.0", "30.0", "30.0", "30.0", "40.0", "%", "20"]
    assert len({len(line) for line in lines[2:]}) == 1


def test_json_is_in_seconds():
    data = as_json(summarize("kitchen", log_of(run(20, lost=(4,)))))
    assert data["stages"]["flow"]["p90"] == pytest.approx(0.03)
    assert (data["chunks"], data["executed"], data["never_executed"]) == (20, 19, 1)
