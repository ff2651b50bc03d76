"""A bag with labels beside it, as its readers see it."""

import pickle
import shutil

import pytest

pytest.importorskip("rclpy")

from fakes.bags import SECOND
from fakes.episode_bags import FACTS, drop, make_episode_bag

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.grading import grade
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.checks.episode_check import check
from pi05_ros.data.checks.findings import Severity
from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.label_file import FILE
from pi05_ros.data.episodes.label_spans import LabelFile, LabelSpan
from pi05_ros.data.episodes.samples import Samples

BEGIN = FACTS.started_ns
SPANS = (
    LabelSpan(BEGIN + SECOND // 2, BEGIN + SECOND, "open the drawer"),
    LabelSpan(BEGIN + SECOND, BEGIN + 3 * SECOND // 2, "close the drawer", "tidy up"),
)


def labelled(folder, spans=SPANS, **parts):
    labels = LabelFile(FACTS.id, label_file.recording_key(FACTS), spans, "mia", **parts)
    return label_file.save(folder, labels, label_file.digest_of(folder))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return make_episode_bag(tmp_path_factory.mktemp("bags"), 2.0)


@pytest.fixture
def bag(recorded):
    yield recorded
    (recorded / FILE).unlink(missing_ok=True)


def rows(episode):
    return [(x.start_row, x.stop_row, x.text, x.source) for x in episode.labels]


def test_labels_replace_the_recorded_subtasks(bag, tmp_path):
    cache = CacheFolder(tmp_path)
    own = [(0, 50, "pick up the cup", "model"), (50, 100, "pick up the fork", "human")]
    assert rows(BagEpisode(bag, cache)) == own
    before = BagEpisode(bag, cache)
    labelled(bag)
    # The index is in the cache by now.
    after = BagEpisode(bag, cache)
    assert rows(after) == [
        (25, 50, "open the drawer", "human"),
        (50, 75, "close the drawer", "human"),
    ]
    assert after.label_file.spans == SPANS
    assert [x.text for x in after.recorded_labels] == ["pick up the cup", "pick up the fork"]
    assert rows(pickle.loads(pickle.dumps(after))) == rows(after)
    assert rows(BagEpisode(next(bag.glob("*.mcap")), cache)) == rows(after)
    assert rows(before) == own
    loose = tmp_path / "loose.mcap"
    shutil.copy(next(bag.glob("*.mcap")), loose)
    shutil.copy(bag / FILE, tmp_path)  # Of whatever recording is beside it.
    assert rows(BagEpisode(loose)) == own
    label_file.clear(bag)
    assert rows(BagEpisode(bag, cache)) == own


def test_the_fingerprint_changes_with_the_labels_and_pictures_stay_cached(bag):
    plain = BagEpisode(bag)
    assert plain.fingerprint == plain.recording_fingerprint
    labelled(bag)
    first = BagEpisode(bag)
    labelled(bag, SPANS[:1])
    second = BagEpisode(bag)
    assert len({plain.fingerprint, first.fingerprint, second.fingerprint}) == 3
    assert first.recording_fingerprint == second.recording_fingerprint == plain.fingerprint


def test_samples_are_of_the_labelled_rows(bag):
    labelled(bag)
    samples = Samples([BagEpisode(bag)], ["front"])
    # Pictures come with every fifth row.
    assert [samples[k].row for k in (0, len(samples) - 1)] == [25, 70]
    last = samples[len(samples) - 1]
    assert (last.subtask, last.task, last.source) == ("close the drawer", "tidy up", "human")
    assert samples[0].task == FACTS.task


def test_grading_keeps_the_labels(tmp_path):
    bag = make_episode_bag(tmp_path, 0.2)
    labelled(bag, (LabelSpan(BEGIN, BEGIN + SECOND, "wave"),))
    grade(bag, "failure", "dropped")
    assert rows(BagEpisode(bag)) == [(0, 10, "wave", "human")]


def test_foreign_and_broken_labels_are_errors(bag):
    other = LabelFile("other", "0" * 32, SPANS)
    label_file.save(bag, other, "")
    with pytest.raises(BagError, match=f"wanted labels of {FACTS.id}, found those of other"):
        BagEpisode(bag)
    (bag / FILE).write_text("{")
    with pytest.raises(BagError, match="no valid file of labels"):
        BagEpisode(bag)
    with BagReader(bag) as reader:  # The recording itself is still there.
        assert reader.facts.id == FACTS.id


def errors(report):
    return [(f.subject, f.what) for f in report.findings if f.level == Severity.ERROR]


def test_the_check_reports_a_broken_file_and_a_foreign_one(bag):
    assert errors(check(bag)) == []
    (bag / FILE).write_text("{")
    ((subject, what),) = errors(check(bag))
    assert subject == FILE
    assert "no valid file of labels" in what
    label_file.clear(bag)
    label_file.save(bag, LabelFile("other", "0" * 32, SPANS), "")
    ((_, what),) = errors(check(bag))
    assert "of another recording" in what


def test_the_check_counts_rows_by_the_labels(bag):
    labelled(bag)
    found = check(bag).findings
    assert "only 50.0% of the rows that move have a subtask" in [f.what for f in found]
    (note,) = [f.what for f in found if f.subject == FILE]
    assert note == "2 spans of mia replace the recorded subtasks"


def test_labels_make_up_for_subtasks_that_were_never_recorded(tmp_path):
    """An episode that was teleoperated without a planner."""
    bag = make_episode_bag(tmp_path, 1.0, drop("/pi05/subtask", lambda k: False, lost=False))
    assert ("/pi05/subtask", "missing: there is no message") in errors(check(bag))
    assert BagEpisode(bag).labels == ()
    labelled(bag, (LabelSpan(BEGIN, BEGIN + SECOND, "wave"),))
    assert errors(check(bag)) == []
    assert rows(BagEpisode(bag)) == [(0, 50, "wave", "human")]


def test_labels_of_another_clock_fail_the_check(bag):
    labelled(bag, (LabelSpan(1, 2, "wave"),))
    assert any("their clock is another one" in what for _, what in errors(check(bag)))
