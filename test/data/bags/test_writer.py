"""The times at which chunks reach the disk, and the writer's errors."""

import os
import struct
from types import SimpleNamespace

import pytest
from fakes.bags import SECOND, Clock, text
from mcap.reader import NonSeekingReader, make_reader
from mcap.records import Channel, Schema

from pi05_ros.data.bags import parts
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.mcap_file import McapFile, OpenChunk
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.verification import BROKEN, verify
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings

FACTS = EpisodeFacts(id="bag")


def on_disk(folder):
    """Messages by topic in the whole chunks of the files, as another process reads them."""
    counts = {}
    for path in folder.glob("*.mcap"):
        with path.open("rb") as file:
            try:
                for _, channel, _ in NonSeekingReader(file).iter_messages(log_time_order=False):
                    counts[channel.topic] = counts.get(channel.topic, 0) + 1
            except BROKEN:
                pass
    return counts


@pytest.fixture
def clock():
    return Clock(100.0)


@pytest.fixture
def writer(tmp_path, clock):
    writer = BagWriter(tmp_path / "bag", FACTS, clock=clock)
    writer.add_topic(BagTopic("/slow", "std_msgs/msg/String"))
    writer.add_topic(BagTopic("/fast", "std_msgs/msg/String"))
    yield writer
    writer.abandon()


def test_a_lone_message_is_on_the_disk_after_half_a_second(writer, clock, tmp_path):
    writer.write("/slow", text("once"), 1, 1)
    clock.now += 0.49
    writer.tick()
    assert on_disk(tmp_path / "bag") == {}
    clock.now += 0.02
    writer.tick()
    assert on_disk(tmp_path / "bag") == {"/slow": 1}


def test_a_fast_topic_closes_chunks_without_a_tick(writer, clock, tmp_path):
    for i in range(100):
        clock.now += 0.01
        writer.write("/fast", text("often"), i, i)
    assert on_disk(tmp_path / "bag")["/fast"] >= 50


def test_a_megabyte_closes_a_chunk(writer, tmp_path):
    for i in range(21):
        writer.write("/fast", text("x" * 50_000), i, i)
    assert on_disk(tmp_path / "bag") == {"/fast": 21}
    assert writer.counts == {"/slow": 0, "/fast": 21}


def test_messages_with_and_without_compression_keep_the_order_of_their_log_times(tmp_path):
    clock = Clock()
    writer = BagWriter(tmp_path / "bag", FACTS, clock=clock)
    writer.add_topic(BagTopic("/noise", "std_msgs/msg/String"))
    writer.add_topic(BagTopic("/words", "std_msgs/msg/String"))
    noise = os.urandom(40_000)
    for i in range(200):
        clock.now += 0.01
        writer.write("/words", text(f"word {i}"), 2 * i, 2 * i, i)
        writer.write("/noise", noise, 2 * i + 1, 2 * i + 1, i)
    writer.close(FACTS)
    with (tmp_path / "bag/bag_0.mcap").open("rb") as file:
        chunks = make_reader(file).get_summary().chunk_indexes
        assert {chunk.compression for chunk in chunks} == {"", "zstd"}
    with BagReader(tmp_path / "bag") as reader:
        assert [m.log_ns for m in reader.messages()] == list(range(400))
        assert {bytes(m.data) for m in reader.messages(["/noise"])} == {noise}


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
def test_every_compression_is_read_back(tmp_path, compression):
    writer = BagWriter(tmp_path / "bag", FACTS, WriterSettings(compression=compression))
    writer.add_topic(BagTopic("/words", "std_msgs/msg/String"))
    for i in range(1000):
        writer.write("/words", text(f"word {i}"), i, i)
    writer.close(FACTS)
    found = verify(tmp_path / "bag/bag_0.mcap", deep=True)
    assert found.counts == {"/words": 1000}
    used = {chunk.compression for chunk in found.summary.chunk_indexes}
    assert used == {"" if compression == "none" else compression}
    with BagReader(tmp_path / "bag") as reader:
        assert [m.data for m in reader.messages()] == [text(f"word {i}") for i in range(1000)]


def test_a_caller_may_use_its_buffer_again(writer, tmp_path):
    buffer = bytearray(text("first"))
    writer.write("/slow", buffer, 1, 1)
    buffer[:] = text("other")
    writer.write("/slow", memoryview(buffer), 2, 2)
    writer.close(FACTS)
    with BagReader(tmp_path / "bag") as reader:
        assert [m.data for m in reader.messages()] == [text("first"), text("other")]


def test_large_sequence_numbers_keep_their_lower_32_bits(writer, tmp_path):
    writer.write("/slow", text("a"), 1, 1, 2**32 + 5)
    writer.close(FACTS)
    with BagReader(tmp_path / "bag") as reader:
        assert next(reader.messages()).sequence == 5


@pytest.mark.parametrize("unknown", [0, -1, -SECOND])
def test_a_publisher_that_sends_no_time_does_not_end_the_recording(writer, tmp_path, unknown):
    writer.write("/slow", text("a"), 7, unknown)
    writer.write("/slow", text("b"), 9, 8)
    writer.close(FACTS)
    with BagReader(tmp_path / "bag") as reader:
        assert [(m.log_ns, m.publish_ns) for m in reader.messages()] == [(7, 7), (9, 8)]


