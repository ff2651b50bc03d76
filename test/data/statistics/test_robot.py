"""Statistics of a robot over episodes: which rows count, relative actions, merging, files."""

import json

import numpy as np
import pytest
from fakes.episodes import layout_facts, wandering

from pi05_ros.data.episodes.episode import MODE_HOLDING, SubtaskLabel
from pi05_ros.data.statistics.files import (
    load_statistics,
    read_norm_stats,
    save_statistics,
    write_norm_stats,
)
from pi05_ros.data.statistics.robot import Layout, RobotStatistics, StatisticsError


def statistics_of(*episodes, horizon=50):
    found = RobotStatistics(Layout.of(episodes[0], horizon))
    for episode in episodes:
        found.add(episode)
    return found


def test_only_rows_in_which_the_robot_acted_and_was_labelled_count():
    episode = wandering(100, labels=(SubtaskLabel(10, 90, "wave", "human"),))
    episode.modes[40:50] = MODE_HOLDING
    rows = np.r_[10:40, 50:90]
    found = statistics_of(episode)
    assert (found.rows, found.counts.all_rows_left_out, found.episodes) == (70, 30, 1)
    np.testing.assert_allclose(found.states.spread.mean, episode.states[rows].mean(axis=0))
    np.testing.assert_allclose(found.actions.spread.mean, episode.actions[rows].mean(axis=0))


def test_relative_actions_are_those_of_each_rows_chunk_minus_its_state():
    episode = wandering(12)
    episode.modes[7] = MODE_HOLDING  # Chunks end there.
    wanted = [
        episode.actions[k + h] - episode.states[k]
        for begin, end in ((0, 7), (8, 12))
        for k in range(begin, end)
        for h in range(3)
        if k + h < end
    ]
    found = statistics_of(episode, horizon=3).relative
    assert found.spread.count.tolist() == [len(wanted)] * 2
    np.testing.assert_allclose(found.spread.mean, np.mean(wanted, axis=0))
    np.testing.assert_allclose(found.spread.deviation, np.std(wanted, axis=0))
    assert found.quantiles.at(0.5)[0] in np.array(wanted)[:, 0]


def test_norm_stats_use_relative_statistics_for_the_named_entries():
    episode = wandering(3000, seed=3)
    found = statistics_of(episode).norm_stats(relative=["joint_1"])
    assert found.names == ("joint_0", "joint_1") and found.units == ("rad", "rad")
    assert found.relative.tolist() == [False, True]
    first, second = found.dimensions
    low = np.quantile(episode.states[:, 0], 0.01, method="inverted_cdf")
    assert first.state_q01 == low
    assert first.action_q99 == np.quantile(episode.actions[:, 0], 0.99, method="inverted_cdf")
    differences = np.concatenate(
        [episode.actions[h:, 1] - episode.states[: 3000 - h, 1] for h in range(50)]
    )
    ranks = np.searchsorted(np.sort(differences), [second.action_q01, second.action_q99])
    np.testing.assert_allclose(ranks / differences.size, [0.01, 0.99], atol=0.0015)


def test_merged_shards_equal_the_whole_and_survive_their_files(tmp_path):
    # Few enough for exact sketches, so that the result is deterministic.
    episodes = [wandering(n, seed=n) for n in (1, 13, 900, 50)]
    whole = statistics_of(*episodes, horizon=2)
    merged = RobotStatistics(whole.layout)
    for index, episode in enumerate(episodes):
        save_statistics(tmp_path / f"{index}.npz", statistics_of(episode, horizon=2))
        merged.merge(load_statistics(tmp_path / f"{index}.npz"))
    assert (merged.rows, merged.episodes) == (whole.rows, 4)
    assert merged.norm_stats(["joint_0"]) == whole.norm_stats(["joint_0"])
    for kind in ("states", "actions", "relative"):
        mine, its = getattr(merged, kind).spread, getattr(whole, kind).spread
        np.testing.assert_allclose(mine.mean, its.mean, rtol=1e-12)
        np.testing.assert_allclose(mine.deviation, its.deviation, rtol=1e-12)
        np.testing.assert_array_equal(mine.least, its.least)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (layout_facts(("joint_0", "joint_1"), ("rad", "rad"), "other"), "platform 'other'"),
        (layout_facts(("joint_0", "elbow"), ("rad", "rad")), "names: 'elbow' for 'joint_1'"),
        (layout_facts(("joint_0", "joint_1"), ("rad", "m")), "units: 'm' for 'rad'"),
    ],
    ids=["platform", "names", "units"],
)
def test_another_robot_is_refused(facts, message):
    with pytest.raises(StatisticsError, match=message):
        statistics_of(wandering(10), wandering(10, facts=facts))


def test_norm_stats_without_rows_are_an_error():
    nothing = wandering(10, labels=())
    with pytest.raises(StatisticsError, match="there are no values of 'joint_0': of 0 rows"):
        statistics_of(nothing).norm_stats()


def test_a_misspelt_entry_is_refused():
    with pytest.raises(StatisticsError, match="'joint_11'; did you mean 'joint_1'"):
        statistics_of(wandering(10)).norm_stats(["joint_11"])


def test_norm_stats_are_what_a_checkpoint_reads(tmp_path):
    found = statistics_of(wandering(300)).norm_stats(["joint_1"])
    write_norm_stats(tmp_path / "norm_stats.json", {"robot": found})
    assert read_norm_stats(tmp_path / "norm_stats.json") == {"robot": found}
    pytest.importorskip("torch")
    from pi05_ros.checkpoints.layouts import native

    assert native.read_norm_stats(tmp_path / "norm_stats.json") == {"robot": found}


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut"])
def test_a_file_that_holds_no_statistics_is_refused(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(StatisticsError, match="x.npz: wanted statistics"):
        load_statistics(tmp_path / "x.npz")
    with pytest.raises(StatisticsError, match="No such file"):
        load_statistics(tmp_path / "y.npz")


def test_a_file_of_another_format_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", header=np.array(json.dumps({"format": "other"})))
    with pytest.raises(StatisticsError, match="format 'other'"):
        load_statistics(tmp_path / "x.npz")


def test_other_content_of_norm_stats_is_refused(tmp_path):
    (tmp_path / "n.json").write_text('{"robot": {"dimension": []}}')
    with pytest.raises(StatisticsError, match="unknown key 'dimension'; did you mean"):
        read_norm_stats(tmp_path / "n.json")
    (tmp_path / "n.json").write_text("[]")
    with pytest.raises(StatisticsError, match="no mapping"):
        read_norm_stats(tmp_path / "n.json")
