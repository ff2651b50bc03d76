"""Who publishes and hears what, how often, and the bare nodes that would do the same."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Arrival: TypeAlias = tuple[int, int]  # (sequence number of its publisher, source time [ns])

CLOCK_TYPE = "rosgraph_msgs/msg/Clock"
_LARGE_BYTES = 100_000  # Pictures: one is kept.
_RARE_HZ = 0.2  # Below, no timer: it is sent once.
_ALIKE = 0.1  # Rates that differ by less share a timer.


@dataclass(frozen=True)
class Endpoint:
    """One publisher or subscription of a node."""

    process: str
    namespace: str
    node: str
    topic: str
    type: str  # "sensor_msgs/msg/Image"
    publishes: bool
    reliable: bool
    latched: bool  # Transient local.


@dataclass(frozen=True)
class Heard:
    """What was heard on one topic."""

    rate_hz: float  # Of all its publishers together, per simulated second.
    sample: bytes = b""  # The last message, serialized; empty: none came.


def rate_of(arrivals: Sequence[Arrival], publishers: int, seconds: float) -> float:
    """Rate of a topic [Hz] from what was heard of it in `seconds`.

    Where it has one publisher, the sequence numbers tell what we have missed.
    """
    if publishers != 1 or not arrivals:
        return len(arrivals) / seconds
    sequences = [sequence for sequence, _ in arrivals]
    return (max(sequences) - min(sequences) + 1) / seconds


def began_with_us(arrivals: Sequence[Arrival]) -> bool:
    """Whether the first message heard was the publisher's first: it only sends when heard."""
    return bool(arrivals) and min(sequence for sequence, _ in arrivals) <= 1


def messages(
    endpoints: Iterable[Endpoint], heard: Mapping[str, Heard]
) -> dict[str, tuple[float, float]]:
    """Process → messages that reach it, and that it sends [Hz].

    Publishers of one topic are taken as equally busy. A message that two nodes of a process
    hear, or a node in two subscriptions, counts twice.
    """
    endpoints = list(endpoints)
    found: dict[str, tuple[float, float]] = {}
    for endpoint in endpoints:
        received, sent = found.get(endpoint.process, (0.0, 0.0))
        rate = heard[endpoint.topic].rate_hz if endpoint.topic in heard else 0.0
        if endpoint.publishes:
            sent += rate / publishers_of(endpoints, endpoint.topic)
        else:
            received += rate
        found[endpoint.process] = (received, sent)
    return found


def timers(rates_hz: Mapping[str, float]) -> list[tuple[float, list[str]]]:
    """Topics that one timer publishes: (rate [Hz], topics). Rates that are alike share one."""
    groups: list[list[str]] = []
    for topic in sorted(rates_hz, key=lambda name: (-rates_hz[name], name)):
        if rates_hz[topic] < _RARE_HZ:
            continue
        if groups and rates_hz[topic] > (1.0 - _ALIKE) * rates_hz[groups[-1][0]]:
            groups[-1].append(topic)
        else:
            groups.append([topic])
    return [(sum(rates_hz[t] for t in group) / len(group), group) for group in groups]


def bare_nodes(
    process: str,
    endpoints: Iterable[Endpoint],
    heard: Mapping[str, Heard],
    simulated_time: bool,
) -> list[dict[str, Any]]:
    """The nodes of a bare process, as JSON that `cost.bare_process` takes.

    Args:
        process: Whose endpoints are repeated.
        endpoints: Of the whole graph.
        heard: Topic → what was heard on it.
        simulated_time: Whether the nodes follow /clock; whoever publishes it never does.
    """
    endpoints = list(endpoints)
    clocks = {(e.namespace, e.node) for e in endpoints if e.publishes and e.type == CLOCK_TYPE}
    nodes: dict[tuple[str, str], dict[str, Any]] = {}
    for endpoint in endpoints:
        if endpoint.process != process:
            continue
        key = (endpoint.namespace, endpoint.node)
        follows_clock = simulated_time and key not in clocks
        node = nodes.setdefault(
            key,
            {
                "namespace": endpoint.namespace,
                "name": endpoint.node,
                "simulated_time": follows_clock,
                "publishers": [],
                "subscriptions": [],
            },
        )
        sample = heard[endpoint.topic].sample if endpoint.topic in heard else b""
        entry: dict[str, Any] = {
            "topic": endpoint.topic,
            "type": endpoint.type,
            "reliable": endpoint.reliable,
            "latched": endpoint.latched,
            # Discovery does not tell the depth.
            "depth": 1 if endpoint.latched or len(sample) > _LARGE_BYTES else 10,
        }
        if not endpoint.publishes:
            # With simulated time rclpy subscribes to the clock by itself.
            if endpoint.type != CLOCK_TYPE or not follows_clock:
                node["subscriptions"].append(entry)
            continue
        rate = heard[endpoint.topic].rate_hz if endpoint.topic in heard else 0.0
        entry["rate_hz"] = rate / publishers_of(endpoints, endpoint.topic)
        entry["sample"] = base64.b64encode(sample).decode()
        node["publishers"].append(entry)
    return list(nodes.values())


def publishers_of(endpoints: Iterable[Endpoint], topic: str) -> int:
    """How many publishers a topic has."""
    return sum(e.publishes and e.topic == topic for e in endpoints)
