import json

import pytest

from pi05_ros.data.episodes import label_spans
from pi05_ros.data.episodes.label_file import LabelFileError
from pi05_ros.data.episodes.label_spans import LabelFile, LabelSpan
from pi05_ros.labelling.episode_labels import EpisodeLabels
from pi05_ros.labelling.importing import import_spans


def plain(labels):
    return [
        (labels.since_begin(s.start_ns), labels.since_begin(s.stop_ns), s.text, s.task)
        for s in labels.spans
    ]


WANTED = [(0.0, 0.5, "wave", ""), (0.5, 1.25, "nod, twice", "greet")]


def test_csv_and_json_replace_all_labels(bag, tmp_path):
    table, rows = tmp_path / "spans.csv", tmp_path / "spans.json"
    table.write_text(
        '\ufeffstart, end, text, note, task\n0.5,1.25,"nod, twice",x,greet\n0,0.5,wave\n'
    )
    rows.write_text(
        json.dumps(
            [
                {"start": 0, "end": 0.5, "text": "wave"},
                {"start": 0.5, "end": 1.25, "text": "nod, twice", "task": "greet"},
            ]
        )
    )
    for file in (table, rows):
        labels = EpisodeLabels(bag)
        assert import_spans(labels, file) == 2
        assert plain(labels) == WANTED


def test_labels_of_the_same_recording_are_taken_with_their_mark(bag, tmp_path):
    labels = EpisodeLabels(bag)
    key = labels.episode.recording_key
    span = LabelSpan(labels.begin_ns, labels.begin_ns + 10, "wave")
    file = tmp_path / "x.json"
    file.write_text(
        label_spans.to_json(LabelFile("e", key, (span,), done_ns=(labels.begin_ns + 5,)))
    )
    assert import_spans(labels, file) == 1
    assert (labels.spans, labels.done_ns) == ((span,), (labels.begin_ns + 5,))
    file.write_text(label_spans.to_json(LabelFile("other", "0", (span,))))
    with pytest.raises(LabelFileError, match="of another recording.*those of other"):
        import_spans(labels, file)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.csv", "", "wanted a first line with the columns start,end,text, found none"),
        ("a.csv", "begin,end,text\n0,1,wave", "found begin,end,text"),
        ("a.csv", "start,end,text\n", "holds no spans"),
        ("a.csv", "start,end,text\n0,x,wave", "span 1: start and end are seconds"),
        ("a.csv", "start,end,text\n0,inf,wave", "span 1: start and end are seconds"),
        ("a.csv", "start,end,text\n0,1,wave\n0.9,2,nod", "must not overlap"),
        ("a.csv", "start,end,text\n0,9,wave", "span 1: 9 s is not within the episode"),
        ("a.json", "[", "is no JSON"),
        ("a.json", "3", "holds no spans"),
        ("a.json", "[3]", "span 1: wanted an object"),
        ("a.json", '[{"start": 0, "end": 1}]', "span 1: text is missing"),
        ("a.json", '[{"start": 0, "end": 1, "text": "a", "x": 1}]', "unknown key 'x'"),
        ("a.json", '[{"start": 0, "end": null, "text": "a"}]', "are seconds"),
        ("a.json", '[{"start": 0, "end": 1, "text": 3}]', "are texts"),
        ("a.json", '[{"start": 0, "end": 1, "text": "a;b"}]', "span 1: .*cannot be a subtask"),
        ("a.json", "{}", "pi05 labels"),
        ("a.txt", "0 1 wave", "wanted a file .csv or .json"),
    ],
)
def test_a_file_that_is_not_valid_changes_nothing(bag, tmp_path, name, text, problem):
    labels = EpisodeLabels(bag)
    before = labels.spans
    (tmp_path / name).write_text(text)
    with pytest.raises(LabelFileError, match=problem):
        import_spans(labels, tmp_path / name)
    assert labels.spans == before


def test_a_file_that_is_not_there_is_named(bag, tmp_path):
    with pytest.raises(LabelFileError, match="gone.csv cannot be read"):
        import_spans(EpisodeLabels(bag), tmp_path / "gone.csv")
