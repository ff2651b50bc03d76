"""Bags that a crash left are recovered when the recorder starts."""

import shutil

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.mark import is_marked
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.writer import BagTopic, BagWriter
from pi05_ros.recording.leftovers import recover_leftovers

DATA = b"\0\1\0\0\1\0\0\0\0"


def begun(folder, name):
    """A bag with one message on the disk, still open."""
    bag = BagWriter(folder / name, EpisodeFacts(name))
    bag.add_topic(BagTopic("/text", "std_msgs/msg/String"))
    bag.write("/text", DATA, 1, 2, 3)
    return bag


def cut(folder, name):
    """The files that a crash leaves: those of an open bag, without a lock."""
    bag = begun(folder, "open")
    bag._flush_all()
    shutil.copytree(bag.folder, folder / name)
    bag.close(EpisodeFacts("open"))
    shutil.rmtree(bag.folder)


def test_a_folder_that_is_not_there_has_no_leftovers(tmp_path):
    assert list(recover_leftovers(tmp_path / "none")) == []


def test_a_bag_that_was_cut_off_is_recovered_and_marked(tmp_path):
    cut(tmp_path, "b")
    ((recovered, message),) = recover_leftovers(tmp_path)
    assert recovered
    assert message == "episode b was cut off; 1 messages are recovered"
    with BagReader(tmp_path / "b") as bag:
        assert bag.topics["/text"].count == 1
        assert bag.facts.recovered
    assert list(recover_leftovers(tmp_path)) == []


def test_whole_and_locked_bags_are_not_touched(tmp_path):
    begun(tmp_path, "whole").close(EpisodeFacts("whole"))
    mine = begun(tmp_path, "mine")
    (tmp_path / "a file").write_text("no bag")
    (tmp_path / "no bag").mkdir()
    assert list(recover_leftovers(tmp_path)) == []
    assert is_marked(tmp_path / "mine")
    mine.close(EpisodeFacts("mine"))


def test_a_bag_that_cannot_be_recovered_is_reported_and_the_next_is_tried(tmp_path):
    cut(tmp_path, "b")
    bad = tmp_path / "a"
    bad.mkdir()
    (bad / "INCOMPLETE").write_text("")
    (bad / "a_0.mcap").mkdir()
    (first, why), (second, _) = recover_leftovers(tmp_path)
    assert (first, second) == (False, True)
    assert "episode a was cut off and cannot be recovered" in why


def test_it_stops_on_request(tmp_path):
    cut(tmp_path, "b")
    assert list(recover_leftovers(tmp_path, lambda: True)) == []
    assert is_marked(tmp_path / "b")
