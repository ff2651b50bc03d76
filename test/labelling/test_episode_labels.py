import shutil

import pytest
from fakes.bags import SECOND

pytest.importorskip("rclpy")

from fakes.episode_bags import FACTS, drop, make_episode_bag

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.label_file import LabelConflictError, LabelFileError
from pi05_ros.data.episodes.label_spans import LabelFile, LabelSpan
from pi05_ros.labelling.episode_labels import EpisodeLabels

BEGIN = FACTS.started_ns


def plain(labels):
    seconds = labels.since_begin
    return [(seconds(s.start_ns), seconds(s.stop_ns), s.text, s.source) for s in labels.spans]


def test_an_episode_begins_with_what_was_recorded(bag):
    labels = EpisodeLabels(bag)
    assert plain(labels) == [
        (0.0, 1.0, "pick up the cup", "model"),
        (1.0, 2.0, "pick up the fork", "human"),
    ]
    assert (labels.version, labels.seconds, labels.done_ns) == ("", 2.0, ())
    assert labels.labelled_share() == 1.0
    assert list(bag.glob("labels*")) == []


def test_what_is_not_edited_stays_as_it_was_with_its_boxes(bag):
    before = BagEpisode(bag).labels
    labels = EpisodeLabels(bag, "mia")
    labels.set(1.5, 2.0, " open the drawer ")
    labels.mark_done(1.5)
    labels.save()
    after = BagEpisode(bag)
    assert after.labels[0] == before[0]
    assert [(x.start_row, x.stop_row, x.text) for x in after.labels[1:]] == [
        (50, 75, "pick up the fork"),
        (75, 100, "open the drawer"),
    ]
    assert after.labels[1].model_text == "pick up the cup"
    assert after.label_file.author == "mia"
    assert after.label_file.done_ns == (BEGIN + 3 * SECOND // 2,)
    assert after.label_file.tool.startswith("pi05_ros ")


def test_an_episode_without_subtasks_begins_empty(tmp_path):
    bag = make_episode_bag(tmp_path, 0.4, drop("/pi05/subtask", lambda k: False, lost=False))
    labels = EpisodeLabels(bag)
    assert (labels.spans, labels.labelled_share()) == ((), 0.0)
    labels.set(0, labels.seconds, "wave")
    labels.save()
    assert labels.labelled_share() == 1.0
    (label,) = BagEpisode(bag).labels
    assert (label.start_row, label.stop_row, label.source) == (0, 20, "human")


def test_changes_are_taken_back_one_by_one(bag):
    labels = EpisodeLabels(bag)
    first = labels.spans
    labels.erase(0.5, 1.5)
    assert [(a, b) for a, b, *_ in plain(labels)] == [(0.0, 0.5), (1.5, 2.0)]
    labels.mark_done(1.0)
    assert labels.undo() and labels.done_ns == ()
    assert labels.undo() and labels.spans == first
    assert not labels.undo()


@pytest.mark.parametrize(
    ("start", "stop", "text", "problem"),
    [
        (0, 2.1, "wave", "2.1 s is not within the episode: wanted 0 to 2 s"),
        (-1, 1, "wave", "-1 s is not within"),
        (1, 1, "wave", "a start before its end"),
        (float("nan"), 1, "wave", "a start before its end"),
        (0, 1, "", "it is empty"),
        (0, 1, "wave; then go", "cannot be a subtask"),
        (0, 1, "wave\ngo", "cannot be a subtask"),
    ],
)
def test_what_cannot_be_a_label_changes_nothing(bag, start, stop, text, problem):
    labels = EpisodeLabels(bag)
    before = labels.spans
    with pytest.raises(LabelFileError, match=problem):
        labels.set(start, stop, text)
    assert labels.spans == before and not labels.undo()


def test_recorded_texts_come_first_in_the_vocabulary_and_new_ones_last(bag):
    labels = EpisodeLabels(bag)
    known = labels.vocabulary()
    assert known[:3] == ("pick up the cup", "pick up the fork", "pick up the plate")
    assert len(set(known)) == len(known)
    labels.set(0, 1, "wave")
    assert labels.vocabulary() == (*known, "wave")


def test_a_recorded_text_that_cannot_be_parsed_back_is_not_kept(tmp_path):
    def ill(messages):
        for m in messages:
            if m.topic == "/pi05/subtask" and m.message.id == 1:
                m.message.text = "a <loc0001>; b"
        return messages

    labels = EpisodeLabels(make_episode_bag(tmp_path, 0.4, ill))
    assert plain(labels) == [(0.2, 0.4, "pick up the fork", "human")]
    (reason,) = labels.unfit
    assert "a <loc0001>; b" in reason


def test_another_writer_is_noticed_and_his_labels_can_be_read(bag):
    mine, theirs = EpisodeLabels(bag), EpisodeLabels(bag)
    theirs.set(0, 1, "wave")
    theirs.save()
    mine.set(1, 2, "nod")
    with pytest.raises(LabelConflictError):
        mine.save()
    mine.reload()
    assert plain(mine) == plain(theirs)
    mine.set(1, 2, "nod")
    mine.save()
    assert [text for *_, text, _ in plain(EpisodeLabels(bag))] == ["wave", "nod"]


def test_what_is_no_bag_is_refused_with_what_to_do(bag, tmp_path):
    dataset = tmp_path / "dataset"
    (dataset / "meta").mkdir(parents=True)
    (dataset / "meta/info.json").write_text("{}")
    with pytest.raises(BagError, match="LeRobot dataset.*bags import"):
        EpisodeLabels(dataset)
    with pytest.raises(BagError, match="folder of one episode"):
        EpisodeLabels(tmp_path)
    loose = tmp_path / "loose" / "x.mcap"
    loose.parent.mkdir()
    shutil.copy(next(bag.glob("*.mcap")), loose)
    with pytest.raises(BagError, match="without a bag's folder"):
        EpisodeLabels(loose)
    with pytest.raises(BagError, match="there is no bag"):
        EpisodeLabels(tmp_path / "gone")
    label_file.save(bag, LabelFile("other", "0"), "")
    with pytest.raises(LabelFileError, match="of another recording"):
        EpisodeLabels(bag)


def test_labels_beyond_the_episode_are_kept(bag):
    """Those of other episodes of the same bag."""
    key = BagEpisode(bag).recording_key
    early, across = (BEGIN - 10, BEGIN - 5, "wait"), (BEGIN + SECOND, BEGIN + 9 * SECOND, "nod")
    spans = (LabelSpan(*early), LabelSpan(*across))
    done = (BEGIN - 5, BEGIN + SECOND, BEGIN + 9 * SECOND)
    label_file.save(bag, LabelFile("e", key, spans, done_ns=done), "")
    labels = EpisodeLabels(bag)
    assert plain(labels) == [(1.0, 2.0, "nod", "human")]
    assert labels.done_ns == (BEGIN + SECOND,)
    labels.erase(1.5, 2.0)
    labels.unmark_done()
    labels.save()
    written = BagEpisode(bag).label_file
    assert [(s.start_ns, s.stop_ns, s.text) for s in written.spans] == [
        early,
        (BEGIN + SECOND, BEGIN + 3 * SECOND // 2, "nod"),
        (BEGIN + 2 * SECOND, BEGIN + 9 * SECOND, "nod"),
    ]
    assert written.done_ns == (BEGIN - 5, BEGIN + 9 * SECOND)


def test_an_episode_that_the_bag_lacks_is_named(bag):
    with pytest.raises(BagError, match="has no episode 2: wanted 1 to 1"):
        EpisodeLabels(bag, number=1)


def test_plans_of_the_high_level_follow_the_labels(bag):
    before = BagEpisode(bag).plans
    assert [(p.stamp_ns, p.text) for p in before] == [
        (BEGIN, "pick up the cup"),
        (BEGIN + SECOND, "pick up the fork"),
    ]
    labels = EpisodeLabels(bag)
    labels.save()
    assert BagEpisode(bag).plans == before
    labels.set(1, 2, "nod", "greet")
    labels.mark_done(2)
    labels.save()
    assert [(p.stamp_ns, p.task, p.text, p.done) for p in BagEpisode(bag).plans] == [
        (BEGIN, FACTS.task, "pick up the cup", False),
        (BEGIN + SECOND, "greet", "nod", False),
        (BEGIN + 2 * SECOND, "greet", "", True),
    ]
