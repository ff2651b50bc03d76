"""`pi05 latency` on real bags, and beside real publishers."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")

import apsw
import rclpy
from fakes.chunk_lives import S, run
from fakes.domains import ros_domain
from fakes.graph import wait_for
from PIL import Image
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from pi05_msgs.msg import ActionChunk, RobotState
from pi05_ros.cli.latency import main
from pi05_ros.data.bags.definitions import definition

MCAP, SQLITE3 = StoragePlugin.MCAP, StoragePlugin.SQLITE3


def our_types():
    """Our message types as rosbags knows them."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for name in ("pi05_msgs/msg/ActionChunk", "pi05_msgs/msg/RobotState"):
        store.register(get_types_from_msg(definition(name), name))
    return store


def write(path: Path, messages, storage=MCAP, space="/pi05", clock=False, types=None) -> Path:
    """A bag with the messages as they would be on the wire."""
    types = types or our_types()
    with Writer(path, version=9, storage_plugin=storage) as writer:
        topics = {
            kind: writer.add_connection(
                f"{space}/{name}", f"pi05_msgs/msg/{kind.__name__}", typestore=types
            )
            for kind, name in ((ActionChunk, "action_chunk"), (RobotState, "robot_state"))
        }
        if clock:
            ticks = writer.add_connection("/clock", "rosgraph_msgs/msg/Clock", typestore=types)
            writer.write(ticks, messages[0][0], bytes(12))
        for stamp, message in messages:
            writer.write(topics[type(message)], stamp, serialize_message(message))
    return path


