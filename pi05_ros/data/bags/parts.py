"""The files of a bag that is being written, one after the other, and their contents."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from mcap.records import Channel, Schema

from pi05_ros.data.bags.definitions import definition
from pi05_ros.data.bags.facts import RECORD, BagError, EpisodeFacts
from pi05_ros.data.bags.mcap_file import McapFile
from pi05_ros.data.bags.metadata import BagMetadata, FileEntry, TopicEntry, distribution
from pi05_ros.data.bags.qos import OfferedQos, to_yaml
from pi05_ros.data.bags.sink import sync_folder
from pi05_ros.data.bags.verification import verify

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MOST_GIVEN_UP = 1 << 20  # bytes beyond the summary's size; more would not help


@dataclass(frozen=True)
class BagTopic:
    """A topic to record."""

    name: str  # absolute: "/joint_states"
    type: str  # "sensor_msgs/msg/JointState"
    qos: tuple[OfferedQos, ...] = ()  # of its publishers
    type_hash: str = ""  # "RIHS01_…"; "": that of the installed definition


@dataclass(frozen=True)
class Part:
    """A finished file."""

    entry: FileEntry
    counts: Mapping[str, int]  # topic -> messages


class BagParts:
    """The files NAME_0.mcap, NAME_1.mcap, …; each can be read without the others.

    Args:
        folder: The bag's folder, after which the files are named.
        facts: Facts for the head of every file.

    Raises:
        OSError: The first file cannot be made.
    """

    def __init__(self, folder: Path, facts: EpisodeFacts) -> None:
        self._folder, self._facts = folder, facts
        self._topics: dict[str, BagTopic] = {}
        self._schemas: dict[str, Schema] = {}  # by type
        self._channels: dict[str, Channel] = {}  # by topic
        self._ended: list[Part] = []
        self._ended_bytes = 0
        self.file = self._begin()
        self._is_ended = False

    @property
    def bytes(self) -> int:
        """Number of bytes in all files."""
        return self._ended_bytes + self.file.sink.tell()

    def channel(self, topic: str) -> int | None:
        """A topic's channel number, the same in every file; None: an unknown topic."""
        channel = self._channels.get(topic)
        return None if channel is None else int(channel.id)

    def topic_of(self, channel: int) -> str:
        """The topic of a channel number."""
        return next(name for name, known in self._channels.items() if known.id == channel)

    def add_topic(self, topic: BagTopic) -> None:
        """Add a topic to the current file and to all that follow.

        Raises:
            BagError: The definition of its type is not installed.
            OSError: The disk failed; the topic is not added.
        """
        schema = self._schemas.get(topic.type)
        if schema is None:
            data = definition(topic.type).encode()
            schema = Schema(len(self._schemas) + 1, data, "ros2msg", topic.type)
        about = {"offered_qos_profiles": to_yaml(topic.qos), "topic_type_hash": topic.type_hash}
        channel = Channel(len(self._channels) + 1, topic.name, "cdr", about, schema.id)
        self.file.add_schema(schema)
        self.file.add_channel(channel)
        self._schemas[topic.type] = schema
        self._channels[topic.name] = channel
        self._topics[topic.name] = topic

    def end(self, facts: EpisodeFacts, *, may_drop: bool = False) -> None:
        """Finish the current file, unless it is finished already.

        Args:
            facts: The current facts.
            may_drop: Whether to drop the last chunks, a few at most, to make room on a full disk.

        Raises:
            OSError: The disk failed.
        """
        if self._is_ended:  # and the next one could not be begun
            return
        given_up, most = 0, self.file.summary_size + _MOST_GIVEN_UP
        while True:
            try:
                self._end(facts)
                self._is_ended = True
                return
            except OSError as error:
                if not may_drop or error.errno not in _FULL or given_up > most:
                    raise
                before = self.file.sink.tell()
                if not self.file.drop_last_chunk():
                    raise
                given_up += before - self.file.sink.tell()

    def begin_next(self) -> McapFile:
        """Begin the next file.

        Returns:
            The previous file, to be synced and closed.
        """
        before = self.file
        self.file = self._begin()
        self._is_ended = False
        self._ended_bytes += before.sink.tell()
        return before

    def update_facts(self, facts: EpisodeFacts) -> None:
        """Write the current facts; the following files begin with them."""
        self._facts = facts
        self.file.add_metadata(RECORD, facts.to_custom_data())

    def metadata(self, facts: EpisodeFacts) -> BagMetadata:
        """Metadata of the finished files."""
        totals: Counter[str] = Counter()
        for part in self._ended:
            totals.update(part.counts)
        return BagMetadata(
            files=tuple(part.entry for part in self._ended),
            topics=tuple(
                TopicEntry(t.name, t.type, t.qos, t.type_hash, totals[t.name])
                for t in self._topics.values()
            ),
            custom_data=facts.to_custom_data(),
            ros_distro=distribution(),
        )

    def verify(self) -> None:
        """Read the finished files back.

        Raises:
            BagError: A file is not whole, or does not hold what was written.
        """
        for part in self._ended:
            path = self._folder / part.entry.name
            found = verify(path).counts
            if found != part.counts:
                raise BagError(f"{path} holds {found} messages, {part.counts} were written")

    def _begin(self) -> McapFile:
        file = McapFile(self._folder / f"{self._folder.name}_{len(self._ended)}.mcap")
        try:
            file.add_metadata(RECORD, self._facts.to_custom_data())
            _register(file, self._schemas.values(), self._channels.values())
            sync_folder(self._folder)
        except OSError:
            file.discard()
            raise
        return file

    def _end(self, facts: EpisodeFacts) -> None:
        file = self.file
        entry = FileEntry(
            name=file.sink.path.name,
            start_ns=file.first_ns,
            duration_ns=file.last_ns - file.first_ns,
            count=file.message_count,
        )
        counts = {name: file.counts.get(c.id, 0) for name, c in self._channels.items()}
        self._ended.append(Part(entry, counts))
        try:
            # rosbag2 writes the metadata into every file too.
            text = self.metadata(facts).to_yaml(rooted=False)
            file.finish("rosbag2", {"serialized_metadata": text})
        except OSError:
            self._ended.pop()
            raise


def _register(file: McapFile, schemas: Collection[Schema], channels: Collection[Channel]) -> None:
    for schema in schemas:
        file.add_schema(schema)
    for channel in channels:
        file.add_channel(channel)
