"""Samples of filtered rows: which rows they are of, and where their chunks end."""

import pickle

import numpy as np
import pytest
from fakes.episodes import layout_facts, wandering

from pi05_ros.data.episodes.episode import CONTROL_TELEOP
from pi05_ros.data.episodes.samples import SampleError, Samples
from pi05_ros.data.filters.episode_filter import EpisodeFilter

CHOSEN = EpisodeFilter()


def taken_over(outcome="success"):
    """The policy drives in rows 0 to 199 and from 300, the operator in between."""
    facts = layout_facts(("joint_0", "base_vx"), ("rad", "m/s"), outcome=outcome)
    episode = wandering(500, facts=facts)
    episode.states[:] = episode.actions[:] = 1.0 + np.arange(500)[:, None] * 0.01
    episode.control_sources[200:300] = CONTROL_TELEOP
    return episode


def samples_of(episode):
    made = Samples([episode], (), row_filter=CHOSEN.rows, stops=CHOSEN.action_stops)
    return pickle.loads(pickle.dumps(made))


def test_samples_skip_the_error_and_their_chunks_end_before_it():
    samples = samples_of(taken_over())
    assert [samples[i].row for i in (0, 149, 150, 449)] == [0, 149, 200, 499]
    assert len(samples) == 450
    last = samples[140]  # Ten rows before the error, which begins at row 150.
    assert last.action_valid.tolist() == [True] * 10 + [False] * 40
    np.testing.assert_allclose(last.actions[:10, 1], 1.0 + np.arange(140, 150) * 0.01)
    assert last.actions[10:].tolist() == [[1.0 + 149 * 0.01, 0.0]] * 40  # It stands.
    assert samples[150].control_source == CONTROL_TELEOP
    assert samples[150].action_valid.all()


def test_an_episode_that_is_dropped_has_no_samples():
    with pytest.raises(SampleError, match="memory has no row that the filter lets train"):
        samples_of(taken_over("failure"))
