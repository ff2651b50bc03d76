"""Figures that graph_cost.py derives from processes and topics."""

import base64
import json
import os

import pytest
from cost.page import page, phase_table, plot, sums_table
from cost.results import Cost, Phase, Result
from cost.traffic import (
    Endpoint,
    Heard,
    bare_nodes,
    began_with_us,
    messages,
    rate_of,
    timers,
)
from cost.usage import Threads, UsageMeter

from pi05_ros.errors import ConfigError

CLOCK = "rosgraph_msgs/msg/Clock"


def endpoint(process: str, topic: str, publishes: bool, kind: str = "std_msgs/msg/String"):
    return Endpoint(process, "/pi05", process, topic, kind, publishes, True, topic == "/latched")


GRAPH = [
    endpoint("home", "/clock", True, CLOCK),
    endpoint("home", "/clock", False, CLOCK),
    endpoint("home", "/picture", True),
    endpoint("home", "/beat", True),
    endpoint("bridge", "/clock", False, CLOCK),
    endpoint("bridge", "/picture", False),
    endpoint("bridge", "/beat", False),
    endpoint("bridge", "/beat", True),
    endpoint("bridge", "/latched", True),
]
HEARD = {
    "/clock": Heard(50.0, b"clock"),
    "/picture": Heard(10.0, bytes(200_000)),
    "/beat": Heard(50.0, b"beat"),
}


def cost(cores: float) -> Cost:
    return Cost(cores, 5, 100.0, 10.0, 20.0)


def result(factor: float = 0.5) -> Result:
    nodes = {"control_bridge": cost(0.06), "mock_home": cost(0.1), "recorder": cost(0.01)}
    bare = {"control_bridge": cost(0.04), "recorder": cost(0.02)}
    phases = {
        "working": Phase(factor, 0.2, "running", nodes, bare),
        "waiting": Phase(1.0, 0.1, "holding", nodes),
    }
    return Result("two cores", "abc", "mobile_18dof", "expert", 3, 20.0, phases)


def test_messages_that_were_missed_count_where_one_publisher_numbers_them():
    arrivals = [(11, 0), (12, 0), (15, 0)]
    assert rate_of(arrivals, 1, 2.0) == 2.5
    assert rate_of(arrivals, 2, 2.0) == 1.5  # Two counters: they say nothing.
    assert rate_of([], 1, 2.0) == 0.0


def test_a_publisher_that_counts_from_one_sends_because_we_listen():
    assert began_with_us([(1, 0), (2, 0)])
    assert not began_with_us([(900, 0), (901, 0)])
    assert not began_with_us([])


def test_each_process_is_sent_what_it_subscribes_to_and_publishers_share_a_topic():
    assert messages(GRAPH, HEARD) == {
        "home": (50.0, 50.0 + 10.0 + 25.0),
        "bridge": (50.0 + 10.0 + 50.0, 25.0),
    }


def test_topics_of_a_like_rate_share_a_timer_and_rare_ones_have_none():
    found = timers({"a": 50.0, "b": 48.0, "c": 25.0, "d": 0.1})
    assert found == [(49.0, ["a", "b"]), (25.0, ["c"])]


def test_a_bare_node_repeats_the_endpoints_of_its_process():
    (node,) = bare_nodes("bridge", GRAPH, HEARD, simulated_time=True)
    assert (node["namespace"], node["name"], node["simulated_time"]) == ("/pi05", "bridge", True)
    # The clock is subscribed to by rclpy itself; a picture's queue is short.
    assert [(s["topic"], s["depth"]) for s in node["subscriptions"]] == [
        ("/picture", 1),
        ("/beat", 10),
    ]
    beat, latched = node["publishers"]
    assert (beat["topic"], beat["rate_hz"]) == ("/beat", 25.0)
    assert base64.b64decode(beat["sample"]) == b"beat"
    assert (latched["rate_hz"], latched["sample"], latched["latched"]) == (0.0, "", True)
    json.dumps(node)


def test_the_bare_node_that_makes_the_time_does_not_follow_it():
    (node,) = bare_nodes("home", GRAPH, HEARD, simulated_time=True)
    assert not node["simulated_time"]
    assert [s["topic"] for s in node["subscriptions"]] == ["/clock"]


def test_context_switches_of_all_threads_count_and_new_threads_from_zero(tmp_path):
    def write(thread: int, voluntary: int, forced: int) -> None:
        folder = tmp_path / "7" / "task" / str(thread)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "status").write_text(
            "Name:\tx\nvoluntary_ctxt_switches:\t"
            f"{voluntary}\nnonvoluntary_ctxt_switches:\t{forced}\n"
        )

    write(7, 100, 10)
    before = Threads.read(7, tmp_path)
    write(7, 130, 15)
    write(8, 4, 1)
    after = Threads.read(7, tmp_path)
    assert (len(after.switches), after.switches_since(before)) == (2, 30 + 5 + 5)
    assert Threads.read(99, tmp_path).switches == {}


def test_the_usage_of_this_process_is_measured():
    meter = UsageMeter({"me": os.getpid()})
    while True:
        sum(range(100_000))
        used, others = meter.read()
        if used["me"].cores:
            break
    assert used["me"].threads >= 1 and others >= 0.0


def test_a_result_survives_its_file(tmp_path):
    path = tmp_path / "run.json"
    result().write(path)
    assert Result.read(path) == result()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"phases": {"working": {}}}'])
def test_another_file_is_refused_in_a_sentence(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is not what graph_cost.py writes"):
        Result.read(path)


def test_a_file_that_is_not_there_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        Result.read(tmp_path / "none.json")


def test_the_sums_are_scaled_to_real_time_and_judged():
    lines = sums_table(result(0.5), None).splitlines()
    assert lines[2] == "| control_bridge | working | **0.120** | 0.040 | ≤ 0.12 | reached |"
    assert "| mock_home | working | **0.200** | – | ≤ 0.35 | reached |" in lines
    assert "| the quiet ones together | waiting | **0.010** | – | ≤ 0.25 | reached |" in lines
    assert sums_table(result(0.4), None).splitlines()[2].endswith("| not reached |")


def test_an_earlier_run_stands_beside_this_one():
    table = phase_table(result(0.5).phases["working"], result(0.25).phases["working"])
    row = next(line for line in table.splitlines() if "control_bridge" in line)
    assert row.startswith("| control_bridge | 0.060 | 0.240 | **0.120** | 0.040 | 3.0 | 5 |")
    assert "| control_bridge | working | 0.240 | **0.120** |" in sums_table(result(), result(0.25))


def test_page_and_picture_are_made_with_and_without_an_earlier_run(tmp_path):
    for before in (None, result(0.25)):
        plot(result(), before, tmp_path / "picture.png")
        assert (tmp_path / "picture.png").stat().st_size > 5000
        text = page(result(), before, "../images/picture.png", 3.0, 5.0)
        assert ("*Before*: abc" in text) == (before is not None)
        assert "the robot was running" in text
        assert "mobile_18dof in mock home 3" in text and "{" not in text
