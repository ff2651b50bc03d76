"""Comparison of a bag's topics with those of a mapping, without reading messages."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.cameras.decoding import PICTURE_TYPES
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.foreign.fields import source_problem
from pi05_ros.data.foreign.mapping import ForeignMapping
from pi05_ros.errors import did_you_mean

TEXT, FLAG = "std_msgs/msg/String", "std_msgs/msg/Bool"
_TEXT_TYPES = {"outcome_topic": (TEXT, FLAG), "split: topic": (TEXT, FLAG)}


@dataclass(frozen=True)
class FoundTopic:
    """One topic of a bag."""

    name: str
    type: str
    count: int
    rate_hz: float  # Messages by the length of the bag.
    uses: tuple[str, ...]  # Keys and entries of the mapping that read it; (): none.


@dataclass(frozen=True)
class Survey:
    """What a bag has of a mapping."""

    topics: tuple[FoundTopic, ...]  # By name.
    problems: tuple[str, ...]  # A sentence each; (): all is there.


def survey(reader: BagReader, mapping: ForeignMapping | None) -> Survey:
    """Compare the topics of an open bag with a mapping; None: list the topics alone."""
    uses: dict[str, list[str]] = {}
    problems: list[str] = []
    if mapping is not None:
        for kind, entry, source in mapping.sources():
            uses.setdefault(source.topic, []).append(f"{kind} {entry.name}")
            key = f"entries: {entry.name}: {kind}"
            if _is_there(reader, source.topic, key, problems):
                problem = source_problem(reader.topics[source.topic].type, source)
                if problem:
                    problems.append(f"{key}: {source.topic}: {problem}")
        for camera in mapping.cameras:
            uses.setdefault(camera.topic, []).append(f"camera {camera.name}")
            _has_type(reader, camera.topic, f"cameras: {camera.name}", PICTURE_TYPES, problems)
        for key, topic in mapping.text_topics().items():
            uses.setdefault(topic, []).append(key)
            _has_type(reader, topic, key, _TEXT_TYPES.get(key, (TEXT,)), problems)
    seconds = (reader.end_ns - reader.start_ns) * 1e-9
    return Survey(
        tuple(
            FoundTopic(
                name,
                topic.type,
                topic.count,
                max(0, topic.count - 1) / seconds if seconds > 0 else 0.0,
                tuple(uses.get(name, ())),
            )
            for name, topic in sorted(reader.topics.items())
        ),
        tuple(dict.fromkeys(problems)),
    )


def _is_there(reader: BagReader, topic: str, key: str, problems: list[str]) -> bool:
    found = reader.topics.get(topic)
    if found is not None and found.count:
        return True
    if found is not None:
        problems.append(f"{key}: {topic}: wanted messages, found the topic without any")
        return False
    near = did_you_mean(topic, reader.topics)
    problems.append(f"{key}: there is no topic {topic} in the bag{near}")
    return False


def _has_type(
    reader: BagReader, topic: str, key: str, types: tuple[str, ...], problems: list[str]
) -> None:
    if not _is_there(reader, topic, key, problems):
        return
    found = reader.topics[topic].type
    if found not in types:
        problems.append(f"{key}: {topic}: wanted {' or '.join(types)}, found {found}")
