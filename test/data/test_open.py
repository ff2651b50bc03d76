"""Opening a bag, a folder of bags; which are refused, and why."""

import shutil

import numpy as np
import pytest
from fakes.model_bags import PLATFORM, episode_bag

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.open import open_episodes
from pi05_ros.platforms.platform import load_platform


@pytest.fixture
def bags(tmp_path):
    return [episode_bag(tmp_path / "bags" / name, rows) for name, rows in (("b", 7), ("a", 5))]


def test_a_bag_a_file_and_a_folder_of_bags(tmp_path, bags):
    assert [len(e) for e in open_episodes(bags[0].path)] == [7]
    assert [len(e) for e in open_episodes(str(bags[0].path / "b_0.mcap"))] == [7]
    assert [e.facts.id for e in open_episodes(tmp_path / "bags")] == ["a", "b"]
    assert [e.facts.id for e in open_episodes(tmp_path)] == ["a", "b"]  # Folders of folders too.


def test_a_hidden_folder_is_not_searched(tmp_path, bags):
    shutil.move(bags[0].path, tmp_path / "bags" / ".trash")
    assert [e.facts.id for e in open_episodes(tmp_path / "bags")] == ["a"]


def test_a_recovered_episode_is_opened_only_on_request(tmp_path):
    episode_bag(tmp_path / "a", 5)
    path = episode_bag(tmp_path / "b", 5, recovered="3 s were lost").path
    with pytest.raises(BagError, match=r"was recovered \(3 s were lost\).*--include-recovered"):
        open_episodes(tmp_path)
    refused = []
    found = open_episodes(tmp_path, refused=lambda *what: refused.append(what))
    assert [e.facts.id for e in found] == ["a"]
    assert refused[0][0] == path and "--include-recovered" in str(refused[0][1])
    assert len(open_episodes(tmp_path, include_recovered=True)) == 2


def test_the_error_of_a_bag_that_was_not_closed_names_the_remedy(tmp_path, bags):
    (bags[0].path / "INCOMPLETE").touch()
    with pytest.raises(BagError, match="was not closed.*pi05 bags recover"):
        open_episodes(bags[0].path, include_recovered=True)
    (bags[1].path / "metadata.yaml").unlink()
    with pytest.raises(BagError, match="was not closed.*pi05 bags recover"):
        open_episodes(bags[1].path)


def test_another_platforms_bag_is_refused_when_one_is_wanted(bags):
    assert len(open_episodes(bags[0].path, platform=PLATFORM)) == 1
    other = load_platform("mobile_19dof")
    with pytest.raises(BagError, match=r"wanted mobile_19dof \(19 entries\), found mobile_18dof"):
        open_episodes(bags[0].path, platform=other)


def test_a_cut_bag_is_refused_and_left_as_it_is(bags):
    (file,) = bags[0].path.glob("*.mcap")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BagError, match=str(file.parent)):
        len(open_episodes(bags[0].path)[0])
    assert file.read_bytes() == whole[: len(whole) // 2]


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), lambda p: p.touch()])
def test_a_path_without_episodes_is_an_error(tmp_path, make):
    make(tmp_path / "x")
    with pytest.raises(BagError, match="no episodes|no bag"):
        open_episodes(tmp_path / "x")


def test_states_are_the_bags(bags):
    np.testing.assert_array_equal(open_episodes(bags[1].path)[0].states, bags[1].states)
