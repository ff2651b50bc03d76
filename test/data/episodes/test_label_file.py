import json
import os

import numpy as np
import pytest

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.episodes import label_file, label_spans
from pi05_ros.data.episodes.episode import SubtaskLabel
from pi05_ros.data.episodes.label_file import FILE, LabelConflictError, LabelFileError
from pi05_ros.data.episodes.label_spans import LabelFile, LabelSpan

FACTS = EpisodeFacts(id="a", started_ns=5)
KEY = label_file.recording_key(FACTS)
PICK, PUT = LabelSpan(100, 200, "pick up the cup"), LabelSpan(200, 320, "put it down", task="tidy")


def labels(*spans, **parts):
    return LabelFile("a", KEY, spans, "mia", "pi05_ros 1", **parts)


def test_a_file_is_read_as_it_was_written(tmp_path):
    written = labels(PICK, PUT, done_ns=(300, 320))
    digest = label_file.save(tmp_path, written, "")
    assert label_file.read(tmp_path, FACTS) == (written, digest)
    assert label_file.digest_of(tmp_path) == digest != ""
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_labels_without_spans_are_labels(tmp_path):
    label_file.save(tmp_path, labels(), "")
    assert label_file.read(tmp_path, FACTS)[0] == labels()


def test_without_a_file_there_are_no_labels(tmp_path):
    assert label_file.read(tmp_path, FACTS) == (None, "")


def test_rows_are_those_whose_time_lies_in_a_span():
    times = np.array([90, 100, 150, 199, 200, 319, 320, 400])
    assert labels(PICK, PUT).labels(times) == (
        SubtaskLabel(1, 4, "pick up the cup", "human"),
        SubtaskLabel(4, 6, "put it down", "human", "tidy"),
    )
    between = LabelSpan(151, 152, "blink")
    assert labels(between, PUT).labels(times) == (
        SubtaskLabel(4, 6, "put it down", "human", "tidy"),
    )


def test_spans_of_other_rows_are_no_labels():
    assert labels(PICK).labels(np.array([1000, 2000])) == ()
    assert labels().labels(np.array([1000])) == ()


@pytest.mark.parametrize(
    ("time", "text"), [(99, None), (100, "pick up the cup"), (200, "put it down"), (320, None)]
)
def test_the_span_of_a_time(time, text):
    span = labels(PICK, PUT).at(time)
    assert (span.text if span else None) == text


def test_labels_of_another_recording_are_refused(tmp_path):
    label_file.save(tmp_path, labels(PICK), "")
    for facts in (EpisodeFacts(id="b", started_ns=5), EpisodeFacts(id="a", started_ns=6)):
        with pytest.raises(LabelFileError, match="of another recording.*--clear"):
            label_file.read(tmp_path, facts)
    # What grading and recovering change.
    later = EpisodeFacts(id="a", started_ns=5, outcome="success", recovered="cut", notes="n")
    assert label_file.read(tmp_path, later)[0] == labels(PICK)


def test_the_second_of_two_writers_is_refused(tmp_path):
    first = label_file.save(tmp_path, labels(PICK), "")
    with pytest.raises(LabelConflictError, match="changed by someone else"):
        label_file.save(tmp_path, labels(PUT), "")
    second = label_file.save(tmp_path, labels(PUT), first)
    with pytest.raises(LabelConflictError):
        label_file.save(tmp_path, labels(), first)
    assert label_file.read(tmp_path, FACTS) == (labels(PUT), second)


def test_a_removed_file_is_another_one(tmp_path):
    known = label_file.save(tmp_path, labels(PICK), "")
    assert label_file.clear(tmp_path)
    assert not label_file.clear(tmp_path)
    with pytest.raises(LabelConflictError):
        label_file.save(tmp_path, labels(PUT), known)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d.update(format="x"), "format"),
        (lambda d: d.update(version=2), "version: wanted 1, found 2"),
        (lambda d: d.update(colour="red"), "unknown key 'colour'"),
        (lambda d: d.pop("episode"), "episode is missing"),
        (lambda d: d.update(spans={}), "spans: wanted a list"),
        (lambda d: d.update(done_ns=1.5), "done_ns: wanted a list"),
        (lambda d: d.update(done_ns=[True]), "done_ns: wanted a list"),
        (lambda d: d.update(done_ns=[-1]), "done_ns: wanted rising times"),
        (lambda d: d.update(done_ns=[2, 1]), "done_ns: wanted rising times"),
        (lambda d: d.update(author="m" * 300), "300 characters"),
        (lambda d: d["spans"][0].update(start_ns=True), "start_ns is True"),
        (lambda d: d["spans"][0].update(start_ns="1"), "start_ns is '1'"),
        (lambda d: d["spans"][0].update(stop_ns=100), "start before its end"),
        (lambda d: d["spans"][0].update(stop_ns=201), "must not overlap"),
        (lambda d: d["spans"][0].update(text=""), "it is empty"),
        (lambda d: d["spans"][0].update(text="a;b"), "cannot be a subtask"),
        (lambda d: d["spans"][1].update(task="a\nb"), "cannot be a task"),
        (lambda d: d["spans"][0].update(source="dog"), "source: wanted one of human"),
        (lambda d: d["spans"][0].pop("text"), "text is missing"),
        (lambda d: d["spans"].append(3), "wanted an object"),
        (lambda d: d["spans"].reverse(), "in the order of time"),
    ],
)
def test_a_file_that_is_not_valid_says_what_is_wrong(tmp_path, change, problem):
    content = json.loads(label_spans.to_json(labels(PICK, PUT)))
    change(content)
    (tmp_path / FILE).write_text(json.dumps(content))
    with pytest.raises(LabelFileError, match="no valid file of labels") as caught:
        label_file.read(tmp_path, FACTS)
    assert problem in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff\xfe", b"null"])
def test_other_bytes_are_no_labels(tmp_path, data):
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(LabelFileError, match="no valid file of labels"):
        label_file.read(tmp_path, FACTS)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(LabelFileError, match="cannot be opened"):
        label_file.save(tmp_path / "gone", labels(), "")


def test_a_file_that_is_nested_too_deeply_and_a_pipe_are_no_labels(tmp_path):
    (tmp_path / FILE).write_text("[" * 200_000)
    with pytest.raises(LabelFileError, match="nested too deeply"):
        label_file.read(tmp_path, FACTS)
    (tmp_path / FILE).unlink()
    os.mkfifo(tmp_path / FILE)
    with pytest.raises(LabelFileError, match="is no file; remove it"):
        label_file.read(tmp_path, FACTS)
