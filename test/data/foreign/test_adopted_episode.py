"""An adopted episode for readers of episodes: cache, copies, labels, grade, check."""

import copy
import pickle

import numpy as np
import pytest
import yaml
from fakes.foreign_bags import ALOHA, aloha, mobile

from pi05_ros.data.bags.adopted_file import ADOPTED
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.grading import grade
from pi05_ros.data.bags.overview import BagState, overview
from pi05_ros.data.checks.episode_check import check
from pi05_ros.data.checks.findings import Severity
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.samples import Samples
from pi05_ros.data.foreign.adoption import adopt, save_adoption
from pi05_ros.data.foreign.episode import AdoptedEpisode
from pi05_ros.data.open import open_episodes
from pi05_ros.foundation.resources import resource_path
from pi05_ros.labelling.episode_labels import EpisodeLabels

MOBILE = yaml.safe_load(resource_path("config/adopt/mobile_base.yaml").read_text())


@pytest.fixture
def towel(tmp_path):
    path = aloha().write(tmp_path / "towel")
    save_adoption(adopt(path, ALOHA, "m.yaml"), path)
    return path


@pytest.fixture
def tidy(tmp_path):
    path = mobile().write(tmp_path / "tidy", "sqlite3")
    save_adoption(adopt(path, MOBILE, "m.yaml"), path)
    return path


def label(path, *spans, number=0):
    """Label an episode, in seconds since its first row."""
    labels = EpisodeLabels(path, number=number)
    labels.replace((), ())
    for start, stop, text in spans:
        labels.set(start, stop, text)
    labels.save()
    labels.reload()
    return labels


def test_samples_are_made_of_it(towel):
    live = Samples(open_episodes(towel), ["high"], horizon=3)
    assert [live[k].row for k in (0, 1, 19)] == [0, 5, 95]  # One for each picture.
    samples = Samples(open_episodes(towel), ["high"], horizon=3, ages="freshest")
    assert len(samples) == 100
    sample = samples[98]
    assert sample.state == pytest.approx([0.98, 0.4]) and sample.subtask == "fold the towel"
    assert sample.actions[:, 0] == pytest.approx([1.48, 1.49, 1.49])
    assert sample.action_valid.tolist() == [True, True, False]


def test_its_index_is_kept_and_it_can_be_copied(towel, tmp_path, monkeypatch):
    cache = CacheFolder(tmp_path / "cache")
    (episode,) = open_episodes(towel, cache=cache)
    states = episode.states
    monkeypatch.setattr(AdoptedEpisode, "_index_of", None)  # The bag is not read again.
    (again,) = open_episodes(towel, cache=cache)
    assert np.array_equal(again.states, states)
    copied = pickle.loads(pickle.dumps(episode))
    assert np.array_equal(copied.actions, episode.actions)
    assert copied.fingerprint == episode.fingerprint


def test_labels_beside_the_bag_replace_its_subtasks(towel):
    (before,) = open_episodes(towel)
    label(towel, (0.2, 0.4, "take a corner"), (0.4, 1.0, "fold it"))
    (episode,) = open_episodes(towel)
    assert [(la.start_row, la.stop_row, la.text) for la in episode.labels] == [
        (10, 20, "take a corner"),
        (20, 50, "fold it"),
    ]
    assert episode.fingerprint != before.fingerprint


def test_episodes_of_one_bag_are_labelled_apart(tidy):
    label(tidy, (0.5, 1.0, "look around"))
    first, second = open_episodes(tidy)
    assert [(la.start_row, la.stop_row) for la in first.labels] == [(10, 20)]
    assert [la.text for la in second.labels] == ["pick up the cup"]  # As recorded.
    label(tidy, (0.1, 0.5, "wait"), number=1)
    first, second = open_episodes(tidy)
    assert [la.text for la in first.labels] == ["look around"]
    assert [(la.start_row, la.stop_row, la.text) for la in second.labels] == [(2, 10, "wait")]


def test_labels_stay_when_a_bag_is_divided_otherwise(tidy):
    label(tidy, (0.5, 1.0, "look around"))
    whole = {key: value for key, value in MOBILE.items() if key != "split"}
    save_adoption(adopt(tidy, whole, "m.yaml"), tidy)
    (episode,) = open_episodes(tidy)
    assert [(la.start_row, la.stop_row) for la in episode.labels[:1]] == [(30, 40)]


def test_a_grade_is_written_beside_the_bag(towel, tidy):
    metadata = (towel / "metadata.yaml").read_bytes()
    grade(towel, "failure", "dropped it")
    (episode,) = open_episodes(towel)
    assert episode.facts.outcome == "failure" and "dropped it" in episode.facts.notes
    assert (towel / "metadata.yaml").read_bytes() == metadata
    # The mapping says success; a new adoption keeps what a person said.
    save_adoption(adopt(towel, ALOHA, "m.yaml"), towel)
    assert open_episodes(towel)[0].facts.outcome == overview(towel).facts.outcome == "failure"
    with pytest.raises(BagError, match="holds 2 episodes: write `graded` of each into its"):
        grade(tidy, "success")


def test_lists_show_it_as_adopted(towel):
    found = overview(towel)
    assert found.state is BagState.ADOPTED and found.facts.task == "fold the towel"


def test_the_check_reads_its_rows(towel):
    report = check(towel)
    assert report.passed, report.findings
    content = copy.deepcopy(ALOHA)
    del content["subtask"]
    save_adoption(adopt(towel, content, "m.yaml"), towel)
    errors = [f.what for f in check(towel).findings if f.level is Severity.ERROR]
    assert len(errors) == 1 and errors[0].startswith("no row that moves has a subtask")


def test_the_check_names_a_topic_that_is_gone(towel):
    text = (towel / ADOPTED).read_text()
    (towel / ADOPTED).write_text(text.replace("/leader/joint_states", "/leader/joints"))
    report = check(towel)
    assert not report.passed
    assert any("there is no topic /leader/joints in the bag" in f.what for f in report.findings)


@pytest.mark.parametrize(
    "text, message",
    [
        ("[", "it cannot be read"),
        ("a: 1", "wanted the keys episodes, facts, mapping, version, found a"),
        ("{version: 2, facts: {}, episodes: [], mapping: {}}", "wanted version 1, found 2"),
        ("{version: 1, facts: {pi05.id: x}, episodes: [], mapping: {}}", "at least one episode"),
        (
            "{version: 1, facts: {pi05.id: x}, mapping: {}, "
            "episodes: [{id: x, start_ns: 2, stop_ns: 1}]}",
            "x: wanted start_ns before stop_ns",
        ),
    ],
)
def test_a_broken_adopted_file_is_named(towel, text, message):
    (towel / ADOPTED).write_text(text)
    with pytest.raises(BagError, match=rf"adopted.yaml: .*{message}.*adopt` writes it again"):
        open_episodes(towel)
    refused = []
    assert open_episodes(towel.parent, refused=lambda path, error: refused.append(path)) == []
    assert refused == [towel]
    save_adoption(adopt(towel, ALOHA, "m.yaml"), towel)
    assert len(open_episodes(towel)[0]) == 100
