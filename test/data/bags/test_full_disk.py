"""A disk that fills up: a file system of 64 MB, and a simulated disk that ends at any byte."""

import errno
import os
import subprocess
import time

import pytest
from fakes.bags import Clock, text
from rosbags.rosbag2 import Reader

from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.recovery import needs_recovery, recover
from pi05_ros.data.bags.verification import verify
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings

FACTS = EpisodeFacts(id="bag", task="fill the disk")


@pytest.fixture
def small_disk(tmp_path):
    """An empty file system of 64 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if done.returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True, timeout=60)


class Disk:
    """An os.writev that takes so many bytes and then raises the error."""

    def __init__(self, monkeypatch, room, error=errno.ENOSPC):
        self.room, self.error = room, error
        self._write = os.writev
        monkeypatch.setattr(os, "writev", self)

    def __call__(self, descriptor, buffers):
        if self.room <= 0:
            raise OSError(self.error, os.strerror(self.error))
        # Like a real disk it takes a part of the data, then nothing.
        taken, room = [], self.room
        for buffer in buffers:
            taken.append(buffer[:room])
            room -= len(taken[-1])
            if room == 0:
                break
        done = self._write(descriptor, taken)
        self.room -= done
        return done


def fill(writer, clock=None, pictures=1000):
    """Write until the disk is full; return the messages that were passed to the writer."""
    writer.add_topic(BagTopic("/picture", "std_msgs/msg/String"))
    writer.add_topic(BagTopic("/words", "std_msgs/msg/String"))
    noise = os.urandom(900_000)
    handed = []
    with pytest.raises(
        BagError, match=r"recording ends, the disk takes no more \(.*can be closed"
    ):
        for i in range(pictures):
            if clock is not None:
                clock.now += 0.03
                writer.tick()
            for topic, data in (("/words", text(f"word {i}")), ("/picture", noise)):
                handed.append((topic, data, 2 * i + (topic == "/picture")))
                writer.write(*handed[-1], 0)
    return handed


def whole(folder, handed):
    """The bag's messages, checked to be the first of those that were passed to the writer."""
    for path in folder.glob("*.mcap"):
        verify(path, deep=True)
    assert not (folder / "INCOMPLETE").exists()
    with BagReader(folder) as reader:
        kept = [(m.topic, m.data, m.log_ns) for m in reader.messages()]
        facts = reader.facts
    assert set(kept) <= set(handed)
    with Reader(folder) as reader:
        assert reader.message_count == len(kept)
    return kept, facts


def test_64_megabytes_end_as_a_valid_bag(small_disk):
    writer = BagWriter(small_disk / "bag", FACTS)
    handed = fill(writer)
    writer.write("/words", b"late", 1, 1)  # is counted, and does not raise again
    writer.tick()
    assert writer.failure == "No space left on device"
    counts = dict(writer.counts)
    writer.close(FACTS)
    kept, facts = whole(small_disk / "bag", handed)
    assert len(kept) + writer.dropped == len(handed) + 1
    assert {topic: sum(k[0] == topic for k in kept) for topic in counts} == counts
    # 64 MiB less the reserves: 2 MB at most are not pictures.
    assert counts["/picture"] >= 70
    # Small messages fit into the reserve: no word is lost.
    assert counts["/words"] == sum(topic == "/words" for topic, _, _ in handed)
    assert facts.ended == "the disk failed: No space left on device"


def test_a_disk_that_another_process_fills_costs_the_last_chunks_only(small_disk):
    writer = BagWriter(small_disk / "bag", FACTS)
    handed = fill(writer)
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError):
        while True:
            ballast.write(bytes(4096))
    writer.close(FACTS)
    kept, _ = whole(small_disk / "bag", handed)
    assert sum(topic == "/picture" for topic, _, _ in kept) >= 68


@pytest.mark.parametrize("room", [900, 5_000, 20_000, 1_000_000, 1_999_999, 4_444_444])
def test_wherever_the_disk_ends_the_bag_is_valid(tmp_path, monkeypatch, room):
    writer = BagWriter(tmp_path / "bag", FACTS)
    disk = Disk(monkeypatch, room)
    if room < 20_000:  # It is full before the first message.
        with pytest.raises(BagError, match="the disk takes no more"):
            for topic in ("/a", "/b", "/c"):
                writer.add_topic(BagTopic(topic, "sensor_msgs/msg/JointState"))
                disk.room -= 3000
        handed = []
    else:
        handed = fill(writer)
    disk.room = 60_000  # the reserve
    writer.close(FACTS)
    for path in (tmp_path / "bag").glob("*.mcap"):
        verify(path, deep=True)
    if handed and sum(writer.counts.values()):
        kept, _ = whole(tmp_path / "bag", handed)
        assert len(kept) == sum(writer.counts.values())


