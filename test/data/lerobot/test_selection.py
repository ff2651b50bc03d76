"""Selection of rows, counted by hand."""

import numpy as np
import pytest
from fakes.drawn_episodes import drawn

from pi05_ros.data.episodes.episode import CONTROL_NONE, MODE_HOLDING, Plan
from pi05_ros.data.filters.episode_filter import EpisodeFilter
from pi05_ros.data.lerobot.selection import (
    exclusion_reason,
    longest_even_run,
    longest_run,
    never_commanded,
    select_rows,
)

NO_PICTURE = "without a picture of every camera"
NO_COMMAND = "without a command for every entry"
NO_STATE = "with a state that is NaN or infinite"
CUT_OFF = "cut off by such rows from the longer part"


@pytest.mark.parametrize(
    ("good", "run"),
    [
        ([], (0, 0)),
        ([0, 0], (0, 0)),
        ([1, 1, 1], (0, 3)),
        ([0, 1, 1, 0, 1, 1, 1, 0], (4, 7)),
        ([1, 1, 0, 1, 1], (0, 2)),  # Of two that are as long, the first.
        ([0, 0, 1], (2, 3)),
    ],
)
def test_longest_run(good, run):
    assert longest_run(np.array(good, bool)) == run


@pytest.mark.parametrize(
    ("good", "breaks", "run"),
    [
        ([1, 1, 1, 1, 1], [], (0, 5)),
        ([1, 1, 1, 1, 1], [2], (2, 5)),
        ([1, 1, 1, 1, 1], [1, 4], (1, 4)),
        ([0, 1, 1, 1, 1, 1], [3, 5], (1, 3)),  # Of two that are as long, the first.
        ([0, 0], [1], (0, 0)),
    ],
)
def test_rows_around_a_gap_are_no_run(good, breaks, run):
    assert longest_even_run(np.array(good, bool), np.array(breaks, int)) == run


def test_an_episode_that_is_whole_is_taken_whole():
    rows = select_rows(drawn(rows=40), ("front", "left_wrist"))
    assert (rows.start, rows.stop, rows.left_out) == (0, 40, {})


def test_rows_before_the_first_picture_and_the_first_command_are_counted_apart():
    rows = select_rows(drawn(rows=40, blind_rows=10, silent_rows=15), ("front", "left_wrist"))
    assert (rows.start, rows.stop) == (15, 40)
    assert rows.left_out == {NO_PICTURE: 10, NO_COMMAND: 5}


def test_a_hole_cuts_the_shorter_part_off_and_counts_it():
    episode = drawn(rows=40)
    episode.actions[30, 1] = np.nan
    rows = select_rows(episode, ("front",))
    assert (rows.start, rows.stop) == (0, 30)
    assert rows.left_out == {NO_COMMAND: 1, CUT_OFF: 9}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_state_that_is_not_finite_is_not_exported(value):
    episode = drawn(rows=40)
    episode.states[5, 1] = value
    rows = select_rows(episode, ("front",))
    assert (rows.start, rows.stop) == (6, 40)
    assert rows.left_out == {NO_STATE: 1, CUT_OFF: 5}


def test_every_third_row():
    rows = select_rows(drawn(rows=40, silent_rows=2), ("front",), step=3)
    assert rows.indices.tolist() == list(range(2, 40, 3))
    assert len(rows) == 13
    assert rows.left_out == {NO_COMMAND: 2, "between every 3th row": 25}


def test_ends_that_do_not_train_are_cut_and_the_middle_is_not():
    episode = drawn(rows=400)
    for first, last in ((0, 10), (100, 120), (390, 400)):
        episode.modes[first:last] = MODE_HOLDING
        episode.control_sources[first:last] = CONTROL_NONE
    rows = select_rows(episode, ("front",), episode_filter=EpisodeFilter(before_hold_s=0.21))
    assert (rows.start, rows.stop) == (10, 380)
    # Rows 393 to 399 have no subtask either, but nobody drove in them: that is the first reason.
    assert rows.left_out == {"not driven, at an end": 20, "before a hold, at an end": 10}
    whole = select_rows(drawn(rows=400), ("front",), episode_filter=EpisodeFilter())
    assert (whole.start, whole.stop, whole.left_out) == (0, 400, {})  # Ends without a subtask.


def test_observations_of_the_first_plan_and_of_the_end_stay():
    episode = drawn(rows=500, labels=())
    episode.modes[:300] = episode.modes[400:] = MODE_HOLDING
    episode.control_sources[:300] = episode.control_sources[400:] = CONTROL_NONE
    step, began = 20_000_000, int(episode.times_ns[300])
    ended = int(episode.times_ns[399])

    def kept(*plans):
        episode.plans = plans
        rows = select_rows(episode, ("front",), episode_filter=EpisodeFilter())
        return rows.start, rows.stop, sum(rows.left_out.values())

    def plan(stamp_ns, text="wipe"):
        return Plan(stamp_ns, "t", text, "model", done=not text)

    assert kept() == (300, 400, 400)
    # Plans 5.0 s, 2.0 s and 0.5 s before the first driven row: from 2.3 s before it on.
    early = [plan(began - 5_000_000_000), plan(began - 100 * step), plan(began - 25 * step)]
    start, stop, left_out = kept(*early)
    assert abs(start - (200 - 15)) <= 1 and stop == 400 and left_out == 400 - (300 - start)
    # Done 0.4 s after the last driven row; other plans then change nothing.
    start, stop, _ = kept(plan(ended + 30 * step), plan(ended + 20 * step, ""))
    assert start == 300 and abs(stop - (420 + 15)) <= 1
    assert kept(plan(ended + 3_100_000_000, "")) == (300, 400, 400)


def test_a_range_in_which_nothing_trains_is_empty():
    episode = drawn(rows=40)
    episode.modes[:] = MODE_HOLDING
    rows = select_rows(episode, ("front",), episode_filter=EpisodeFilter())
    assert len(rows) == 0 and rows.left_out == {"not driven, at an end": 40}


def test_an_entry_that_never_had_a_command_is_named():
    episode = drawn(rows=40)
    episode.actions[:, 2] = np.nan
    assert len(select_rows(episode, ("front",))) == 0
    assert never_commanded(episode) == ["gripper"]


@pytest.mark.parametrize(
    ("facts", "outcomes", "recovered", "why"),
    [
        ({}, ("success",), False, ""),
        ({"outcome": ""}, ("success",), False, "outcome none"),
        ({"outcome": ""}, ("success", "none"), False, ""),
        ({"outcome": "failure"}, ("success",), True, "outcome failure"),
        ({"recovered": "cut"}, ("success",), True, ""),
        ({"recovered": "cut"}, ("success",), False, "recovered after a crash"),
    ],
)
def test_an_episodes_facts_decide_whether_it_is_exported(facts, outcomes, recovered, why):
    found = exclusion_reason(drawn(**facts), EpisodeFilter(outcomes=outcomes), recovered)
    assert found == why or why and found.startswith(why)
