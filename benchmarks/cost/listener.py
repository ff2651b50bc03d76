"""A visitor of the graph: a ROS context that looks around, gone while costs are measured."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String

from cost.bare_process import message_type
from cost.traffic import Arrival, Endpoint, Heard, began_with_us, publishers_of, rate_of
from pi05_msgs.action import ExecuteTask
from pi05_msgs.msg import RobotState
from pi05_ros.errors import Pi05Error
from pi05_ros.nodes.common import qos

# What rclpy gives every node anyway, and what actions are made of.
_BY_RCLPY = ("/rosout", "/parameter_events")
_ACTION = "/_action/"
_MODES = {
    getattr(RobotState, name): name.removeprefix("MODE_").lower()
    for name in dir(RobotState)
    if name.startswith("MODE_")
}
_ANSWER_S = 20.0  # Patience with the graph.
_FIND_S = 0.5  # In which publishers and our subscriptions find each other.
_STABLE_S = 1.0  # The graph's endpoints are known when none has come or gone for so long.


class Listener:
    """Opens a context of its own on entry, and closes it on exit.

    Args:
        namespace: Of the suite's nodes.
        idle: Called again and again while this one waits.
    """

    def __init__(self, namespace: str, idle: Callable[[], None]) -> None:
        self._namespace, self._idle = namespace, idle

    def __enter__(self) -> Listener:
        self._context = Context()
        self._context.init()
        self._node = Node(
            "graph_cost",
            context=self._context,
            namespace=self._namespace,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name="listener", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(timeout_sec=1.0)
        self._thread.join(timeout=2.0)
        self._node.destroy_node()
        self._context.try_shutdown()

    def wait_until_active(self, limit_s: float) -> None:
        """Waits until the lifecycle manager says that all nodes are active.

        Raises:
            Pi05Error: It says that they will not be, or says nothing in time.
        """
        states: list[str] = []

        def on_state(message: String) -> None:
            states.append(message.data)

        self._node.create_subscription(String, "lifecycle_manager/state", on_state, qos.LATCHED)

        def active() -> bool:
            if states and states[-1] in ("failed", "stopped"):
                raise Pi05Error(f"the graph did not come up: it is {states[-1]}")
            return bool(states) and states[-1] == "active"

        self._wait(active, "all nodes to be active", limit_s)

    def clock(self) -> tuple[int, int]:
        """One message of /clock: simulated time, and wall time when it was sent [ns]."""
        found: list[tuple[int, int]] = []

        def on_clock(message: Clock, info: Any) -> None:
            stamp = message.clock.sec * 10**9 + message.clock.nanosec
            found.append((stamp, info["source_timestamp"]))

        callback: Any = on_clock  # rclpy's annotation knows only callbacks without the times.
        self._node.create_subscription(Clock, "/clock", callback, qos.SENSOR)
        self._wait(lambda: found, "simulated time on /clock")
        return found[0]

    def robot(self, *wanted: str, limit_s: float = _ANSWER_S) -> str:
        """Mode of the control bridge in words, such as "running" or "disarmed".

        Args:
            wanted: Modes to wait for; none: any.
            limit_s: At most so long [s].

        Raises:
            Pi05Error: It has come to none of them; the sentence gives the bridge's reason.
        """
        heard: list[RobotState] = []
        self._node.create_subscription(RobotState, "robot_state", heard.append, qos.ROBOT_STATE)
        self._wait(lambda: heard, "a robot_state")
        end = time.monotonic() + limit_s
        while wanted and _MODES.get(heard[-1].mode, "") not in wanted:
            if time.monotonic() > end:
                raise Pi05Error(
                    f"waited {limit_s:.0f} s for the robot to be {' or '.join(wanted)}; it is "
                    f"{_MODES.get(heard[-1].mode, 'in no known mode')}: {heard[-1].reason}"
                )
            self._idle()
        return _MODES.get(heard[-1].mode, "unknown")

    def endpoints(self, processes: Mapping[tuple[str, str], str]) -> list[Endpoint]:
        """Publishers and subscriptions of the graph's nodes, but those that rclpy adds to all.

        Args:
            processes: (namespace, node) → its process.
        """
        found: list[Endpoint] = []
        since = time.monotonic()

        def stable() -> bool:
            nonlocal found, since
            now = self._endpoints(processes)
            if now != found:
                found, since = now, time.monotonic()
            known = {(e.namespace, e.node) for e in found}
            return known == set(processes) and time.monotonic() > since + _STABLE_S

        self._wait(stable, "publishers and subscriptions of all nodes")
        return found

    def count(
        self, endpoints: Iterable[Endpoint], seconds: float, lazy: set[str]
    ) -> dict[str, Heard]:
        """Hears all topics for a while. Subscriptions stay until the context is closed.

        Args:
            endpoints: Of the graph.
            seconds: How long [s of wall time].
            lazy: Topics that are only sent because we listen; those that are found are added.

        Returns:
            Topic → what it carries while we do not listen.
        """
        endpoints = list(endpoints)
        arrivals: dict[str, list[Arrival]] = {}
        samples: dict[str, bytes] = {}
        times: list[int] = []  # Simulated [ns].
        begun = time.time_ns()
        for endpoint in endpoints:
            if not endpoint.publishes or endpoint.topic in arrivals:
                continue
            topic = endpoint.topic
            arrivals[topic] = []

            def on_message(message: bytes, info: Any, topic: str = topic) -> None:
                samples[topic] = message
                arrivals[topic].append(
                    (info["publication_sequence_number"], info["source_timestamp"])
                )
                if topic == "/clock":
                    clock = deserialize_message(message, Clock).clock
                    times.append(clock.sec * 10**9 + clock.nanosec)

            callback: Any = on_message
            self._node.create_subscription(
                message_type(endpoint.type), topic, callback, _as(endpoint), raw=True
            )
        self._wait_s(_FIND_S)
        self._wait(lambda: times, "simulated time on /clock")
        since, first = time.time_ns(), times[-1]
        self._wait_s(seconds)
        passed = (times[-1] - first) * 1e-9
        taken = {topic: list(heard) for topic, heard in arrivals.items()}
        watched = {e.topic for e in endpoints if not e.publishes}
        found = {}
        for topic, heard in taken.items():
            fresh = [arrival for arrival in heard if arrival[1] >= begun]
            if topic not in watched and began_with_us(fresh):
                lazy.add(topic)
            counted = [arrival for arrival in fresh if arrival[1] >= since]
            rate = rate_of(counted, publishers_of(endpoints, topic), passed)
            found[topic] = Heard(0.0 if topic in lazy else rate, samples.get(topic, b""))
        return found

    def give(self, task: str) -> None:
        """Gives the task to the planner. It goes on with it when we are gone.

        Raises:
            Pi05Error: It does not take it.
        """
        client: Any = ActionClient(self._node, ExecuteTask, "execute_task")
        self._wait(client.server_is_ready, "the planner")
        self._wait_s(0.5)  # A goal that is sent before its reply can be heard is lost.
        reply = client.send_goal_async(ExecuteTask.Goal(task=task))
        self._wait(reply.done, "the planner's answer")
        if not reply.result().accepted:
            raise Pi05Error(f"the planner refused the task '{task}'")

    def _endpoints(self, processes: Mapping[tuple[str, str], str]) -> list[Endpoint]:
        found = []
        for topic, types in self._node.get_topic_names_and_types():
            if topic in _BY_RCLPY or _ACTION in topic:
                continue
            for publishes, infos in (
                (True, self._node.get_publishers_info_by_topic(topic)),
                (False, self._node.get_subscriptions_info_by_topic(topic)),
            ):
                for info in infos:
                    process = processes.get((info.node_namespace, info.node_name))
                    if process is None:
                        continue
                    profile = info.qos_profile
                    found.append(
                        Endpoint(
                            process=process,
                            namespace=info.node_namespace,
                            node=info.node_name,
                            topic=topic,
                            type=info.topic_type or types[0],
                            publishes=publishes,
                            reliable=profile.reliability == ReliabilityPolicy.RELIABLE,
                            latched=profile.durability == DurabilityPolicy.TRANSIENT_LOCAL,
                        )
                    )
        return sorted(found, key=lambda e: (e.process, e.node, e.publishes, e.topic, e.reliable))

    def _wait(self, condition: Callable[[], Any], what: str, limit_s: float = _ANSWER_S) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end:
                raise Pi05Error(f"waited {limit_s:.0f} s for {what}")
            self._idle()

    def _wait_s(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._idle()

    def _spin(self) -> None:
        # On a busy machine the executor is still in a round when what it waits on is destroyed.
        with contextlib.suppress(ExternalShutdownException, InvalidHandle):
            self._executor.spin()


def _as(endpoint: Endpoint) -> QoSProfile:
    """What hears a publisher: its last message too, where it is latched."""
    if not endpoint.latched:
        return QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
    return QoSProfile(
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )
