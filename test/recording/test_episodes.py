"""start_episode and stop_episode, without ROS."""

import threading
import time

import pytest

from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.mark import is_marked
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.writer import BagTopic, BagWriter
from pi05_ros.recording.disk import DiskSpace
from pi05_ros.recording.episodes import Episodes, RecorderState, StartCode, StopCode
from pi05_ros.recording.queue import Message

FACTS = EpisodeFacts("none yet", task="wash up")
TEXT = BagTopic("/text", "std_msgs/msg/String")


class Scene:
    """Episodes with a clock and a disk that the test controls."""

    def __init__(self, folder):
        self.now_ns = 5_000_000_000
        self.space = DiskSpace(10**12, 10**12)
        self.bag = BagWriter
        self.folder = folder / "bags"
        self.episodes = Episodes(
            self.folder,
            now_ns=lambda: self.now_ns,
            utc_s=lambda: 1795400130.0,
            open_bag=lambda *arguments: self.bag(*arguments),
            disk=lambda _: self.space,
        )


@pytest.fixture
def scene(tmp_path):
    found = Scene(tmp_path)
    yield found
    found.episodes.end("the test is over")


def put_one(scene):
    """Put one message into the open episode: readers refuse an empty bag."""
    scene.episodes.session.add_topic(TEXT)
    scene.episodes.session.put(Message("/text", b"\0\1\0\0\1\0\0\0\0", 7, 8, 1))


def wait_for(condition, what):
    """Wait for the bag's thread."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def settled(scene):
    """The state after the bag's thread has ended by itself."""
    session = scene.episodes.session
    if session is not None:
        assert session.done.wait(10)
    return scene.episodes.status()


def slow_to_close(scene):
    """Bags whose closing waits: events for "it closes" and "go on"."""
    closing, go_on = threading.Event(), threading.Event()

    class Slow(BagWriter):
        def close(self, facts):
            closing.set()
            assert go_on.wait(10)
            super().close(facts)

    scene.bag = Slow
    return closing, go_on


def test_an_episode_from_start_to_stop(scene):
    assert scene.episodes.status().state is RecorderState.IDLE
    reply = scene.episodes.start(FACTS)
    assert (reply.code, reply.id) == (StartCode.NONE, "20261123T021530Z_wash-up")
    assert reply.path == str(scene.folder / reply.id)
    put_one(scene)
    scene.now_ns += 2_500_000_000
    status = scene.episodes.status()
    assert (status.state, status.duration_ns) == (RecorderState.RECORDING, 2_500_000_000)
    reply = scene.episodes.stop("success", "went well")
    assert (reply.code, reply.path) == (StopCode.NONE, str(scene.folder / status.facts.id))
    status = scene.episodes.status()
    assert (status.state, status.outcome, status.message) == (RecorderState.IDLE, "success", "")
    assert (status.message_count, status.duration_ns) == (1, 2_500_000_000)
    assert status.byte_count > 0
    with BagReader(scene.folder / status.facts.id) as bag:
        assert bag.facts == EpisodeFacts(
            status.facts.id,
            task="wash up",
            notes="went well",
            outcome="success",
            started_ns=5_000_000_000,
        )


def test_notes_are_added_to_those_of_the_start(scene):
    scene.episodes.start(EpisodeFacts("x", notes="rainy"))
    scene.episodes.stop("failure", "fell")
    assert scene.episodes.status().facts.notes == "rainy\nfell"


def test_two_episodes_at_once_are_refused(scene):
    first = scene.episodes.start(FACTS)
    reply = scene.episodes.start(FACTS)
    assert reply.code == StartCode.ALREADY_RECORDING
    assert reply.message == f"episode {first.id} is being recorded: stop it first"
    assert (reply.id, reply.path) == ("", "")
    assert [p.name for p in scene.folder.iterdir()] == [first.id]


def test_one_episode_follows_another(scene):
    for number in ("", "_2"):
        assert scene.episodes.start(FACTS).id == f"20261123T021530Z_wash-up{number}"
        assert scene.episodes.stop("failure").code == StopCode.NONE


def test_no_episode_begins_on_a_full_disk(scene):
    scene.space = DiskSpace(free=1_000_000_000, total=10**12)
    reply = scene.episodes.start(FACTS)
    assert reply.code == StartCode.NO_SPACE
    assert "1 GB are free, 3 GB are needed to start" in reply.message
    assert not scene.folder.exists()
    assert scene.episodes.status().state is RecorderState.IDLE


def test_a_folder_that_cannot_be_written_is_a_storage_error(scene):
    scene.folder.write_text("a file")
    assert scene.episodes.start(FACTS).code == StartCode.STORAGE_ERROR


def test_a_bag_that_cannot_be_opened_is_a_storage_error(scene):
    def refuse(*_):
        raise BagError("no bag can be begun there")

    scene.bag = refuse
    reply = scene.episodes.start(FACTS)
    assert reply.code == StartCode.STORAGE_ERROR
    assert reply.message == "the bag cannot be opened: no bag can be begun there"


def test_stop_without_an_episode_is_refused(scene):
    reply = scene.episodes.stop("success")
    assert (reply.code, reply.message) == (StopCode.NOT_RECORDING, "no episode is open")


@pytest.mark.parametrize("outcome", ["", "Success", "nearly"])
def test_an_unknown_outcome_is_refused_and_the_episode_goes_on(scene, outcome):
    scene.episodes.start(FACTS)
    reply = scene.episodes.stop(outcome)
    assert reply.code == StopCode.INVALID_OUTCOME
    assert "success, failure, discard" in reply.message
    assert scene.episodes.state is RecorderState.RECORDING


def test_a_discarded_episode_is_deleted(scene):
    reply = scene.episodes.start(FACTS)
    assert scene.episodes.stop("discard").code == StopCode.NONE
    assert list(scene.folder.iterdir()) == []
    status = scene.episodes.status()
    assert (status.state, status.outcome, status.path) == (RecorderState.IDLE, "discard", "")
    assert status.facts.id == reply.id


def test_a_bag_that_cannot_be_closed_is_a_storage_error_and_stays_marked(scene):
    class Failing(BagWriter):
        def close(self, facts):
            raise BagError("it is not what was written")

    scene.bag = Failing
    path = scene.episodes.start(FACTS).path
    reply = scene.episodes.stop("success")
    assert reply.code == StopCode.STORAGE_ERROR
    assert (
        reply.message == f"it is not what was written; the bag stays in {path}, marked incomplete"
    )
    assert reply.path == path
    assert is_marked(scene.folder / scene.episodes.status().facts.id)
    assert scene.episodes.status().state is RecorderState.ERROR


def test_a_disk_that_fills_up_is_an_error_at_once_and_the_next_episode_can_begin(scene):
    first = scene.episodes.start(FACTS)
    put_one(scene)
    wait_for(lambda: scene.episodes.status().message_count == 1, "the message")
    scene.space = DiskSpace(free=1, total=64_000_000)
    status = settled(scene)
    assert (status.state, status.outcome) == (RecorderState.ERROR, "")
    assert status.message.startswith("the disk is full")
    with BagReader(scene.folder / first.id) as bag:
        assert bag.facts.ended == status.message
    reply = scene.episodes.stop("success")
    assert reply.code == StopCode.NOT_RECORDING
    assert "ended by itself, the disk is full" in reply.message
    assert scene.episodes.start(FACTS).code == StartCode.NO_SPACE
    assert scene.episodes.status().state is RecorderState.ERROR
    scene.space = DiskSpace(10**12, 10**12)
    assert scene.episodes.start(FACTS).code == StartCode.NONE
    assert scene.episodes.status().state is RecorderState.RECORDING


def test_the_end_of_the_recorder_closes_the_bag_without_an_outcome(scene):
    path = scene.episodes.start(FACTS).path
    put_one(scene)
    assert scene.episodes.end("recorder stopped").code == StopCode.NONE
    with BagReader(scene.folder / scene.episodes.status().facts.id) as bag:
        assert (bag.facts.outcome, bag.facts.ended) == ("", "recorder stopped")
    assert scene.episodes.status().path == path


def test_while_a_bag_is_closed_another_cannot_begin(scene):
    closing, go_on = slow_to_close(scene)
    scene.episodes.start(FACTS)
    stopper = threading.Thread(target=scene.episodes.stop, args=("success",))
    stopper.start()
    assert closing.wait(10)
    assert scene.episodes.status().state is RecorderState.CLOSING
    go_on.set()
    stopper.join(10)
    assert scene.episodes.status().state is RecorderState.IDLE


def test_while_a_full_disks_bag_is_closed_another_cannot_begin(scene):
    closing, go_on = slow_to_close(scene)
    first = scene.episodes.start(FACTS)
    scene.space = DiskSpace(1, 64_000_000)
    assert closing.wait(10)
    assert scene.episodes.status().state is RecorderState.ERROR
    reply = scene.episodes.start(FACTS)
    go_on.set()
    assert reply.code == StartCode.ALREADY_RECORDING
    assert reply.message == f"episode {first.id} is still being closed"
    settled(scene)


def test_the_end_waits_for_a_bag_that_is_being_closed(scene):
    closing, go_on = slow_to_close(scene)
    first = scene.episodes.start(FACTS)
    put_one(scene)
    wait_for(lambda: scene.episodes.status().message_count == 1, "the message")
    scene.space = DiskSpace(1, 64_000_000)
    assert closing.wait(10)
    ended = threading.Thread(target=scene.episodes.end, args=("recorder stopped",))
    ended.start()
    assert is_marked(scene.folder / first.id)
    go_on.set()
    ended.join(10)
    assert not is_marked(scene.folder / first.id)
