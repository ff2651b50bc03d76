"""Datasets whose states and actions are of different entries, as LIBERO's (8 and 7)."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fakes.drawn_episodes import drawn
from fakes.lerobot_folders import JOINTS, write_v21

from pi05_ros.cli.main import main as pi05
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.lerobot.export import ExportSettings, export
from pi05_ros.data.lerobot.features import action_names
from pi05_ros.data.lerobot.reader import open_dataset
from pi05_ros.data.lerobot.to_bag import write_bag
from pi05_ros.data.open import open_episodes
from pi05_ros.platforms.platform import load_platform


def with_actions(root, names, width):
    """Give a dataset's actions other names, and `width` entries: 1, 2, … in every row."""
    path = root / "meta/info.json"
    info = json.loads(path.read_text())
    info["features"]["action"] = {"dtype": "float32", "shape": [width], "names": names}
    path.write_text(json.dumps(info))
    for data in root.rglob("*.parquet"):
        table = pq.read_table(data)
        column = pa.array([list(range(1, width + 1))] * len(table), pa.list_(pa.float32()))
        place = table.column_names.index("action")
        pq.write_table(table.set_column(place, "action", column), data)
    return root


@pytest.mark.parametrize(
    ("state", "action", "wanted"),
    [
        ((["a", "b"], 2), (["a", "b"], 2), ()),
        (({"motors": ["a", "b"]}, 2), (["c", "d"], 2), ("c", "d")),
        ((["a", "b"], 2), (["b", "a"], 2), ("b", "a")),
        ((["a", "b"], 2), (None, 2), ()),
        ((None, 2), (["a", "b"], 2), ()),
        ((["a", "b"], 2), (["a"], 1), ("a",)),
        ((["a", "b"], 2), (None, 3), ("action_0", "action_1", "action_2")),
    ],
)
def test_actions_have_names_of_their_own_where_they_differ(state, action, wanted):
    features = {
        key: {"dtype": "float32", "names": names, "shape": [width]}
        for key, (names, width) in (("observation.state", state), ("action", action))
    }
    assert action_names(features) == wanted


def test_statistics_of_each_vector_are_shown_and_norm_stats_refused(tmp_path, capsys):
    root = with_actions(write_v21(tmp_path / "libero"), ["dx", "dy", "grip"], 3)
    words = ["bags", "stats", str(root), "--out", str(tmp_path / "n.json")]
    assert pi05(words) == 1
    assert "no row trains (outcome none: 2)" in capsys.readouterr().err
    assert pi05([*words, "--outcome", "success,none"]) == 1
    said = capsys.readouterr()
    lines = [line.split() for line in said.out.splitlines()]
    assert "so100: 19 rows of 2 episodes" in said.out
    assert [line[:2] for line in lines if line and line[0] in ("state", "action")] == [
        ["state", "waist"],
        ["state", "wrist"],
        ["action", "dx"],
        ["action", "dy"],
        ["action", "grip"],
    ]
    assert next(line for line in lines if line[:2] == ["action", "dy"])[2:] == ["2"] * 5
    assert "states have 2 entries (waist, wrist) and actions 3 (dx, dy, grip)" in said.err
    assert "n.json was not written" in said.err
    assert not (tmp_path / "n.json").exists()


def test_a_robot_that_is_not_known_has_statistics_and_a_sentence(tmp_path, capsys):
    words = ["bags", "stats", str(write_v21(tmp_path / "cubes")), "--outcome", "none"]
    assert pi05(words) == 1
    said = capsys.readouterr()
    assert "waist" in said.out
    assert "so100: platform 'so100': there is none of that name" in said.err
    assert said.err.endswith("; --platform FILE names its file\n")


def test_import_of_different_sizes_is_refused_with_the_remedy(tmp_path, capsys):
    root = with_actions(write_v21(tmp_path / "libero"), ["dx", "dy", "grip"], 3)
    assert pi05(["bags", "import", str(root), str(tmp_path / "bags")]) == 1
    error = capsys.readouterr().err
    assert "states of 2 entries and actions of 3, for 2 names" in error
    assert "write the dataset again with the same entries in both" in error
    assert not list((tmp_path / "bags").glob("libero*"))


def test_import_of_other_names_keeps_each_vectors_own(tmp_path):
    first = open_dataset(with_actions(write_v21(tmp_path / "cubes"), ["dx", "dy"], 2))[0]
    write_bag(first, tmp_path / "bags")
    (found,) = open_episodes(tmp_path / "bags")
    assert (found.facts.names, found.facts.action_names) == (tuple(JOINTS), ("dx", "dy"))
    np.testing.assert_array_equal(found.actions, [[1.0, 2.0]] * 12)
    np.testing.assert_array_equal(found.states, first.states)


def test_they_are_no_episodes_of_a_platform(tmp_path):
    episode = drawn("a", rows=30)
    names = load_platform("mobile_18dof").names
    vectors = np.zeros((30, len(names)))
    episode.states = episode.actions = vectors
    other = tuple(f"delta_{name}" for name in names)
    episode.facts = replace(
        episode.facts, names=names, units=("m",) * len(names), action_names=other
    )
    write_bag(episode, tmp_path)
    with pytest.raises(BagError, match=r"actions of other entries \(delta_left_arm_joint_1, .*18"):
        open_episodes(tmp_path / "a", platform=load_platform("mobile_18dof"))


def test_export_keeps_each_vectors_own_names_and_size(tmp_path):
    episode = drawn("a", rows=60)
    episode.actions = np.arange(120.0).reshape(60, 2)
    episode.facts = replace(episode.facts, action_names=("forward", "turn"))
    export([episode], tmp_path / "set", ExportSettings())
    (found,) = open_dataset(tmp_path / "set")
    assert found.facts.action_names == ("forward", "turn")
    assert found.facts.names == drawn("a").facts.names
    np.testing.assert_array_equal(found.actions, episode.actions[found.times_ns.size - 60 :])
    features = json.loads((tmp_path / "set/meta/info.json").read_text())["features"]
    assert features["action"]["names"] == ["forward", "turn"]
    assert features["action"]["shape"] == [2]


def test_facts_without_other_action_names_are_written_as_before():
    assert "pi05.action_names" not in EpisodeFacts("a", names=("x",)).to_custom_data()
    facts = EpisodeFacts("a", names=("x",), action_names=("dx",))
    assert EpisodeFacts.from_custom_data(facts.to_custom_data()) == facts
