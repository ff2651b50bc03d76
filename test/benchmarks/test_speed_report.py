"""Rows, ratios and tables, by hand."""

import pytest
from speed.chart import bars
from speed.report import AIMS, Measured, ratio, ratios_table, row_titles, times_table
from speed.timing import Laps


def test_rows_are_taken_from_the_laps(workload):
    measured = Measured([Laps(1.0, 2.0, 30.0, 34.0)], [Laps(1.0, 3.0, 10.0, 15.0)])
    assert measured.rows(workload) == {
        "pictures": [1.0],
        "prefix": [2.0],
        "step": [3.0],  # Ten steps.
        "chunk": [34.0],
        "prefix_text": [3.0],
        "token": [2.0],  # Five tokens.
        "tokens": [10.0],
        "subtask": [15.0],
    }
    assert list(row_titles(workload)) == list(measured.rows(workload))
    assert row_titles(workload)["prefix"] == "prefix of 15 tokens, for actions"


def test_a_ratio_is_of_the_same_round():
    # Medians 2 and 3 would say 1.5; round by round they take twice as long, thrice, as long.
    assert ratio([2.0, 3.0, 9.0], [1.0, 3.0, 3.0]) == 2.0
    with pytest.raises(ValueError, match="longer"):
        ratio([1.0], [1.0, 2.0])


def test_tables():
    times = {
        "ours": {"chunk": [0.010, 0.012, 0.300], "token": [0.0005] * 3},
        "theirs": {"chunk": [0.030, 0.024, 0.300], "token": [0.001] * 3},
    }
    titles = {"chunk": "a chunk", "token": "a token"}
    assert times_table(times, {"chunk": 0.004, "token": 0.0001}, titles).splitlines() == [
        "| median (least) [ms] | ours | theirs | floor | ours / floor |",
        "|---|---:|---:|---:|---:|",
        "| a chunk | 12.0 (10.0) | 30.0 (24.0) | 4.00 | 3.0 |",
        "| a token | 0.500 (0.500) | 1.00 (1.00) | 0.100 | 5.0 |",
    ]
    assert ratios_table(times, titles).splitlines() == [
        "| times as long as ours | theirs |",
        "|---|---:|",
        "| a chunk | 2.00 |",
        "| a token | 2.00 |",
    ]


def test_bars_are_in_parts_of_the_slowest():
    times = {"ours": {"chunk": [1.0, 2.0, 9.0]}, "theirs": {"chunk": [8.0, 8.0, 1.0]}}
    assert bars(times, "chunk") == [0.25, 1.0]


def test_aims_show_whether_they_are_reached():
    chunk, tokens, load = AIMS
    assert chunk.line(0.0249).endswith("aim 25.0 ms, found 24.9 ms: reached")
    assert tokens.line(0.0601).endswith("aim 60.0 ms, found 60.1 ms: MISSED")
    assert load.line(None).endswith("not measured")
    assert [aim.row for aim in AIMS] == ["chunk", "tokens", "load"]
