"""States and actions of different entries: each vector is counted under its own names."""

from dataclasses import replace

import numpy as np
import pytest
from fakes.episodes import wandering

from pi05_ros.data.statistics.files import from_bytes, to_bytes
from pi05_ros.data.statistics.robot import Layout, RobotStatistics, StatisticsError


def unequal(states, actions, *, names, action_names):
    """An episode of given vectors (T, D), one label over all rows."""
    episode = wandering(len(states))
    episode.states, episode.actions = np.array(states, float), np.array(actions, float)
    facts = replace(
        episode.facts, names=names, units=("m",) * len(names), action_names=action_names
    )
    episode.facts = facts
    return episode


def counted(episode, horizon=2):
    found = RobotStatistics(Layout.of(episode, horizon))
    found.add(episode)
    return found


def test_each_vector_has_its_own_statistics():
    episode = unequal(
        [[0, 10, 5], [2, 20, 5], [4, 60, 5]],
        [[100, 1], [200, 3], [600, 8]],
        names=("x", "y", "grip"),
        action_names=("dx", "x"),
    )
    found = counted(episode)
    assert [entry["mean"] for entry in found.states.summary()] == [2.0, 30.0, 5.0]
    assert [entry["mean"] for entry in found.actions.summary()] == [300.0, 4.0]
    assert [entry["max"] for entry in found.actions.summary()] == [600.0, 8.0]
    # Relative: `x` alone is in both; rows 0 to 2 with the action of the row and of the next one.
    (relative,) = found.relative.summary()
    differences = [1 - 0, 3 - 0, 3 - 2, 8 - 2, 8 - 4]
    assert relative["count"] == 5
    assert relative["mean"] == pytest.approx(np.mean(differences))


def test_they_are_stored_and_merged():
    episode = unequal([[0, 1], [2, 3]], [[5], [7]], names=("a", "b"), action_names=("velocity",))
    found = from_bytes(to_bytes(counted(episode)))
    found.merge(from_bytes(to_bytes(counted(episode))))
    assert found.layout.action_names == ("velocity",)
    assert [entry["mean"] for entry in found.states.summary()] == [1.0, 2.0]
    assert [entry["count"] for entry in found.actions.summary()] == [4]
    assert found.relative.summary() == []


def test_statistics_of_other_action_names_are_not_merged():
    vectors = [[0, 1], [2, 3]]
    one = unequal(vectors, vectors, names=("a", "b"), action_names=("c", "d"))
    other = replace(one.facts, action_names=("c", "e"))
    statistics = counted(one)
    one.facts = other
    with pytest.raises(StatisticsError, match="action_names: 'e' for 'd'"):
        statistics.add(one)


def test_norm_stats_of_them_are_refused_with_the_remedy():
    episode = unequal([[0, 1], [2, 3]], [[5], [7]], names=("a", "b"), action_names=("c",))
    with pytest.raises(
        StatisticsError, match=r"states have 2 entries \(a, b\) and actions 1 \(c\).*same entries"
    ):
        counted(episode).norm_stats()


def test_vectors_that_contradict_their_names_are_a_sentence():
    episode = unequal([[0, 1], [2, 3]], [[5], [7]], names=("a", "b"), action_names=())
    with pytest.raises(StatisticsError, match="actions have 1 entries, for 2 names"):
        counted(episode)
