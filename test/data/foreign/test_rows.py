"""Rows at the mapping's rate, against values computed by hand."""

import numpy as np
import pytest

from pi05_ros.data.episodes.episode import MODE_HOLDING, MODE_RUNNING
from pi05_ros.data.foreign.mapping import Source, mapping_of
from pi05_ros.data.foreign.rows import rows_of, sample, transformed
from pi05_ros.data.foreign.series import Values, clock_problems, spread_problem

MS = 10**6


def series(*pairs):
    """Values at times [ms]."""
    times, values = zip(*pairs, strict=True)
    return Values(np.array(times, np.int64) * MS, np.array(values, float))


def mapping(*entries, rate_hz=10, **keys):
    return mapping_of({"robot": "r", "rate_hz": rate_hz, "entries": list(entries), **keys}, "m")


def entry(name="a", state="/s", action="/a", of_state=None, of_action=None, **keys):
    found = {"name": name}
    if state:
        found["state"] = {"topic": state, "index": 0, **(of_state or {})}
    if action:
        found["action"] = {"topic": action, "index": 0, **(of_action or {})}
    return found | keys


def rows(mapped, **topics):
    return rows_of(mapped, lambda pick: topics[pick.topic.strip("/")])


def test_hold_takes_the_value_before_and_linear_the_line():
    steps = series((0, 1.0), (100, 3.0))
    times = np.array([-10, 0, 50, 100, 150]) * MS
    held, ages = sample(steps, times, "hold")
    assert np.array_equal(held, [np.nan, 1, 1, 3, 3], equal_nan=True)
    assert (ages[1:] // MS).tolist() == [0, 50, 0, 50] and ages[0] > 10**18
    assert np.array_equal(sample(steps, times, "linear")[0], [np.nan, 1, 2, 3, 3], equal_nan=True)


def test_linear_does_not_spread_a_nan_backwards():
    found = sample(series((0, 1.0), (100, np.nan)), np.array([0, 50]) * MS, "linear")[0]
    assert found[0] == 1.0 and np.isnan(found[1])


def test_a_number_is_converted_then_scaled_then_clipped():
    source = Source("/x", unit="deg", index=0, scale=-2.0, offset=1.0, clip=(-1.0, 10.0))
    found = transformed(np.array([0.0, 45.0, 180.0]), source, "rad")
    assert found.tolist() == pytest.approx([1.0, 1 - np.pi / 2, -1.0])


def test_rows_lie_on_the_overlap_of_the_states():
    found = rows(
        mapping(entry("a", action=""), entry("b", "/t", "/a")),
        s=series((0, 0.0), (100, 1.0), (200, 2.0), (300, 3.0)),
        t=series((150, 5.0), (250, 6.0), (350, 7.0)),
        a=series((150, 9.0), (250, 9.5)),
    )
    # From 150 (b begins) to 300 ms (a ends), every 100 ms.
    assert (found.times_ns // MS).tolist() == [150, 250]
    assert found.states.tolist() == [[1.0, 5.0], [2.0, 6.0]]
    assert found.actions.tolist() == [[9.0], [9.5]]


def test_a_silent_state_leaves_no_row_and_a_silent_command_no_action():
    found = rows(
        mapping(entry(), max_age_s=0.1),
        s=series((0, 0.0), (100, 1.0), (400, 4.0), (500, 5.0)),
        a=series((0, 7.0), (100, 8.0)),
    )
    assert (found.times_ns // MS).tolist() == [0, 100, 200, 400, 500]
    assert found.left_out == 1 and found.oldest == {"/s": 1}
    assert np.array_equal(found.actions[:, 0], [7, 8, 8, np.nan, np.nan], equal_nan=True)
    assert found.modes.tolist() == [MODE_RUNNING] * 3 + [MODE_HOLDING] * 2


def test_silence_can_mean_a_value():
    found = rows(
        mapping(entry(of_action={"when_old": 0.0, "scale": 2.0, "offset": 1.0})),
        s=series((0, 0.0), (100, 1.0), (200, 2.0), (300, 3.0)),
        a=series((100, 0.5)),
    )
    assert found.actions[:, 0].tolist() == [0.0, 2.0, 2.0, 0.0]  # Neither scaled nor shifted.


def test_the_next_state_is_the_action_where_nothing_was_commanded():
    found = rows(
        mapping(entry(action="", next_state=True), max_age_s=0.05),
        s=series((0, 0.0), (100, 1.0), (200, 2.0), (400, 4.0), (500, 5.0)),
    )
    assert (found.times_ns // MS).tolist() == [0, 100, 200, 400, 500]
    # Row 2 has no neighbour after it, and the last one neither.
    assert np.array_equal(found.actions[:, 0], [1, 2, np.nan, 5, np.nan], equal_nan=True)
    assert found.modes.tolist() == [1, 1, MODE_HOLDING, 1, MODE_HOLDING]


def test_topics_that_never_overlap_have_no_rows():
    found = rows(
        mapping(entry("a", action=""), entry("b", "/t", "/a")),
        s=series((0, 0.0), (100, 0.0)),
        t=series((5000, 0.0)),
        a=series((0, 0.0)),
    )
    assert len(found.times_ns) == 0 and found.states.shape == (0, 2)


def test_a_rate_that_divides_no_second_keeps_its_grid():
    times = [(k * 10, float(k)) for k in range(1001)]
    found = rows(mapping(entry(), rate_hz=30), s=series(*times), a=series(*times))
    assert len(found.times_ns) == 301
    assert found.times_ns[300] == 10 * 10**9 and found.times_ns[1] == 33333333


def test_a_clock_that_jumps_is_named():
    log = np.arange(100) * 10 * MS
    assert clock_problems("/t", log - 5 * MS, log) == []
    back = log.copy()
    back[50:] -= 2000 * MS
    (problem,) = clock_problems("/t", back, log)
    assert "found a jump back by 1.990 s at message 51 of 100" in problem
    ahead = log.copy()
    ahead[50:] += 3000 * MS
    (problem,) = clock_problems("/t", ahead, log)
    assert "move by 3.000 s against the recorder's" in problem and "log_time: [/t]" in problem


def test_topics_of_two_clocks_are_named():
    assert spread_problem({"/a": 3600.0, "/b": 3600.4}) == []  # Another clock, but one.
    (problem,) = spread_problem({"/a": 0.01, "/b": 5.01})
    assert "found /b stamped 5.000 s behind /a" in problem and "log_time: [/b]" in problem
