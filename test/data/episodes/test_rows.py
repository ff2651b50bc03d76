"""Trainable rows, the actions that follow them and their pictures."""

import numpy as np
import pytest
from fakes.episodes import wandering

from pi05_ros.data.episodes.episode import CONTROL_DISTURBANCE, MODE_HOLDING, SubtaskLabel
from pi05_ros.data.episodes.rows import action_stops, label_of_row, newest_frames, trainable_rows


def test_a_rows_picture_is_the_newest_that_is_not_later():
    frames = np.array([100, 200, 300])
    rows = np.array([0, 99, 100, 101, 199, 200, 1000])
    assert newest_frames(frames, rows).tolist() == [-1, -1, 0, 0, 0, 1, 2]
    assert newest_frames(np.array([], int), rows).tolist() == [-1] * 7


def test_rows_are_trainable_where_the_robot_followed_a_label_with_finite_numbers():
    labels = (SubtaskLabel(1, 4, "a", "model"), SubtaskLabel(6, 9, "b", "human"))
    episode = wandering(10, labels=labels)
    episode.modes[2] = MODE_HOLDING
    episode.actions[7, 1] = np.nan
    episode.states[8, 0] = np.inf
    assert label_of_row(episode).tolist() == [-1, 0, 0, 0, -1, -1, 1, 1, 1, -1]
    assert np.flatnonzero(trainable_rows(episode)).tolist() == [1, 3, 6]


def test_actions_run_to_the_end():
    assert action_stops(wandering(4)).tolist() == [4, 4, 4, 4]


def test_actions_stop_where_the_robot_did_something_else():
    episode = wandering(8)
    episode.modes[3:5] = MODE_HOLDING
    episode.actions[6, 0] = np.nan
    assert action_stops(episode).tolist() == [3, 3, 3, 3, 4, 6, 6, 8]


def test_a_disturbance_neither_trains_nor_stands_in_a_chunk():
    episode = wandering(7)
    episode.control_sources[2:4] = CONTROL_DISTURBANCE
    assert np.flatnonzero(trainable_rows(episode)).tolist() == [0, 1, 4, 5, 6]
    assert action_stops(episode).tolist() == [2, 2, 2, 3, 7, 7, 7]


def test_actions_stop_where_rows_were_lost_but_not_at_one():
    episode = wandering(6)
    episode.times_ns = np.array([0, 20, 60, 80, 140, 160]) * 1_000_000
    assert action_stops(episode).tolist() == [4, 4, 4, 4, 6, 6]


@pytest.mark.parametrize("rows", [1, 0])
def test_an_episode_of_very_few_rows(rows):
    assert action_stops(wandering(rows, labels=())).tolist() == [1] * rows
