"""Chunks and states from a rosbag2 bag (MCAP or sqlite3). No ROS is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pi05_ros.data.bags.reader import BagReader
from pi05_ros.evaluation.latency.errors import LatencyError
from pi05_ros.evaluation.latency.ledger import Lives, chunk_record, state_record

_CHUNK = "pi05_msgs/msg/ActionChunk"
_STATE = "pi05_msgs/msg/RobotState"
_CLOCK = "rosgraph_msgs/msg/Clock"


def read_bag(path: Path, namespace: str | None, tell: Callable[[str], None]) -> Lives:
    """Reads a bag.

    Args:
        path: Its folder, or one file of it (.mcap, .db3).
        namespace: Of the suite ("/pi05"); None: the only one that there is.
        tell: Progress for people.

    Raises:
        BagError: There is no such bag, it is cut or broken, or our messages are not known.
        LatencyError: It holds several suites, or not this one.
    """
    lives = Lives()
    with BagReader(path) as reader:
        wanted = _choose(reader, namespace)
        lives.simulated = any(t.type == _CLOCK and t.count for t in reader.topics.values())
        total = sum(reader.topics[name].count for name in wanted)
        for done, raw in enumerate(reader.messages(wanted), start=1):
            message = reader.decode(raw.topic, raw.data)
            if reader.topics[raw.topic].type == _CHUNK:
                lives.add_chunk(chunk_record(message))
            else:
                lives.add_state(state_record(message))
            if done % 500 == 0:
                tell(f"{path.name}: {done} of {total} messages ({done / total:.0%})")
    return lives


def _choose(reader: BagReader, namespace: str | None) -> list[str]:
    """The topics with chunks and states of one suite."""
    wanted = [t for t in reader.topics.values() if t.type in (_CHUNK, _STATE)]
    spaces = sorted({_space(t.name) for t in wanted if t.type == _CHUNK})
    if namespace is None:
        if len(spaces) > 1:
            raise LatencyError(
                f"{reader.path}: action chunks of {len(spaces)} suites ({', '.join(spaces)}); "
                "choose one with --namespace"
            )
        return [t.name for t in wanted]
    if spaces and namespace not in spaces:
        raise LatencyError(
            f"{reader.path}: no action chunks in namespace {namespace} (there are: "
            f"{', '.join(spaces)})"
        )
    return [t.name for t in wanted if _space(t.name) == namespace]


def _space(topic: str) -> str:
    return topic.rpartition("/")[0] or "/"
