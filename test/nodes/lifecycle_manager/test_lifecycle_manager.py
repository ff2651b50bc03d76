"""The lifecycle manager over real managed nodes in processes of their own."""

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from fakes.domains import ros_domain  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from pi05_ros.bringup.respawn import RespawnPolicy  # noqa: E402
from pi05_ros.bringup.supervisor import ProcessSpec, Supervisor  # noqa: E402
from pi05_ros.nodes.common import qos  # noqa: E402

FAKE = Path(__file__).parents[2] / "fakes" / "lifecycle_node.py"
ROOT = Path(__file__).parents[3]
NAMES = ("eyes", "hands")


class Graph:
    """The manager and two managed nodes, supervised; what they print and publish."""

    def __init__(self, aside=()):
        self.stack = ExitStack()
        self.domain = self.stack.enter_context(ros_domain())
        self.environment = {"ROS_DOMAIN_ID": str(self.domain)}
        nodes = [self.spec(name, str(FAKE), name) for name in (*NAMES, *aside)]
        manager = self.spec(
            "manager", "-m", "pi05_ros.nodes", "lifecycle_manager",
            parameters=(
                "-p", f"managed_nodes:=[{','.join(NAMES)}]",
                *(("-p", f"aside_nodes:=[{','.join(aside)}]") if aside else ()),
            ),
        )  # fmt: skip
        self.told, self.log, self.states, self.diagnostics = [], [], [], []
        self.supervisor = Supervisor(
            [*nodes, manager], on_line=self.line, respawn=RespawnPolicy(first_delay_s=0.2)
        )

    def spec(self, name, *command, parameters=()):
        ros = ("--ros-args", "-r", "__ns:=/test", *parameters)
        environment = {**self.environment, "PYTHONPATH": f"{ROOT}:{os.environ['PYTHONPATH']}"}
        return ProcessSpec(name, (sys.executable, *command, *ros), environment)

    def line(self, name, text):
        self.log.append(f"{name}: {text}")
        if name != "manager" and text in ("configure", "activate", "deactivate"):
            self.told.append((name, text))

    def __enter__(self):
        self.context = Context()
        self.context.init(domain_id=self.domain)
        self.node = Node("watcher", context=self.context)
        self.node.create_subscription(
            String,
            "/test/lifecycle_manager/state",
            lambda m: self.states.append(m.data),
            qos.LATCHED,
        )
        self.node.create_subscription(
            DiagnosticArray, "/diagnostics", lambda m: self.diagnostics.extend(m.status), 10
        )
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.supervisor.start()
        return self

    def __exit__(self, *_):
        self.supervisor.stop()
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.shutdown()
        self.stack.close()

    def wait(self, done, timeout_s=30):
        deadline = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < deadline, "\n".join([*self.log[-30:], str(self.states)])
            self.supervisor.poll(0.02)
            self.executor.spin_once(timeout_sec=0.02)

    def wait_active(self):
        self.wait(lambda: self.states and self.states[-1] == "active")


def check_order(told):
    """Each is configured once, as soon as DDS finds it; they are activated in their order."""
    assert sorted(told) == sorted((n, verb) for n in NAMES for verb in ("configure", "activate"))
    assert [name for name, verb in told if verb == "activate"] == list(NAMES)
    for name in NAMES:
        assert told.index((name, "configure")) < told.index((name, "activate"))


def test_bring_up_a_killed_node_and_the_end():
    with Graph() as graph:
        graph.wait_active()
        check_order(graph.told)
        graph.wait(
            lambda: any(status.level == DiagnosticStatus.OK for status in graph.diagnostics)
        )
        status = [s for s in graph.diagnostics if s.level == DiagnosticStatus.OK][-1]
        assert status.name == "test/lifecycle_manager: active"
        assert status.message == "all 2 nodes are active"
        assert {v.key: v.value for v in status.values} == dict.fromkeys(NAMES, "active")

        graph.told.clear()
        graph.states.clear()
        began = time.monotonic()
        os.kill(graph.supervisor.pids()["eyes"], signal.SIGKILL)
        graph.wait_active()
        assert time.monotonic() - began < 15  # Far below the 20 s that DDS keeps the dead.
        assert graph.states == ["recovering", "active"]
        assert graph.told == [
            ("hands", "deactivate"), ("eyes", "configure"), ("eyes", "activate"),
            ("hands", "activate"),
        ]  # fmt: skip

        graph.told.clear()
        os.kill(graph.supervisor.pids()["manager"], signal.SIGINT)
        graph.wait(lambda: len(graph.told) == 2)
        assert graph.told == [("hands", "deactivate"), ("eyes", "deactivate")]
        # A new manager comes in its place and brings them up again.
        graph.wait(lambda: ("hands", "activate") in graph.told)
        graph.supervisor.request_stop()
        graph.wait(lambda: not graph.supervisor.running)


def test_a_node_aside_is_brought_up_and_back_and_changes_nothing_for_the_others():
    with Graph(aside=("ears",)) as graph:
        graph.wait_active()
        graph.wait(lambda: ("ears", "activate") in graph.told)
        told = [entry for entry in graph.told if entry[0] != "ears"]
        check_order(told)
        graph.wait(
            lambda: any(
                {v.key: v.value for v in s.values}.get("ears") == "active"
                for s in graph.diagnostics
            )
        )
        graph.told.clear()
        graph.states.clear()
        os.kill(graph.supervisor.pids()["ears"], signal.SIGKILL)
        graph.wait(lambda: ("ears", "activate") in graph.told)
        assert graph.told == [("ears", "configure"), ("ears", "activate")]
        assert graph.states == []
        assert not any("all 1 nodes" in line for line in graph.log)


def test_a_graph_is_active_without_the_node_aside():
    with Graph(aside=("ears",)) as graph:
        os.kill(graph.supervisor.pids()["ears"], signal.SIGSTOP)
        graph.wait_active()
        graph.supervisor.request_stop()
        graph.supervisor.request_stop()
