"""The bridge's heartbeat: every period of simulated time, and of the steady clock."""

import os
import threading
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from fakes.graph import wait_for
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from system.processes import NodeProcess

from pi05_ros.nodes.control_bridge.ticker import PROCESS_PRIORITY, Ticker, request_realtime

PERIOD_NS = 20_000_000


def test_the_steady_clock_ticks_without_anybodys_help(graph):
    times = []
    ticker = Ticker(graph.plain("node"), 0.02, times.append)
    ticker.start()
    wait_for(lambda: len(times) >= 20, "20 ticks")
    ticker.stop()
    count = len(times)
    assert times == sorted(times) and ticker.ticks == count
    assert not any(thread.name == "ticker" for thread in threading.enumerate())


def test_simulated_time_ticks_once_a_period_whatever_the_clocks_steps(graph):
    test = graph.plain("clock")
    clock = test.create_publisher(Clock, "/clock", 10)
    node = graph._keep(
        Node(
            "node",
            context=graph.context,
            parameter_overrides=[Parameter("use_sim_time", value=True)],
        )
    )
    times, lost = [], []
    ticker = Ticker(node, 0.02, times.append, lambda: lost.append(1))
    ticker.start()

    def set_time(milliseconds):
        """Publishes /clock until the node has that time."""
        nanoseconds = milliseconds * 1_000_000
        message = Clock()
        message.clock.sec = nanoseconds // 1_000_000_000
        message.clock.nanosec = nanoseconds % 1_000_000_000
        wait_for(
            lambda: clock.publish(message) or node.get_clock().now().nanoseconds == nanoseconds,
            f"the clock at {milliseconds} ms",
        )

    set_time(1000)
    wait_for(lambda: ticker.ticks == 1, "the first tick")
    set_time(1010)  # The same period: no tick.
    set_time(1020)
    wait_for(lambda: ticker.ticks == 2, "the second tick")
    assert ticker.missed == 0 and [t // PERIOD_NS for t in times] == [50, 51]
    set_time(1100)  # Three periods were never seen.
    wait_for(lambda: ticker.ticks == 3, "the third tick")
    assert ticker.missed == 3
    wait_for(lambda: lost, "the clock to be missed")
    ticker.stop()
    assert ticker.ticks == 3


def test_the_threads_beside_the_ticker_have_real_time_priority_too(tmp_path):
    """Else one that holds Python's lock could wait behind other processes, and a tick with it."""
    allowed = []
    thread = threading.Thread(target=lambda: allowed.append(request_realtime(1)))
    thread.start()
    thread.join()
    if not allowed[0]:
        pytest.skip("this user may not have SCHED_FIFO")
    process = NodeProcess("control_bridge", dict(os.environ), tmp_path / "log")

    def real_time_threads():
        """Number of threads; those of numpy's products started earlier and need no GIL."""
        stats = Path(f"/proc/{process.pid}/task").glob("*/stat")
        fields = [stat.read_text().rsplit(") ", 1)[1].split() for stat in stats]
        return sum(int(field[37]) == PROCESS_PRIORITY for field in fields)  # 40 in proc(5).

    try:
        # The interpreter, the executor and several of DDS.
        wait_for(lambda: real_time_threads() > 4, "its threads", 20)
    finally:
        process.close()
