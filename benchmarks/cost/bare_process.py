"""Bare rclpy nodes with the messages of a process: `python -m cost.bare_process FILE`.

FILE is the JSON of `cost.traffic.bare_nodes`. What a first program with rclpy would be: plain
nodes, the default executor, subscriptions whose callback does nothing, and timers that publish
messages which were made beforehand. Ends with SIGINT.
"""

from __future__ import annotations

import base64
import functools
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message

from cost.traffic import CLOCK_TYPE, timers

_START_S = 10**6  # The simulated time begins late enough that no stamp is negative [s].


def message_type(name: str) -> Any:
    """The class of "sensor_msgs/msg/Image"."""
    package, kind, word = name.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), word)


def profile(entry: dict[str, Any]) -> QoSProfile:
    """The QoS of a publisher or subscription."""
    return QoSProfile(
        depth=entry["depth"],
        reliability=(
            ReliabilityPolicy.RELIABLE if entry["reliable"] else ReliabilityPolicy.BEST_EFFORT
        ),
        durability=(
            DurabilityPolicy.TRANSIENT_LOCAL if entry["latched"] else DurabilityPolicy.VOLATILE
        ),
    )


def make_node(description: dict[str, Any]) -> Node:
    """One node with its subscriptions, publishers and timers."""
    use_sim_time = Parameter("use_sim_time", value=description["simulated_time"])
    node = Node(
        description["name"],
        namespace=description["namespace"],
        parameter_overrides=[use_sim_time],
    )
    for entry in description["subscriptions"]:
        kind = message_type(entry["type"])
        node.create_subscription(kind, entry["topic"], lambda message: None, profile(entry))
    rates, calls = {}, {}
    for entry in description["publishers"]:
        kind = message_type(entry["type"])
        publisher = node.create_publisher(kind, entry["topic"], profile(entry))
        sample = base64.b64decode(entry["sample"])
        if not sample:
            continue
        message = deserialize_message(sample, kind)
        rates[entry["topic"]] = entry["rate_hz"]
        if entry["type"] == CLOCK_TYPE:
            message.clock.sec, message.clock.nanosec = _START_S, 0
            step_ns = round(1e9 / entry["rate_hz"])
            calls[entry["topic"]] = functools.partial(advance, publisher, message, step_ns)
        else:
            calls[entry["topic"]] = functools.partial(publisher.publish, message)
        if entry["latched"]:
            publisher.publish(message)
    for rate, topics in timers(rates):
        node.create_timer(1.0 / rate, functools.partial(publish_all, [calls[t] for t in topics]))
    return node


def publish_all(calls: list[Any]) -> None:
    """Publishes one message on each topic of a timer."""
    for call in calls:
        call()


def advance(publisher: Any, message: Any, step_ns: int) -> None:
    """Publishes the next time."""
    now = message.clock.sec * 10**9 + message.clock.nanosec + step_ns
    message.clock.sec, message.clock.nanosec = divmod(now, 10**9)
    publisher.publish(message)


def main() -> int:
    """Runs until SIGINT."""
    rclpy.init(args=[])
    executor = SingleThreadedExecutor()
    for description in json.loads(Path(sys.argv[1]).read_text()):
        executor.add_node(make_node(description))
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