def test_a_full_disk_at_a_split(tmp_path, monkeypatch):
    for room in range(2_800_000, 2_900_000, 7_000):
        clock = Clock()
        folder = tmp_path / str(room)
        writer = BagWriter(folder, FACTS, WriterSettings(split_after_s=0.1), clock=clock)
        disk = Disk(monkeypatch, room)
        handed = fill(writer, clock)
        disk.room = 60_000
        writer.close(FACTS)
        kept, facts = whole(folder, handed)
        assert kept == handed[: len(kept)]
        assert facts.ended
        monkeypatch.undo()


def test_a_disk_with_room_for_the_end_of_a_file_and_none_for_the_next(tmp_path, monkeypatch):
    clock = Clock()
    writer = BagWriter(tmp_path / "bag", FACTS, WriterSettings(split_after_s=1.0), clock=clock)
    writer.add_topic(BagTopic("/words", "std_msgs/msg/String"))
    writer.write("/words", text("a"), 1, 1)
    clock.now += 1.1

    def full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pi05_ros.data.bags.parts.McapFile", full)
    with pytest.raises(BagError, match="the disk takes no more"):
        writer.tick()
    writer.close(FACTS)
    kept, facts = whole(tmp_path / "bag", [("/words", text("a"), 1)])
    assert len(kept) == 1 and facts.ended
    assert [path.name for path in (tmp_path / "bag").glob("*.mcap")] == ["bag_0.mcap"]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_bag_that_cannot_be_finished_stays_marked_and_can_be_recovered(
    tmp_path, monkeypatch, error
):
    writer = BagWriter(tmp_path / "bag", FACTS)
    Disk(monkeypatch, 4_000_000, error)
    handed = fill(writer)
    with pytest.raises(BagError, match=r"could not be closed \(.*bags recover"):
        writer.close(FACTS)
    monkeypatch.undo()
    assert needs_recovery(tmp_path / "bag")
    report = recover(tmp_path / "bag")
    # Two chunks of two pictures were whole. A full disk drops one, which does not help; a
    # failed disk drops none.
    assert report.messages == (2 if error == errno.ENOSPC else 4)
    whole(tmp_path / "bag", handed)


def test_a_broken_disk_is_an_error_as_well(tmp_path, monkeypatch):
    writer = BagWriter(tmp_path / "bag", FACTS)
    disk = Disk(monkeypatch, 3_000_000, errno.EIO)
    handed = fill(writer)
    assert writer.failure == "Input/output error"
    disk.room = 60_000
    writer.close(FACTS)
    whole(tmp_path / "bag", handed)


def test_a_sync_that_fails_ends_the_recording(tmp_path, monkeypatch):
    clock = Clock()
    writer = BagWriter(tmp_path / "bag", FACTS, clock=clock)
    writer.add_topic(BagTopic("/words", "std_msgs/msg/String"))

    def broken(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", broken)
    writer.write("/words", text("a"), 1, 1)
    clock.now += 1.1
    writer.tick()
    with pytest.raises(BagError, match="Input/output error"):
        for _ in range(5000):  # until the sync thread has reached it
            writer.tick()
            time.sleep(0.001)
    with pytest.raises(BagError, match=r"could not be closed \(Input/output error"):
        writer.close(FACTS)
    assert (tmp_path / "bag/INCOMPLETE").exists()


def test_a_sync_that_failed_just_before_the_end_leaves_the_bag_marked(tmp_path, monkeypatch):
    clock = Clock()
    writer = BagWriter(tmp_path / "bag", FACTS, clock=clock)
    writer.add_topic(BagTopic("/words", "std_msgs/msg/String"))
    writer.write("/words", text("a"), 1, 1)
    sync, failed = os.fdatasync, []

    def broken_once(descriptor):
        if not failed:
            failed.append(descriptor)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", broken_once)
    clock.now += 1.1
    writer.tick()
    with pytest.raises(BagError, match=r"could not be closed \(Input/output error"):
        writer.close(FACTS)
    assert failed and (tmp_path / "bag/INCOMPLETE").exists()


def test_no_room_for_a_bag_at_all(tmp_path, monkeypatch):
    Disk(monkeypatch, 0)
    with pytest.raises(BagError, match=r"no bag can be begun there \(No space left on device\)"):
        BagWriter(tmp_path / "bag", FACTS)
    assert not (tmp_path / "bag").exists()
