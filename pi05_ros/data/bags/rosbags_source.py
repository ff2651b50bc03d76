"""Reader of a bag that is not plain MCAP (sqlite3, or compressed as a whole), with rosbags."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.mcap_source import RawMessage
from pi05_ros.data.bags.metadata import BagMetadata, FileEntry, TopicEntry
from pi05_ros.data.bags.qos import OfferedQos

if TYPE_CHECKING:
    from rosbags.rosbag2 import Reader


class RosbagsSource:
    """An open bag. rosbags provides neither publish time nor sequence number.

    Args:
        path: The bag's folder, or its only file.

    Raises:
        BagError: rosbags cannot open it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = _open(path)
        self.start_ns = self._reader.start_time if self._reader.message_count else 0

    def close(self) -> None:
        """Close the bag."""
        self._reader.close()

    def metadata(self) -> BagMetadata:
        """Return the metadata of a bag that has only this file."""
        reader = self._reader
        duration = max(0, reader.duration - 1)  # rosbags counts the end as the first time after it
        return BagMetadata(
            files=(FileEntry(self.path.name, self.start_ns, duration, reader.message_count),),
            topics=tuple(
                TopicEntry(
                    name=c.topic,
                    type=c.msgtype,
                    qos=tuple(_qos(p) for p in getattr(c.ext, "offered_qos_profiles", ())),
                    type_hash=c.digest,
                    count=c.msgcount,
                )
                for c in reader.connections
            ),
            storage="sqlite3",
        )

    def definitions(self) -> dict[str, tuple[str, str]]:
        """Type -> (encoding, text) of the definitions in the bag."""
        from rosbags.interfaces import MessageDefinitionFormat

        names = {MessageDefinitionFormat.MSG: "ros2msg", MessageDefinitionFormat.IDL: "ros2idl"}
        return {
            c.msgtype: (names[c.msgdef.format], c.msgdef.data)
            for c in self._reader.connections
            if c.msgdef.format in names
        }

    def messages(
        self, topics: Collection[str] | None, start_ns: int | None, end_ns: int | None
    ) -> Iterator[RawMessage]:
        """Messages by log time within each file, from `start_ns` to before `end_ns`.

        Raises:
            BagError: The bag is damaged.
        """
        wanted = [c for c in self._reader.connections if topics is None or c.topic in topics]
        if not wanted:
            return
        done = 0
        try:
            for connection, time_ns, data in self._reader.messages(wanted, start_ns, end_ns):
                done += 1
                yield RawMessage(connection.topic, time_ns, time_ns, 0, bytes(data))
        except _broken() as error:
            raise BagError(f"{self.path} is damaged after {done} messages ({error})") from error


def _open(path: Path) -> Reader:
    from rosbags.rosbag2 import Reader

    try:
        reader = Reader(path)
        reader.open()
    except _broken() as error:
        raise BagError(f"{path} cannot be read as a bag ({error})") from error
    return reader


def _broken() -> tuple[type[Exception], ...]:
    from apsw import Error as DatabaseError
    from rosbags.rosbag2 import ReaderError

    return (
        *(ReaderError, DatabaseError, OSError, EOFError),
        *(ValueError, TypeError, KeyError, struct.error),
    )


def _qos(profile: Any) -> OfferedQos:
    def nanoseconds(time: Any) -> int:
        return int(time.sec) * 10**9 + int(time.nsec)

    return OfferedQos(
        history=profile.history.name.lower(),
        depth=profile.depth,
        reliability=profile.reliability.name.lower(),
        durability=profile.durability.name.lower(),
        deadline_ns=nanoseconds(profile.deadline),
        lifespan_ns=nanoseconds(profile.lifespan),
        liveliness=profile.liveliness.name.lower(),
        liveliness_lease_duration_ns=nanoseconds(profile.liveliness_lease_duration),
        avoid_ros_namespace_conventions=profile.avoid_ros_namespace_conventions,
    )