def test_a_late_topic_is_in_the_current_file_and_in_those_that_follow(tmp_path, clock):
    settings = WriterSettings(split_after_s=1.0)
    writer = BagWriter(tmp_path / "bag", FACTS, settings, clock=clock)
    for name in ("/a", "/b", "/c"):
        writer.add_topic(BagTopic(name, "std_msgs/msg/String"))
        clock.now += 1.1
        writer.tick()
        writer.write(name, text(name), int(clock.now * SECOND), 0)
    writer.close(FACTS)
    files = [tmp_path / "bag" / f"bag_{i}.mcap" for i in range(4)]
    assert [set(verify(file).counts) for file in files] == [
        {"/a"},
        {"/a", "/b"},
        {"/a", "/b", "/c"},
        {"/a", "/b", "/c"},
    ]
    with BagReader(tmp_path / "bag") as reader:
        assert {name: topic.count for name, topic in reader.topics.items()} == {
            "/a": 1,
            "/b": 1,
            "/c": 1,
        }


def test_bytes_written_are_those_of_the_files(tmp_path, clock):
    settings = WriterSettings(split_after_s=1.0)
    writer = BagWriter(tmp_path / "bag", FACTS, settings, clock=clock)
    writer.add_topic(BagTopic("/a", "std_msgs/msg/String"))
    for i in range(30):
        clock.now += 0.1
        writer.tick()
        writer.write("/a", text("word"), i, i)
    writer.close(FACTS)
    sizes = sum(file.stat().st_size for file in (tmp_path / "bag").glob("*.mcap"))
    assert writer.bytes_written == sizes


def test_the_mark_exists_from_the_start_until_the_bag_is_closed(writer, tmp_path):
    folder = tmp_path / "bag"
    assert "bags recover" in (folder / "INCOMPLETE").read_text()
    assert not (folder / "metadata.yaml").exists()
    # Space for the end is reserved from the start.
    assert (folder / "metadata.yaml.tmp").stat().st_blocks * 512 >= 100_000
    assert (folder / ".reserve").stat().st_blocks * 512 >= 1_000_000
    writer.write("/slow", text("once"), 1, 1)
    writer.close(FACTS)
    assert sorted(path.name for path in folder.iterdir()) == ["bag_0.mcap", "metadata.yaml"]


def test_a_bag_without_messages_is_closed_and_cannot_be_read(writer, tmp_path):
    writer.close(FACTS)
    with pytest.raises(BagError, match="bag holds no messages"):
        BagReader(tmp_path / "bag")


def test_a_file_that_changed_behind_the_writers_back_fails_the_verification(writer, tmp_path):
    for i in range(40):
        writer.write("/fast", text("x" * 50_000), i, i)
    path = tmp_path / "bag/bag_0.mcap"
    with path.open("r+b") as file:
        data = file.read()
        compression = data.index(struct.pack("<I4s", 4, b"zstd"))
        file.seek(compression - 37)  # behind the chunk's opcode, length, times, size and CRC
        file.write(b"\xff")
    with pytest.raises(BagError, match=r"no chunk at byte \d+, where its summary says so"):
        writer.close(FACTS)
    assert (tmp_path / "bag/INCOMPLETE").exists()
    assert not (tmp_path / "bag/metadata.yaml").exists()


def test_a_file_with_fewer_messages_than_were_written_fails_the_verification(
    writer, tmp_path, monkeypatch
):
    writer.write("/slow", text("a"), 1, 1)
    monkeypatch.setattr(parts, "verify", lambda path: SimpleNamespace(counts={"/slow": 0}))
    with pytest.raises(
        BagError, match=r"holds \{'/slow': 0\} messages, \{'/slow': 1, '/fast': 0\}"
    ):
        writer.close(FACTS)
    assert (tmp_path / "bag/INCOMPLETE").exists()


def test_wrong_statistics_fail_the_verification(tmp_path):
    file = McapFile(tmp_path / "a.mcap")
    file.add_schema(Schema(1, b"string data", "ros2msg", "std_msgs/msg/String"))
    file.add_channel(Channel(1, "/words", "cdr", {}, 1))
    chunk = OpenChunk("zstd")
    chunk.add(1, 5, 5, 1, text("a"))
    file.add_chunk(chunk)
    file.counts[1] += 1
    file.finish()
    file.close()
    with pytest.raises(
        BagError, match=r"its statistics state \{1: 2\} messages, .* hold \{1: 1\}"
    ):
        verify(tmp_path / "a.mcap")


def test_invalid_uses_of_the_writer_are_refused(writer, tmp_path):
    with pytest.raises(BagError, match="exists already"):
        BagWriter(tmp_path / "bag", FACTS)
    with pytest.raises(BagError, match="a message of /other, which was not added"):
        writer.write("/other", b"", 0, 0)
    with pytest.raises(BagError, match=r"no_msgs/msg/No is not installed.*leave its topic out"):
        writer.add_topic(BagTopic("/other", "no_msgs/msg/No"))
    with pytest.raises(BagError, match=r"recorded as std_msgs/msg/String and cannot become"):
        writer.add_topic(BagTopic("/slow", "std_msgs/msg/Bool"))
    (tmp_path / "file").touch()
    with pytest.raises(BagError, match="no bag can be begun there"):
        BagWriter(tmp_path / "file/bag", FACTS)
    for wrong in ({"compression": "gz"}, {"flush_after_s": -1.0}, {"chunk_bytes": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            WriterSettings(**wrong)
