"""Small bags, made by the writer as the recorder makes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from rosbags.typesys import Stores, get_typestore

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings

SECOND = 10**9
LATCHED = OfferedQos(durability="transient_local")


class Clock:
    """A monotonic clock that the test turns [s]."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def encode(type_name: str, **values: Any) -> bytes:
    """A message in CDR; `header_stamp` [ns] sets a header, the rest are fields by name."""
    store = _store()
    stamp_ns = values.pop("header_stamp", None)
    if stamp_ns is not None:
        time = store.types["builtin_interfaces/msg/Time"](
            sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND
        )
        frame = values.pop("frame_id", "")
        values["header"] = store.types["std_msgs/msg/Header"](stamp=time, frame_id=frame)
    return bytes(store.serialize_cdr(store.types[type_name](**values), type_name))


@lru_cache(maxsize=1)
def _store() -> Any:
    return get_typestore(Stores.ROS2_JAZZY)


def text(words: str) -> bytes:
    """A std_msgs/msg/String in CDR."""
    return encode("std_msgs/msg/String", data=words)


def make_bag(
    folder: Path,
    topics: Iterable[BagTopic],
    messages: Sequence[tuple[str, bytes, int] | tuple[str, bytes, int, int]],
    facts: EpisodeFacts | None = None,
    settings: WriterSettings | None = None,
) -> Path:
    """Writes a closed bag of (topic, data, log time [ns]); sequences count from 1 by topic.

    A fourth entry is the step of the sequence: 2 where the message before was lost.
    """
    facts = facts or EpisodeFacts(id=folder.name)
    clock = Clock()
    writer = BagWriter(folder, facts, settings, clock=clock)
    for topic in topics:
        writer.add_topic(topic)
    numbers: dict[str, int] = {}
    began = messages[0][2] if messages else 0
    for topic_name, data, log_ns, *step in messages:
        numbers[topic_name] = numbers.get(topic_name, 0) + (step[0] if step else 1)
        clock.now = (log_ns - began) / SECOND
        writer.tick()
        writer.write(topic_name, data, log_ns, log_ns + 1000, numbers[topic_name])
    writer.close(facts)
    return folder
