"""One episode from the queue to the verified bag."""

import dataclasses
import threading

import pytest

from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.mark import is_locked, is_marked
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.recovery import recover
from pi05_ros.data.bags.writer import BagTopic, BagWriter
from pi05_ros.recording.disk import DiskSpace
from pi05_ros.recording.queue import Message, QueueLimits
from pi05_ros.recording.session import Session, SessionSettings

TEXT = BagTopic("/text", "std_msgs/msg/String")
ROOMY = DiskSpace(10**12, 10**12)


class Bench:
    """A session without a thread: the test calls `open`, `step` and `close`."""

    def __init__(self, folder, **settings):
        self.space = ROOMY
        self.bags = []
        self.session = Session(
            folder / "e1",
            EpisodeFacts("e1"),
            SessionSettings(**settings),
            open_bag=self._bag,
            disk=lambda _: self.space,
        )

    def _bag(self, *arguments):
        self.bags.append(BagWriter(*arguments))
        return self.bags[-1]

    def put(self, text, sequence):
        # CDR of std_msgs/String: header, length, characters, a zero.
        data = b"\0\1\0\0" + (len(text) + 1).to_bytes(4, "little") + text.encode() + b"\0"
        self.session.put(Message("/text", data, 1000 + sequence, 2000 + sequence, sequence))


@pytest.fixture
def bench(tmp_path):
    found = Bench(tmp_path)
    yield found
    for bag in found.bags:
        bag.abandon()


def run(bench):
    thread = threading.Thread(target=bench.session.run)
    thread.start()
    assert bench.session.opened.wait(10)
    return thread


def dropped(session):
    return {t.name: t.dropped for t in session.tallies.report(1.0, set(), {})}


def test_received_messages_are_in_the_bag_byte_by_byte(bench):
    thread = run(bench)
    bench.session.add_topic(TEXT)
    for number, text in enumerate(("plate", "", "cup"), 1):
        bench.put(text, number)
    bench.session.change(lambda facts: dataclasses.replace(facts, outcome="success"))
    bench.session.finish()
    thread.join(10)
    assert (bench.session.failure, bench.session.trouble) == ("", "")
    with BagReader(bench.session.folder) as bag:
        found = list(bag.messages())
        assert [(m.topic, m.log_ns, m.publish_ns, m.sequence) for m in found] == [
            ("/text", 1000 + n, 2000 + n, n) for n in (1, 2, 3)
        ]
        assert [bag.decode("/text", m.data).data for m in found] == ["plate", "", "cup"]
        assert bag.facts == EpisodeFacts("e1", outcome="success")


def test_facts_changed_during_recording_survive_a_crash(bench):
    session = bench.session
    session._open()
    session.add_topic(TEXT)
    bench.put("plate", 1)
    session.step(0.0)
    session.change(lambda facts: dataclasses.replace(facts, cameras={"front": "/front/image_raw"}))
    session.step(0.0)
    bench.bags[0]._flush_all()
    bench.bags[0].abandon()
    recover(session.folder)
    with BagReader(session.folder) as bag:
        assert bag.facts.cameras == {"front": "/front/image_raw"}
        assert bag.facts.recovered and bag.topics["/text"].count == 1


def test_queued_messages_are_written_before_the_bag_is_closed(bench):
    bench.session.add_topic(TEXT)
    for number in range(1, 501):
        bench.put("x" * 10_000, number)
    bench.session.finish()
    bench.session.run()
    with BagReader(bench.session.folder) as bag:
        assert bag.topics["/text"].count == 500
    assert not is_marked(bench.session.folder)


def test_a_bag_that_is_being_written_is_locked(bench):
    thread = run(bench)
    assert is_locked(bench.session.folder)
    bench.session.finish()
    thread.join(10)
    assert not is_locked(bench.session.folder)


def test_a_discarded_episode_leaves_nothing(bench):
    thread = run(bench)
    bench.session.add_topic(TEXT)
    bench.put("x", 1)
    bench.session.discard()
    thread.join(10)
    assert not bench.session.folder.exists()
    assert bench.session.failure == ""


def test_a_disk_that_fills_up_ends_the_episode_with_a_valid_bag(bench):
    bench.session._open()
    bench.session.add_topic(TEXT)
    bench.put("before", 1)
    assert bench.session.step(0.0)
    bench.space = DiskSpace(free=3_000_000, total=64_000_000)
    bench.put("last", 2)
    bench.put("never", 3)
    assert not bench.session.step(0.0) or bench.session.trouble
    bench.put("late", 4)
    bench.session._close()
    assert bench.session.trouble.startswith("the disk is full")
    assert bench.session.failure == ""
    with BagReader(bench.session.folder) as bag:
        assert bag.facts.ended == bench.session.trouble
        written = bag.topics["/text"].count
    assert written >= 2
    assert dropped(bench.session) == {"/text": 4 - written}


def test_a_failed_disk_is_reported_and_the_bag_is_closed(tmp_path):
    class Failing(BagWriter):
        def write(self, topic, data, *rest):
            if b"bad" in data:
                raise BagError("e1: recording ends, the disk takes no more")
            super().write(topic, data, *rest)

    bench = Bench(tmp_path)
    bench.session._open_bag = Failing
    bench.session.add_topic(TEXT)
    for number, text in enumerate(("good", "bad", "other"), 1):
        bench.put(text, number)
    bench.session.run()
    assert "the disk takes no more" in bench.session.trouble
    with BagReader(bench.session.folder) as bag:
        assert bag.topics["/text"].count == 1
        assert "takes no more" in bag.facts.ended
    assert dropped(bench.session) == {"/text": 2}


def test_a_bag_that_cannot_be_opened_is_reported(bench):
    bench.session.folder.mkdir()
    bench.session.run()
    assert "exists already" in bench.session.failure
    assert bench.session.opened.is_set() and bench.session.done.is_set()


def test_a_bag_that_cannot_be_closed_stays_marked(tmp_path):
    class Failing(BagWriter):
        def close(self, facts):
            raise BagError("e1 could not be closed")

    bench = Bench(tmp_path)
    bench.session._open_bag = Failing
    bench.session.finish()
    bench.session.run()
    assert bench.session.failure == "e1 could not be closed"
    assert is_marked(bench.session.folder)
    assert not is_locked(bench.session.folder)


def test_a_bug_is_reported_and_the_bag_stays_marked(bench, monkeypatch):
    monkeypatch.setattr(BagWriter, "tick", lambda self: 1 / 0)
    bench.session.run()
    assert "see the log of the recorder" in bench.session.trouble
    assert "ZeroDivisionError" in bench.session.failure
    assert bench.session.done.is_set()
    assert is_marked(bench.session.folder)


def test_a_slow_disk_drops_large_messages_and_counts_them(tmp_path):
    limits = QueueLimits(total_bytes=3000, small_reserve_bytes=1000, large_bytes=500)
    bench = Bench(tmp_path, queue=limits)
    bench.session.add_topic(TEXT)
    bench.session.add_topic(BagTopic("/picture", "std_msgs/msg/String"))
    for number in range(1, 6):
        bench.put("small", number)
        bench.session.put(Message("/picture", bytes(600), number, number, number))
    assert dropped(bench.session) == {"/picture": 4, "/text": 0}
    assert bench.session.queue_bytes <= 3000


def test_messages_after_the_end_are_refused(bench):
    bench.session.add_topic(TEXT)
    bench.session.finish()
    bench.session.run()
    bench.put("late", 1)
    assert dropped(bench.session) == {"/text": 1}
