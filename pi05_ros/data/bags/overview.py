"""The overview of one bag, in any state, for `./pi05 bags list`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pi05_ros.data.bags.facts import BagError, EpisodeFacts, describes_episode
from pi05_ros.data.bags.mark import is_locked
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.recovery import TORN, needs_recovery
from pi05_ros.data.bags.salvage import head_facts

SUBTASK = "pi05_msgs/msg/Subtask"


class BagState(Enum):
    """Condition of a bag."""

    WHOLE = "whole"
    RECOVERED = "recovered"  # repaired: its recorder had been killed
    INCOMPLETE = "incomplete"  # not closed, and no process works on it
    RECORDING = "recording"  # or being repaired
    FOREIGN = "not ours"  # a bag, and no episode of the suite
    ADOPTED = "adopted"  # a recording of another stack, read through a mapping
    BROKEN = "broken"


@dataclass(frozen=True)
class Overview:
    """Contents and condition of a bag."""

    path: Path
    state: BagState
    size: int  # bytes of all its files
    facts: EpisodeFacts | None = None  # None: none are known
    problem: str = ""  # why it cannot be read; "": it can
    seconds: float = 0.0  # from the first message to the last, log time
    messages: int = 0
    subtasks: tuple[str, ...] = ()  # texts in their order, a repeated one once
    sources: dict[str, float] = field(default_factory=dict)  # source: share of labelled time


def overview(path: Path) -> Overview:
    """Inspect a bag. A damaged bag is not an error: `state` and `problem` describe it."""
    try:
        return _overview(path)
    except OSError as error:
        problem = f"{path} cannot be read ({error.strerror or error})"
        return Overview(path, BagState.BROKEN, 0, problem=problem)


def _overview(path: Path) -> Overview:
    size = _size(path)
    if path.is_dir() and is_locked(path):
        return Overview(path, BagState.RECORDING, size, _head(path))
    if needs_recovery(path):
        problem = f"not closed: ./pi05 bags recover {path}"
        return Overview(path, BagState.INCOMPLETE, size, _head(path), problem)
    try:
        with BagReader(path) as reader:
            facts = reader.facts
            subtasks, sources = _subtasks(reader)
            if facts is None:
                state = BagState.FOREIGN
            elif reader.adopted is not None:
                state = BagState.ADOPTED
            else:
                state = BagState.RECOVERED if facts.recovered else BagState.WHOLE
            return Overview(
                path=path,
                state=state,
                size=size,
                facts=facts,
                seconds=(reader.end_ns - reader.start_ns) * 1e-9,
                messages=sum(topic.count for topic in reader.topics.values()),
                subtasks=subtasks,
                sources=sources,
            )
    except BagError as error:
        return Overview(path, BagState.BROKEN, size, _head(path), str(error))


def _subtasks(reader: BagReader) -> tuple[tuple[str, ...], dict[str, float]]:
    """Subtask texts in order, and the share of the labelled time by source."""
    topics = [name for name, topic in reader.topics.items() if topic.type == SUBTASK]
    if reader.facts is not None:
        own = f"{reader.facts.namespace.rstrip('/')}/subtask"
        topics = [own] if own in topics else topics
    texts: list[str] = []
    spans: dict[str, int] = {}
    for text, source, span_ns in _subtask_spans(reader, topics):
        if not text:
            continue
        if not texts or texts[-1] != text:
            texts.append(text)
        spans[source] = spans.get(source, 0) + span_ns
    total = sum(spans.values())
    shares = {source: span / total for source, span in spans.items()} if total else {}
    return tuple(texts), shares


def _subtask_spans(reader: BagReader, topics: list[str]) -> Iterator[tuple[str, str, int]]:
    """Text, source and duration [ns] of every Subtask; an empty text ends one."""
    before: tuple[str, str, int] | None = None
    for message in reader.messages(topics):
        subtask = reader.decode(message.topic, message.data)
        if before is not None:
            yield before[0], before[1], message.log_ns - before[2]
        before = (subtask.text, subtask.source, message.log_ns)
    if before is not None:
        yield before[0], before[1], reader.end_ns - before[2]


def _head(path: Path) -> EpisodeFacts | None:
    """The facts at the head of a bag's first file."""
    files = sorted(path.glob("*_0.mcap")) if path.is_dir() else [path]
    for file in files:
        data = head_facts(file)
        if describes_episode(data):
            try:
                return EpisodeFacts.from_custom_data(data, str(file))
            except BagError:
                return None
    return None


def _size(path: Path) -> int:
    """Size of the files that are read [byte], without torn originals kept by recovery."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(f.stat().st_size for f in files if f.is_file() and f.suffix != TORN)
