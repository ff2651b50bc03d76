"""Chunks and states from a rosbag2 bag (MCAP or sqlite3). No ROS is needed."""

from __future__ import annotations

from collections.abc import Callable

from pi05_ros.data.bags.reader import BagReader
from pi05_ros.evaluation.latency.ledger import (
    LatencyError,
    LatencyLog,
    chunk_record,
    state_record,
)

_CHUNK = "pi05_msgs/msg/ActionChunk"
_STATE = "pi05_msgs/msg/RobotState"
_CLOCK = "rosgraph_msgs/msg/Clock"
_REPORT_EVERY = 500  # Messages.


def read_latency(
    reader: BagReader, namespace: str | None, on_progress: Callable[[str], None]
) -> LatencyLog:
    """Read the chunks and states of a bag.

    Args:
        reader: The open bag.
        namespace: Namespace of the suite ("/pi05"); None: the only one in the bag.
        on_progress: Called now and then with the state in one line.

    Raises:
        BagError: The bag is damaged, or its messages cannot be decoded.
        LatencyError: It holds several suites, or not this one.
    """
    log = LatencyLog()
    topics = _topics(reader, namespace)
    log.simulated = any(t.type == _CLOCK and t.count for t in reader.topics.values())
    total = sum(reader.topics[name].count for name in topics)
    for done, raw in enumerate(reader.messages(topics), start=1):
        message = reader.decode(raw.topic, raw.data)
        if reader.topics[raw.topic].type == _CHUNK:
            log.add_chunk(chunk_record(message))
        else:
            log.add_state(state_record(message))
        if done % _REPORT_EVERY == 0:
            on_progress(f"{reader.path.name}: {done} of {total} messages ({done / total:.0%})")
    return log


def _topics(reader: BagReader, namespace: str | None) -> list[str]:
    """The topics with chunks and states of one suite."""
    found = [t for t in reader.topics.values() if t.type in (_CHUNK, _STATE)]
    namespaces = sorted({_namespace(t.name) for t in found if t.type == _CHUNK})
    if namespace is None:
        if len(namespaces) > 1:
            raise LatencyError(
                f"{reader.path}: action chunks of {len(namespaces)} suites "
                f"({', '.join(namespaces)}); choose one with --namespace"
            )
        return [t.name for t in found]
    if namespaces and namespace not in namespaces:
        raise LatencyError(
            f"{reader.path}: no action chunks in namespace {namespace} (there are: "
            f"{', '.join(namespaces)})"
        )
    return [t.name for t in found if _namespace(t.name) == namespace]


def _namespace(topic: str) -> str:
    return topic.rpartition("/")[0] or "/"
