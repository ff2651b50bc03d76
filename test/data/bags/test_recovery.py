"""Recovery of bags that were cut in every way."""

import os
import random
import struct
from contextlib import suppress

import pytest
from fakes.bags import LATCHED, SECOND, Clock, make_bag, text
from mcap.reader import NonSeekingReader, make_reader
from mcap.writer import CompressionType, Writer
from rosbags.rosbag2 import Reader, StoragePlugin
from rosbags.rosbag2 import Writer as RosbagsWriter
from rosbags.typesys import Stores, get_typestore

from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.recovery import needs_recovery, recover
from pi05_ros.data.bags.verification import BROKEN, verify
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings

START = 1_700_000_000 * SECOND
FACTS = EpisodeFacts(id="torn", task="wipe the table", platform="mobile_19dof")


def cut_bag(folder, count=300, facts=FACTS, **settings):
    """A bag whose writer stops without closing it; returns its messages, 10 ms apart."""
    clock = Clock()
    writer = BagWriter(folder, facts, WriterSettings(**settings), clock=clock)
    for topic in ("/words", "/large"):
        writer.add_topic(BagTopic(topic, "std_msgs/msg/String"))
    messages = []
    for i in range(count):
        clock.now = i * 0.01
        writer.tick()
        topic, words = ("/large", "x" * 30_000) if i % 10 == 0 else ("/words", f"word {i}")
        messages.append((topic, text(words), START + i * SECOND // 100))
        writer.write(*messages[-1], START + i * SECOND // 100, i)
    writer.abandon()
    return messages


def content(folder):
    with BagReader(folder) as reader:
        return [(m.topic, m.data, m.log_ns) for m in reader.messages()]


def test_data_on_the_disk_is_kept_and_the_facts_record_the_recovery(tmp_path):
    messages = cut_bag(tmp_path / "torn")
    assert needs_recovery(tmp_path / "torn")
    with pytest.raises(BagError, match=r"was not closed .*bags recover"):
        BagReader(tmp_path / "torn")
    report = recover(tmp_path / "torn")
    assert not needs_recovery(tmp_path / "torn")
    kept = content(tmp_path / "torn")
    assert kept == messages[: len(kept)]
    assert report.messages == len(kept) >= 250  # The last half second was never written.
    assert report.facts.recovered.startswith("not closed by its recorder; ")
    assert report.facts.ended == "its recorder was killed"
    with BagReader(tmp_path / "torn") as reader:
        assert reader.facts == report.facts
        assert (reader.facts.task, reader.facts.id) == ("wipe the table", "torn")
    with Reader(tmp_path / "torn") as reader:
        assert [(c.topic, bytes(d), t) for c, t, d in reader.messages()] == kept


@pytest.mark.parametrize(
    "broken", [lambda data: b"", lambda data: data[:500], lambda data: b"\xff" + data]
)
def test_a_broken_metadata_yaml_is_rebuilt_from_the_files(tmp_path, broken):
    folder = tmp_path / "whole"
    messages = [("/words", text(f"word {i}"), START + i) for i in range(9)]
    make_bag(folder, [BagTopic("/words", "std_msgs/msg/String", (LATCHED,))], messages, FACTS)
    good = (folder / "metadata.yaml").read_bytes()
    (folder / "metadata.yaml").write_bytes(broken(good))
    with pytest.raises(BagError, match=r"its metadata.yaml is broken .*: `./pi05 bags recover"):
        BagReader(folder)
    report = recover(folder)
    assert content(folder) == messages and not report.was_whole
    assert report.facts.task == FACTS.task
    assert report.facts.recovered == (
        "damaged after it was closed; 9 messages kept; every file was whole; its metadata.yaml "
        "was broken, a grade given afterwards is lost"
    )
    with BagReader(folder) as reader:
        assert reader.topics["/words"].qos == (LATCHED,)
    assert (folder / "metadata.yaml.torn").read_bytes() == broken(good)
    assert recover(folder).was_whole


def test_a_bag_that_was_cut_after_it_was_closed_is_repaired_too(tmp_path):
    folder = tmp_path / "copied"
    writer = BagWriter(folder, EpisodeFacts(id="copied", task="wipe the table"))
    writer.add_topic(BagTopic("/words", "std_msgs/msg/String"))
    for i in range(300):
        writer.write("/words", text(f"word {i} " + "x" * 20_000), START + i, START + i, i)
    writer.close(EpisodeFacts(id="copied", task="wipe the table", outcome="success"))
    whole = content(folder)
    part = folder / "copied_0.mcap"
    os.truncate(part, part.stat().st_size // 2)
    with pytest.raises(BagError, match=r"copied_0.mcap is cut: .* `./pi05 bags recover "):
        BagReader(folder)
    report = recover(folder)
    kept = content(folder)
    assert kept == whole[: len(kept)] and 0 < len(kept) < 300
    assert report.facts.recovered.startswith("damaged after it was closed; ")
    assert (report.facts.outcome, report.facts.ended) == ("success", "")
    part.unlink()
    with pytest.raises(BagError, match=r"copied_0.mcap of the bag is missing: copy it again"):
        recover(folder)


def test_the_torn_original_is_kept_and_no_other_file_remains(tmp_path):
    cut_bag(tmp_path / "torn")
    torn = (tmp_path / "torn/torn_0.mcap").read_bytes()
    recover(tmp_path / "torn")
    assert (tmp_path / "torn/torn_0.mcap.torn").read_bytes() == torn
    names = {path.name for path in (tmp_path / "torn").iterdir()}
    assert names == {"torn_0.mcap", "torn_0.mcap.torn", "metadata.yaml"}


def test_torn_originals_are_removed_on_request(tmp_path):
    cut_bag(tmp_path / "torn")
    recover(tmp_path / "torn", keep=False)
    assert {p.name for p in (tmp_path / "torn").iterdir()} == {"torn_0.mcap", "metadata.yaml"}


@pytest.mark.parametrize("seed", range(40))
def test_a_file_cut_anywhere_gives_all_its_whole_chunks(tmp_path, seed):
    messages = cut_bag(tmp_path / "torn", count=120, chunk_bytes=20_000)
    path = tmp_path / "torn/torn_0.mcap"
    whole = path.read_bytes()
    size = random.Random(seed).randrange(len(whole))
    path.write_bytes(whole[:size])
    before = 0
    with path.open("rb") as file, suppress(*BROKEN):
        # The messages that mcap's own streaming reader finds in the cut file.
        for _ in NonSeekingReader(file).iter_messages(log_time_order=False):
            before += 1
    report = recover(tmp_path / "torn")
    assert report.messages == before
    if before:
        kept = content(tmp_path / "torn")
        assert sorted(kept, key=lambda m: m[2]) == [m for m in messages if m in kept]
        assert len(kept) == before
        verify(path, deep=True)
    else:
        with pytest.raises(BagError, match="holds no messages"):
            BagReader(tmp_path / "torn")
    head = whole.index(b"std_msgs/msg/String") - 15  # where the facts end and a schema begins
    assert report.facts.task == ("wipe the table" if size >= head else "")


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_file_yields_only_its_own_messages(tmp_path, seed):
    messages = cut_bag(tmp_path / "torn", count=120, chunk_bytes=20_000, compression="none")
    path = tmp_path / "torn/torn_0.mcap"
    data, draw = bytearray(path.read_bytes()), random.Random(seed)
    # Behind the head of the file: facts, schemas and channels have no CRC of their own.
    head = data.index(b"x" * 100)
    for _ in range(draw.randrange(1, 6)):
        at, size = draw.randrange(head, len(data) - 200), draw.randrange(1, 200)
        damage = draw.choice(["flip", "zero", "insert", "remove"])
        if damage == "flip":
            data[at] ^= 1 << draw.randrange(8)
        elif damage == "zero":
            data[at : at + size] = bytes(size)
        elif damage == "insert":
            data[at:at] = draw.randbytes(size)
        else:
            del data[at : at + size]
    path.write_bytes(data)
    report = recover(tmp_path / "torn")
    verify(path, deep=True)
    assert report.facts.task == "wipe the table"
    if report.messages:
        kept = content(tmp_path / "torn")
        assert len(kept) == len(set(kept)) == report.messages
        assert set(kept) <= set(messages)


def test_an_empty_file_and_an_empty_folder(tmp_path):
    cut_bag(tmp_path / "torn")
    (tmp_path / "torn/torn_0.mcap").write_bytes(b"")
    report = recover(tmp_path / "torn")
    assert (report.messages, report.lost_bytes) == (0, 0)
    assert "nothing is known of the episode" in report.facts.recovered
    with Reader(tmp_path / "torn") as reader:
        assert reader.message_count == 0
    (tmp_path / "torn/torn_0.mcap").unlink()
    (tmp_path / "torn/metadata.yaml").unlink()
    (tmp_path / "torn/torn_0.mcap.torn").unlink()
    (tmp_path / "torn/INCOMPLETE").touch()
    assert recover(tmp_path / "torn").messages == 0


def test_parts_that_were_closed_stay_as_they_are(tmp_path):
    messages = cut_bag(tmp_path / "torn", count=500, split_after_s=2.0)
    first = (tmp_path / "torn/torn_0.mcap").read_bytes()
    inode = (tmp_path / "torn/torn_0.mcap").stat().st_ino
    report = recover(tmp_path / "torn")
    assert (tmp_path / "torn/torn_0.mcap").read_bytes() == first
    assert (tmp_path / "torn/torn_0.mcap").stat().st_ino == inode
    assert [path.name for path in report.files] == [f"torn_{i}.mcap" for i in range(3)]
    assert [path.name for path in report.torn] == ["torn_2.mcap.torn"]
    kept = content(tmp_path / "torn")
    assert kept == messages[: len(kept)]
    assert len(kept) >= 450


def test_garbage_at_the_end_is_counted_and_cut_off(tmp_path):
    cut_bag(tmp_path / "torn")
    path = tmp_path / "torn/torn_0.mcap"
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(bytes(5000))
    report = recover(tmp_path / "torn")
    assert report.lost_bytes == 5000
    assert "5000 bytes of torn_0.mcap were not whole" in report.facts.recovered
    assert (tmp_path / "torn/torn_0.mcap.torn").stat().st_size == size + 5000


def test_a_damaged_chunk_in_the_middle_costs_that_chunk_only(tmp_path):
    messages = cut_bag(tmp_path / "torn", compression="none")
    path = tmp_path / "torn/torn_0.mcap"
    data = bytearray(path.read_bytes())
    at = data.index(b"word 123")
    data[at] ^= 0xFF
    path.write_bytes(data)
    report = recover(tmp_path / "torn")
    assert report.lost_bytes > 0
    kept = content(tmp_path / "torn")
    lost = [m[2] for m in messages[: messages.index(kept[-1]) + 1] if m not in kept]
    # One chunk: half a second, of which the damaged message is in the middle somewhere.
    assert START + 123 * SECOND // 100 in lost
    assert max(lost) - min(lost) <= SECOND // 2


def test_a_chunk_damaged_after_the_bag_was_closed_is_found_and_repaired(tmp_path):
    folder = tmp_path / "closed"
    words = [BagTopic("/words", "std_msgs/msg/String")]
    messages = [("/words", text(f"word {i}"), START + i * SECOND // 100) for i in range(300)]
    settings = WriterSettings(compression="none", split_after_s=1.0)
    make_bag(folder, words, messages, FACTS, settings)
    path = folder / "closed_1.mcap"
    data = bytearray(path.read_bytes())
    data[data.index(b"word 123")] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(BagError, match=r"is damaged .*: `\./pi05 bags recover .* keeps the rest"):
        content(folder)
    seen = []
    report = recover(folder, progress=lambda done, total: seen.append((done, total)))
    kept = content(folder)
    lost = [m[2] for m in messages if m not in kept]
    assert START + 123 * SECOND // 100 in lost and max(lost) - min(lost) <= SECOND // 2
    assert report.facts.recovered.startswith("damaged after it was closed; ")
    assert [p.name for p in report.torn] == ["closed_1.mcap.torn"]
    assert all(0 < done <= total for done, total in seen)
    assert recover(folder).was_whole


def test_a_file_of_another_recorder_that_lacks_an_index_is_whole(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    with (folder / "theirs_0.mcap").open("wb") as file:
        writer = Writer(file, use_chunking=False)
        writer.start(profile="ros2")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
        channel = writer.register_channel("/words", "cdr", schema)
        for i in range(3):
            writer.add_message(channel, START + i, text(f"word {i}"), START + i)
        writer.finish()
    first = recover(folder)  # It has no metadata.yaml.
    before = (folder / "theirs_0.mcap").read_bytes()
    assert first.messages == 3 and recover(folder).was_whole
    assert (folder / "theirs_0.mcap").read_bytes() == before


def test_a_damaged_bag_that_cannot_be_repaired_is_not_reported_whole(tmp_path):
    folder = tmp_path / "theirs"
    types = get_typestore(Stores.ROS2_JAZZY)
    with RosbagsWriter(folder, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        words = writer.add_connection("/words", "std_msgs/msg/String", typestore=types)
        for i in range(100):
            writer.write(words, START + i, text("x" * 1000))
    assert recover(folder).was_whole
    os.truncate(folder / "theirs.db3", (folder / "theirs.db3").stat().st_size // 2)
    with pytest.raises(BagError, match=r"cannot be read .* only MCAP files .* copy it again"):
        recover(folder)


def test_a_bag_killed_after_its_metadata_only_loses_its_mark(tmp_path):
    cut_bag(tmp_path / "torn")
    recover(tmp_path / "torn", keep=False)
    before = (tmp_path / "torn/metadata.yaml").read_bytes()
    (tmp_path / "torn/INCOMPLETE").touch()
    report = recover(tmp_path / "torn")
    assert report.was_whole
    assert (tmp_path / "torn/metadata.yaml").read_bytes() == before
    assert not (tmp_path / "torn/INCOMPLETE").exists()


def test_a_second_recovery_does_nothing_and_reports_a_whole_bag(tmp_path):
    cut_bag(tmp_path / "torn")
    first = recover(tmp_path / "torn")
    stamps = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "torn").iterdir()}
    second = recover(tmp_path / "torn")
    assert second.was_whole and not first.was_whole
    assert second.messages == first.messages
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "torn").iterdir()} == stamps


@pytest.mark.parametrize("stage", ["linked", "renamed", "replaced"])
def test_recovery_that_was_killed_itself_is_finished_by_the_next(tmp_path, stage):
    cut_bag(tmp_path / "torn")
    part = tmp_path / "torn/torn_0.mcap"
    torn, beside = part.with_name("torn_0.mcap.torn"), part.with_name("torn_0.mcap.recovering")
    original = part.read_bytes()
    beside.write_bytes(b"half of it")
    if stage == "linked":
        os.link(part, torn)
    elif stage == "renamed":
        part.rename(torn)
    else:
        recover(tmp_path / "torn")
        (tmp_path / "torn/metadata.yaml").unlink()
        (tmp_path / "torn/INCOMPLETE").touch()
    report = recover(tmp_path / "torn")
    assert report.messages >= 250
    assert torn.read_bytes() == original
    assert not beside.exists()


def test_a_bag_that_is_being_recorded_is_not_touched(tmp_path):
    writer = BagWriter(tmp_path / "live", EpisodeFacts(id="live"))
    writer.add_topic(BagTopic("/words", "std_msgs/msg/String"))
    writer.write("/words", text("hello"), 1, 1)
    assert not needs_recovery(tmp_path / "live")
    with pytest.raises(BagError, match="being recorded or repaired by another process"):
        recover(tmp_path / "live")
    with pytest.raises(BagError, match="is being recorded"):
        BagReader(tmp_path / "live")
    writer.close(EpisodeFacts(id="live"))
    assert content(tmp_path / "live") == [("/words", text("hello"), 1)]


def test_a_full_disk_leaves_the_torn_bag_as_it_was(tmp_path, monkeypatch):
    cut_bag(tmp_path / "torn")
    before = (tmp_path / "torn/torn_0.mcap").read_bytes()

    def full(descriptor, buffers):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(BagError, match=r"No space left on device.*are kept"):
        recover(tmp_path / "torn")
    assert (tmp_path / "torn/torn_0.mcap").read_bytes() == before
    assert not (tmp_path / "torn/torn_0.mcap.recovering").exists()
    monkeypatch.undo()
    assert recover(tmp_path / "torn").messages >= 250


@pytest.mark.parametrize("chunking", [True, False])
def test_another_recorders_cut_file_with_its_channels_in_the_chunks(tmp_path, chunking):
    (tmp_path / "other").mkdir()
    path = tmp_path / "other/other_0.mcap"
    with path.open("wb") as file:
        writer = Writer(
            file, chunk_size=1000, use_chunking=chunking, compression=CompressionType.LZ4
        )
        writer.start(profile="ros2")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
        channel = writer.register_channel("/words", "cdr", schema)
        for i in range(500):
            writer.add_message(channel, i, text(f"word {i}"), i, i)
        writer.finish()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert not needs_recovery(tmp_path / "other")  # It may be being recorded.
    report = recover(tmp_path / "other")
    assert report.facts is None  # Nor is it an episode of the suite.
    kept = content(tmp_path / "other")
    assert kept == [("/words", text(f"word {i}"), i) for i in range(len(kept))]
    assert len(kept) > 100
    with path.open("rb") as file:
        assert make_reader(file).get_summary().statistics.message_count == len(kept)


def test_other_folders_and_files_are_refused(tmp_path):
    with pytest.raises(BagError, match="there is no bag"):
        recover(tmp_path / "nothing")
    with pytest.raises(BagError, match="is no bag: there is no .mcap"):
        recover(tmp_path)
    (tmp_path / "a.db3").touch()
    with pytest.raises(BagError, match="ros2 bag reindex"):
        recover(tmp_path)
    (tmp_path / "b.mcap").write_bytes(b"PK" + struct.pack("<Q", 5) * 100)
    report = recover(tmp_path)
    assert (report.messages, report.lost_bytes) == (0, 802)
