"""Our reader, rosbags and mcap read what was written."""

from fakes.bags import LATCHED, SECOND, make_bag, text
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import Reader

from pi05_ros.data.bags.definitions import type_hash
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.writer import BagTopic, WriterSettings

START = 1_700_000_000 * SECOND
FACTS = EpisodeFacts(
    id="kitchen",
    task="put the dishes: in the sink\n# now",
    platform="mobile_18dof",
    names=("left_1", "grün"),
    units=("rad", "m"),
    rate_hz=50.0,
    cameras={"front": "/front/image_raw"},
    simulated=True,
    started_ns=START,
    outcome="success",
)
BEST_EFFORT = OfferedQos(reliability="best_effort", depth=3, deadline_ns=20_000_000)
TOPICS = (
    BagTopic("/words", "std_msgs/msg/String", (LATCHED, BEST_EFFORT)),
    BagTopic("/large", "std_msgs/msg/String"),
    BagTopic("/pi05/episode", "pi05_msgs/msg/Episode", (LATCHED,)),
)
MESSAGES = [
    *(("/words", text(f"word {i}"), START + i * SECOND // 100) for i in range(600)),
    *(("/large", text("x" * 200_000 + str(i)), START + i * SECOND // 10 + 7) for i in range(60)),
]
MESSAGES.sort(key=lambda item: item[2])


def bag(tmp_path, **settings):
    return make_bag(tmp_path / "kitchen", TOPICS, MESSAGES, FACTS, WriterSettings(**settings))


def test_our_reader_gives_back_every_message_in_order_with_times_and_numbers(tmp_path):
    with BagReader(bag(tmp_path, split_after_s=2.0)) as reader:
        messages = list(reader.messages())
        assert [(m.topic, m.data, m.log_ns) for m in messages] == MESSAGES
        assert all(m.publish_ns == m.log_ns + 1000 for m in messages)
        words = [m.sequence for m in messages if m.topic == "/words"]
        assert words == list(range(1, 601))
        assert [file.name for file in reader.files] == [f"kitchen_{i}.mcap" for i in range(3)]
        assert reader.facts == FACTS
        assert (reader.start_ns, reader.end_ns) == (MESSAGES[0][2], MESSAGES[-1][2])
        assert reader.metadata_version == 9
        assert {name: t.count for name, t in reader.topics.items()} == {
            "/words": 600,
            "/large": 60,
            "/pi05/episode": 0,
        }
        assert reader.topics["/words"].qos == (LATCHED, BEST_EFFORT)
        assert reader.topics["/pi05/episode"].type_hash == type_hash("pi05_msgs/msg/Episode")
        assert reader.decode("/words", messages[0].data).data == "word 0"


def test_a_selection_of_topics_and_times(tmp_path):
    with BagReader(bag(tmp_path, split_after_s=2.0)) as reader:
        first, last = START + 2 * SECOND, START + 3 * SECOND
        got = [m.log_ns for m in reader.messages(["/words"], first, last)]
        assert got == [first + i * SECOND // 100 for i in range(100)]
        assert list(reader.messages(["/nothing"])) == []
        assert list(reader.messages(None, last, first)) == []


def test_rosbags_reads_the_same(tmp_path):
    folder = bag(tmp_path, split_after_s=2.0)
    with Reader(folder) as reader:
        got = [(c.topic, bytes(data), time) for c, time, data in reader.messages()]
        assert got == MESSAGES
        assert reader.message_count == len(MESSAGES)
        by_topic = {c.topic: c for c in reader.connections}
        assert by_topic["/pi05/episode"].digest == type_hash("pi05_msgs/msg/Episode")
        profiles = by_topic["/words"].ext.offered_qos_profiles
        assert [p.durability.name for p in profiles] == ["TRANSIENT_LOCAL", "VOLATILE"]
        assert profiles[1].deadline.nsec == 20_000_000
    # AnyReader also compares every type's hash with the definition in the bag.
    with AnyReader([folder]) as reader:
        words = [c for c in reader.connections if c.topic == "/words"]
        texts = [reader.deserialize(raw, c.msgtype).data for c, _, raw in reader.messages(words)]
        assert texts == [f"word {i}" for i in range(600)]


def test_mcap_reads_the_same_with_a_summary(tmp_path):
    folder = bag(tmp_path)
    with (folder / "kitchen_0.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert reader.get_header().profile == "ros2"
        summary = reader.get_summary()
        assert summary.statistics.message_count == len(MESSAGES)
        assert {s.encoding for s in summary.schemas.values()} == {"ros2msg"}
        definition = next(s for s in summary.schemas.values() if s.name.startswith("pi05_msgs"))
        assert b"MSG: std_msgs/Header\n" in definition.data
        got = [(c.topic, m.data, m.log_time) for _, c, m in reader.iter_messages()]
        assert got == MESSAGES
        head, tail = reader.iter_metadata()
        assert (head.name, head.metadata) == ("pi05_episode", FACTS.to_custom_data())
        assert tail.name == "rosbag2" and "version: 9" in tail.metadata["serialized_metadata"]
