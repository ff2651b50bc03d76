"""Small bags, made by the writer as the recorder makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from pi05_ros.data.bags.definitions import definition
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic, BagWriter, WriterSettings

SECOND = 10**9
LATCHED = OfferedQos(durability="transient_local")


class Clock:
    """A monotonic clock that the test advances [s]."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def encode(type_name: str, **values: Any) -> bytes:
    """A message in CDR, of any installed type.

    Args:
        type_name: "pi05_msgs/msg/Subtask".
        values: Fields by name; those that are left out are zero or empty. `header_stamp` [ns]
            and `frame_id` set the header; a mapping stands for a message, a list of mappings
            for several. `typestore` replaces the installed definitions.
    """
    store = values.pop("typestore", None) or _store(type_name)
    stamp_ns = values.pop("header_stamp", None)
    if stamp_ns is not None:
        time = {"sec": stamp_ns // SECOND, "nanosec": stamp_ns % SECOND}
        values["header"] = {"stamp": time, "frame_id": values.pop("frame_id", "")}
    return bytes(store.serialize_cdr(_message(store, type_name, values), type_name))


def text(words: str) -> bytes:
    """A std_msgs/msg/String in CDR."""
    return encode("std_msgs/msg/String", data=words)


@lru_cache(maxsize=64)
def _store(type_name: str) -> Typestore:
    """A typestore with a type and those that it needs, from the installed definitions."""
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(definition(type_name), type_name))
    return store


def _message(store: Typestore, type_name: str, values: Mapping[str, Any]) -> Any:
    fields = store.fielddefs[type_name][1]
    unknown = set(values) - {name for name, _ in fields}
    assert not unknown, f"{type_name} has no {unknown}"
    return store.types[type_name](
        **{name: _value(store, kind, values.get(name)) for name, kind in fields}
    )


def _value(store: Typestore, kind: Any, value: Any) -> Any:
    """A field's value as rosbags expects it."""
    node, about = kind
    if node == Nodetype.BASE:
        zero: Any = {"string": "", "bool": False}.get(about[0], 0)
        return zero if value is None else value
    if node == Nodetype.NAME:
        return _message(store, about, {} if value is None else value)
    element, length = about
    if element[0] == Nodetype.BASE and element[1][0] != "string":
        if value is None:
            value = [0] * (length if node == Nodetype.ARRAY else 0)
        return np.asarray(value, dtype=element[1][0])
    count = length if node == Nodetype.ARRAY else 0
    return [
        _value(store, element, item) for item in (value if value is not None else [None] * count)
    ]


def make_bag(
    folder: Path,
    topics: Iterable[BagTopic],
    messages: Sequence[tuple[str, bytes, int] | tuple[str, bytes, int, int]],
    facts: EpisodeFacts | None = None,
    settings: WriterSettings | None = None,
) -> Path:
    """Write a closed bag of (topic, data, log time [ns]); sequences count from 1 by topic.

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
