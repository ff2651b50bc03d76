"""Bags of other storages and recorders, and folders that hold no bag."""

import sqlite3

import pytest
from fakes.bags import SECOND, make_bag, text
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.writer import BagTopic, WriterSettings

START = 1_700_000_000 * SECOND
WORDS = BagTopic("/words", "std_msgs/msg/String")
NOTHING = "holds no messages"


def foreign(path, storage, version=9, compression=CompressionMode.NONE):
    """A bag as rosbags writes it."""
    writer = Writer(path, version=version, storage_plugin=storage)
    writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
        store = get_typestore(Stores.ROS2_JAZZY)
        topic = writer.add_connection("/words", "std_msgs/msg/String", typestore=store)
        for i in range(100):
            writer.write(topic, START + i, text(f"word {i}"))
    return path


@pytest.mark.parametrize("version", [8, 9])
@pytest.mark.parametrize(
    ("storage", "compression"),
    [
        (StoragePlugin.MCAP, CompressionMode.NONE),
        (StoragePlugin.SQLITE3, CompressionMode.NONE),
        (StoragePlugin.SQLITE3, CompressionMode.FILE),
        (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
    ],
)
def test_a_bag_of_another_storage(tmp_path, storage, version, compression):
    with BagReader(foreign(tmp_path / "bag", storage, version, compression)) as reader:
        messages = list(reader.messages())
        assert [m.data for m in messages] == [text(f"word {i}") for i in range(100)]
        assert [m.log_ns for m in messages] == [START + i for i in range(100)]
        assert {m.sequence for m in messages} == {0}
        assert reader.facts is None
        assert (reader.start_ns, reader.end_ns) == (START, START + 99)
        assert reader.metadata_version == version
        assert reader.topics["/words"].count == 100
        assert reader.decode("/words", messages[3].data).data == "word 3"
        first, last = START + 10, START + 12
        assert [m.log_ns for m in reader.messages(["/words"], first, last)] == [first, first + 1]
        assert list(reader.messages(["/nothing"])) == []


@pytest.mark.parametrize("storage", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_one_file_alone(tmp_path, storage):
    bag = foreign(tmp_path / "bag", storage)
    (bag / "metadata.yaml").unlink()
    (path,) = bag.iterdir()
    with BagReader(path) as reader:
        assert reader.topics["/words"].count == len(list(reader.messages())) == 100
        assert (reader.start_ns, reader.end_ns) == (START, START + 99)
        assert reader.files == (path,)


def test_a_single_file_holds_its_facts_and_metadata_yaml_takes_precedence(tmp_path):
    facts = EpisodeFacts(id="bag", task="wipe", outcome="success")
    bag = make_bag(tmp_path / "bag", [WORDS], [("/words", text("a"), START)], facts)
    with BagReader(bag / "bag_0.mcap") as reader:
        assert reader.facts == facts
    metadata = (bag / "metadata.yaml").read_text()
    (bag / "metadata.yaml").write_text(metadata.replace("success", "failure"))
    with BagReader(bag / "bag_0.mcap") as reader:
        assert reader.facts.outcome == "failure"
    (bag / "metadata.yaml").unlink()
    with BagReader(bag / "bag_0.mcap") as reader:
        assert reader.facts == facts


def test_messages_of_several_files_come_by_log_time_where_the_clock_stepped_back(tmp_path):
    times = [START + t for t in (0, 10, 20, 30, 15, 16, 40)]
    messages = [("/words", text(str(time)), time) for time in times]
    settings = WriterSettings(split_after_s=1e-9)  # a file a message
    bag = make_bag(tmp_path / "bag", [WORDS], messages, settings=settings)
    with BagReader(bag) as reader:
        assert len(reader.files) > 2
        assert [m.log_ns for m in reader.messages()] == sorted(times)


def test_other_folders_and_files_are_refused(tmp_path):
    def why(path):
        with pytest.raises(BagError) as raised:
            BagReader(path)
        assert str(path) in str(raised.value)
        return str(raised.value)

    bag = make_bag(tmp_path / "bag", [WORDS], [("/words", text("a"), START)])
    yaml, part = bag / "metadata.yaml", bag / "bag_0.mcap"
    good, whole = yaml.read_text(), part.read_bytes()
    assert "there is no bag" in why(tmp_path / "none")
    (tmp_path / "notes.txt").touch()
    assert "wanted its folder, or a file .mcap or .db3" in why(tmp_path / "notes.txt")
    (tmp_path / "folder").mkdir()
    assert "there is no metadata.yaml in it" in why(tmp_path / "folder")
    for broken, words in (
        ("", "its metadata.yaml is broken"),
        ("[1, 2", "its metadata.yaml is broken"),
        (good.replace("version: 9", "version: 10"), "has version 10; versions up to 9"),
        (good.replace("identifier: mcap", "identifier: rocksdb"), "is stored as 'rocksdb'"),
        (good.replace("- bag_0.mcap", "- gone.mcap"), "missing files: gone.mcap"),
        (good.replace("pi05.rate_hz: '0.0'", "pi05.rate_hz: x"), "pi05.rate_hz is 'x'"),
        (good.replace("depth: 0", "depth: deep"), "")
        if "depth" in good
        else (good[:60], "broken"),
    ):
        yaml.write_text(broken)
        assert words in why(bag)
    yaml.write_bytes(b"\xff\xfe\x00")
    assert f"`./pi05 bags recover {bag}` rebuilds it from the bag's files" in why(bag)
    yaml.unlink()
    assert f"was not closed (it has no metadata.yaml): run `./pi05 bags recover {bag}`" in why(bag)
    yaml.write_text(good)
    (bag / "INCOMPLETE").touch()
    assert "its recorder was killed" in why(bag)
    (bag / "INCOMPLETE").unlink()
    for content, words in (
        (b"", "is empty"),
        (b"PK" * 1000, "is no MCAP file"),
        (whole[:500], "is cut"),
        (whole[:-1], "is cut"),
        (whole[:-200] + bytes(200), "is cut"),
        (whole[:-300] + b"\x01" + whole[-299:], "its summary is damaged"),
    ):
        part.write_bytes(content)
        assert words in why(bag)
        assert words in why(part)


def test_a_damaged_chunk_is_an_error_when_it_is_read(tmp_path):
    settings = WriterSettings(compression="none")
    bag = make_bag(tmp_path / "bag", [WORDS], [("/words", text("sound"), START)], None, settings)
    part = bag / "bag_0.mcap"
    part.write_bytes(part.read_bytes().replace(b"sound", b"noise"))
    with BagReader(bag) as reader, pytest.raises(BagError, match=r"is damaged after 0 messages"):
        list(reader.messages())


def test_a_file_is_read_only_when_its_first_message_is_due(tmp_path):
    messages = [("/words", text(word), START + i) for i, word in enumerate(("one", "two"))]
    settings = WriterSettings(split_after_s=1e-9, compression="none")
    bag = make_bag(tmp_path / "bag", [WORDS], messages, settings=settings)
    last = bag / "bag_1.mcap"
    last.write_bytes(last.read_bytes().replace(b"two", b"tow"))
    with BagReader(bag) as reader:
        stream = reader.messages()
        assert next(stream).data == text("one")
        with pytest.raises(BagError, match=r"bag_1.mcap is damaged after 0 messages"):
            next(stream)


def test_an_mcap_file_that_is_not_of_ros_2(tmp_path):
    path = tmp_path / "log.mcap"
    with path.open("wb") as file:
        writer = McapWriter(file)
        writer.start(profile="x-car")
        writer.finish()
    with pytest.raises(BagError, match=r"is no bag of ROS 2: its profile is 'x-car'"):
        BagReader(path)


def test_empty_bags_of_other_storages(tmp_path):
    for storage in (StoragePlugin.MCAP, StoragePlugin.SQLITE3):
        with Writer(tmp_path / storage.name, version=9, storage_plugin=storage):
            pass
        with pytest.raises(BagError, match=NOTHING):
            BagReader(tmp_path / storage.name)


def test_unknown_types_and_data_of_another_type(tmp_path, monkeypatch):
    bag = foreign(tmp_path / "bag", StoragePlugin.SQLITE3)
    with sqlite3.connect(bag / "bag.db3") as database:
        database.execute("DELETE FROM message_definitions")
        database.execute("UPDATE topics SET type = 'no_msgs/msg/No'")
    metadata = (bag / "metadata.yaml").read_text()
    with BagReader(bag) as reader, pytest.raises(BagError, match="has no topic /other"):
        reader.decode("/other", b"")
    (bag / "metadata.yaml").write_text(metadata.replace("std_msgs/msg/String", "no_msgs/msg/No"))
    with (
        BagReader(bag) as reader,
        pytest.raises(BagError, match=r"carries no definition of no_msgs/msg/No, and the .* not"),
    ):
        reader.decode("/words", b"")
    with sqlite3.connect(bag / "bag.db3") as database:
        database.execute("UPDATE topics SET type = 'std_msgs/msg/String'")
    (bag / "metadata.yaml").write_text(metadata)
    monkeypatch.delenv("AMENT_PREFIX_PATH")  # Jazzy's own types are known without it
    with BagReader(bag) as reader:
        assert reader.decode("/words", text("hello")).data == "hello"
        with pytest.raises(BagError, match=r"a message of /words: 5 bytes are no std_msgs"):
            reader.decode("/words", text("hello")[:5])


def test_padding_behind_a_message_is_ignored_as_ros_does(tmp_path):
    bag = foreign(tmp_path / "bag", StoragePlugin.MCAP)
    with BagReader(bag) as reader:
        assert reader.decode("/words", text("hello") + bytes(44)).data == "hello"
        for cut in (text("hello")[:9], text("hello")[:5], b""):
            with pytest.raises(BagError, match=rf"{len(cut)} bytes are no std_msgs/msg/String"):
                reader.decode("/words", cut)