@pytest.mark.parametrize("storage", [MCAP, SQLITE3])
def test_a_bag_becomes_a_table(tmp_path, capsys, storage):
    bag = write(tmp_path / "kitchen", run(30, lost=(5,)), storage)
    assert main([str(bag)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("kitchen: 29 of 30 chunks executed, 1 never. Times in ms.")
    total = next(line for line in said.splitlines() if line.startswith("capture → first"))
    assert total.split()[4:6] == ["75.0", "75.0"]


def test_json_is_all_that_is_printed(tmp_path, capsys):
    bag = write(tmp_path / "bag", run(30))
    assert main([str(bag), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["stages"]["computing"]["p50"] == pytest.approx(0.05)


def test_definitions_of_other_topics_are_not_in_the_way(tmp_path, capsys):
    """pi05_msgs/Episode has a constant that is empty; the parser of rosbags stumbles over it."""
    path = tmp_path / "bag"
    types = our_types()
    types.register(get_types_from_msg("uint8 x", "pi05_msgs/msg/Episode"))
    with Writer(path, version=9, storage_plugin=MCAP) as writer:
        chunks = writer.add_connection(
            "/pi05/action_chunk", "pi05_msgs/msg/ActionChunk", typestore=types
        )
        writer.add_connection(
            "/pi05/episode",
            "pi05_msgs/msg/Episode",
            msgdef="string OUTCOME_NONE=           # Not judged.",
            rihs01="RIHS01_0",
        )
        writer.write(chunks, 1, serialize_message(run(1)[0][1]))
    assert main([str(path)]) == 0
    assert "no robot_state" in capsys.readouterr().out


def test_a_bag_without_definitions_is_read_with_those_that_are_installed(
    tmp_path, capsys, monkeypatch
):
    bag = write(tmp_path / "bag", run(3), SQLITE3)
    database = apsw.Connection(str(bag / "bag.db3"))
    database.execute("DELETE FROM message_definitions")
    database.close()
    assert main([str(bag)]) == 0
    assert "3 of 3 chunks executed" in capsys.readouterr().out
    monkeypatch.delenv("AMENT_PREFIX_PATH")
    assert main([str(bag)]) == 1
    said = capsys.readouterr().err
    assert "carries no definition of pi05_msgs/msg/" in said and "is not installed" in said


def test_one_file_of_a_bag_is_enough(tmp_path, capsys):
    bag = write(tmp_path / "bag", run(3))
    (bag / "metadata.yaml").unlink()
    assert main([str(bag)]) == 1
    said = capsys.readouterr().err
    assert f"was not closed (it has no metadata.yaml): run `./pi05 bags recover {bag}`" in said
    assert main([str(bag / "bag.mcap")]) == 0


def test_a_plot_shows_every_stage(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    bag = write(tmp_path / "bag", run(30, lost=(3, 4)))
    assert main([str(bag), "--plot", str(tmp_path / "plot.png")]) == 0
    picture = Image.open(tmp_path / "plot.png").convert("RGB")
    assert picture.size == (1210, 682)
    counts = {colour: count for count, colour in picture.getcolors(1 << 24)}
    flow, prefix = (0xC0, 0x50, 0x4D), (0xE0, 0x8E, 0x45)
    assert counts[flow] / counts[prefix] == pytest.approx(6, rel=0.25)  # 30 ms and 5 ms


def test_a_plot_leaves_a_gap_where_a_chunk_was_never_executed(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    areas = []
    for name, lost in (("whole", ()), ("half", tuple(range(15)))):
        bag = write(tmp_path / name, run(30, lost=lost))
        assert main([str(bag), "--plot", str(tmp_path / f"{name}.png")]) == 0
        picture = Image.open(tmp_path / f"{name}.png").convert("RGB").crop((0, 0, 1210, 450))
        counts = {colour: count for count, colour in picture.getcolors(1 << 24)}
        areas.append(counts[(0xC0, 0x50, 0x4D)])
    assert areas[1] / areas[0] == pytest.approx(0.5, abs=0.05)


def test_a_plot_in_simulated_time_leaves_computing_whole(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    bag = write(tmp_path / "bag", run(30, begin_ns=5 * S, lost=(7,)))
    assert main([str(bag), "--plot", str(tmp_path / "plot.png")]) == 0
    picture = Image.open(tmp_path / "plot.png").convert("RGB")
    counts = {colour: count for count, colour in picture.getcolors(1 << 24)}
    assert counts[(0xD9, 0x82, 0x2B)] > 50_000 and (0xC0, 0x50, 0x4D) not in counts


def test_a_plot_needs_no_execution(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    chunks = [m for m in run(30) if isinstance(m[1], ActionChunk)]
    bag = write(tmp_path / "bag", chunks)
    assert main([str(bag), "--plot", str(tmp_path / "plot.png")]) == 0
    picture = Image.open(tmp_path / "plot.png").convert("RGB")
    counts = {colour: count for count, colour in picture.getcolors(1 << 24)}
    assert counts[(0xC0, 0x50, 0x4D)] > 50_000  # Flow; and no area of execution:
    assert counts.get((0x4D, 0x4D, 0x4D), 0) < 500


def test_simulated_time_is_said(tmp_path, capsys):
    assert main([str(write(tmp_path / "a", run(3, begin_ns=5 * S)))]) == 0
    assert "note: stamps are simulated time" in capsys.readouterr().out
    assert main([str(write(tmp_path / "b", run(3), clock=True))]) == 0
    assert "note: stamps are simulated time" in capsys.readouterr().out


def test_progress_of_a_long_bag_goes_to_stderr(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("pi05_ros.cli.common.status_line.REPEAT_S", 0.0)
    assert main([str(write(tmp_path / "bag", run(60)))]) == 0
    said = capsys.readouterr()
    assert "bag: 1000 of 1290 messages (78%)" in said.err and "messages (" not in said.out


def test_of_two_suites_one_is_chosen(tmp_path, capsys):
    types = our_types()
    with Writer(tmp_path / "two", version=9, storage_plugin=MCAP) as writer:
        for space, count in (("/left", 3), ("/right", 5)):
            topics = {
                kind: writer.add_connection(
                    f"{space}/{kind.__name__}", f"pi05_msgs/msg/{kind.__name__}", typestore=types
                )
                for kind in (ActionChunk, RobotState)
            }
            for stamp, message in run(count):
                writer.write(topics[type(message)], stamp, serialize_message(message))
    assert main([str(tmp_path / "two")]) == 1
    assert "of 2 suites (/left, /right); choose one with --namespace" in capsys.readouterr().err
    assert main([str(tmp_path / "two"), "--namespace", "right"]) == 0
    assert "5 of 5 chunks executed" in capsys.readouterr().out
    assert main([str(tmp_path / "two"), "--namespace", "middle"]) == 1
    assert "no action chunks in namespace /middle" in capsys.readouterr().err


def without_ledger():
    """The types of a suite from before the ledger."""
    store = get_typestore(Stores.ROS2_JAZZY)
    chunk = (
        "std_msgs/Header header\nuint64 session\nuint32 epoch\nuint64 sequence\n"
        "uint64 subtask_id\nstring[] names\nfloat64 period\nuint32 horizon\nfloat32[] data\n"
        "float64 latency"
    )
    store.register(get_types_from_msg(chunk, "pi05_msgs/msg/ActionChunk"))
    return store


def test_what_is_no_bag_or_tells_nothing_is_an_error(tmp_path, capsys):
    def error(*arguments) -> str:
        assert main([str(a) for a in arguments]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        return said.err

    assert f"there is no bag {tmp_path / 'none'}" in error(tmp_path / "none")
    (tmp_path / "text.txt").write_text("hello")
    assert "is no bag: wanted its folder, or a file .mcap or .db3" in error(tmp_path / "text.txt")
    (tmp_path / "folder").mkdir()
    assert "there is no metadata.yaml in it" in error(tmp_path / "folder")
    states = [m for m in run(3) if isinstance(m[1], RobotState)]
    assert "no action chunk in it" in error(write(tmp_path / "states", states))
    types = without_ledger()
    with Writer(tmp_path / "old", version=9, storage_plugin=MCAP) as writer:
        topic = writer.add_connection(
            "/pi05/action_chunk", "pi05_msgs/msg/ActionChunk", typestore=types
        )
        old = types.types["pi05_msgs/msg/ActionChunk"]
        header = types.types["std_msgs/msg/Header"]
        stamp = types.types["builtin_interfaces/msg/Time"](sec=1, nanosec=0)
        message = old(header(stamp, ""), 1, 1, 1, 1, [], 0.02, 0, np.zeros(0, np.float32), 0.1)
        writer.write(topic, S, types.serialize_cdr(message, "pi05_msgs/msg/ActionChunk"))
    assert "none of its 1 action chunks carries a ledger" in error(tmp_path / "old")


@pytest.mark.parametrize("storage", [MCAP, SQLITE3])
def test_a_cut_bag_is_an_error_that_names_it(tmp_path, capsys, storage):
    bag = write(tmp_path / "bag", run(100), storage)
    data = next(p for p in bag.iterdir() if p.suffix in (".mcap", ".db3"))
    whole = data.read_bytes()
    for share in (0.0, 0.001, 0.1, 0.5, 0.9, 0.999):
        data.write_bytes(whole[: int(share * len(whole))])
        for given in (bag, data):
            assert main([str(given)]) == 1, share
            said = capsys.readouterr().err
            assert f"pi05 latency: {given}" in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["live", "--for", "0"], "wanted seconds above 0, found '0'"),
        (["live", "--for", "soon"], "wanted seconds above 0, found 'soon'"),
        (["live", "--namespace", "a b"], "'a b' is no ROS namespace"),
        (["bag", "--plot", "/nowhere/at/all.png"], "there is no folder /nowhere/at"),
    ],
)
def test_a_wrong_word_is_told_at_once(arguments, why, capsys):
    assert main(arguments) == 2
    assert why in capsys.readouterr().err


@pytest.fixture
def domain(monkeypatch):
    with ros_domain() as number:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
        yield number


def test_live_it_hears_a_talker(domain, capsys):
    context = rclpy.Context()
    context.init(domain_id=domain)
    node = rclpy.create_node("talker", namespace="pi05", context=context)
    publishers = {
        ActionChunk: node.create_publisher(ActionChunk, "action_chunk", 2),
        RobotState: node.create_publisher(RobotState, "robot_state", 10),
    }
    stop = threading.Event()

    def talk():
        for publisher in publishers.values():
            wait_for(publisher.get_subscription_count, "a listener")
        for _, message in run(200):
            if stop.wait(0.002):
                return
            publishers[type(message)].publish(message)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        assert main(["live", "--for", "3", "--json"]) == 0
    finally:
        stop.set()
        thread.join()
        node.destroy_node()
        context.try_shutdown()
    data = json.loads(capsys.readouterr().out)
    assert data["chunks"] > 5 and data["executed"] >= data["chunks"] - 3
    assert data["stages"]["total"]["p50"] == pytest.approx(0.075)
    assert data["source"] == "live, /pi05"


def test_live_silence_is_an_error_that_says_what_was_there(domain, capsys):
    assert main(["live", "--for", "0.5", "--namespace", "kitchen"]) == 1
    said = capsys.readouterr().err
    assert "no action chunk on /kitchen/action_chunk in 0.5 s (0 publishers" in said
