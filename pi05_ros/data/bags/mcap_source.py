"""Reader of one MCAP file of a bag."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml
from mcap.reader import SeekingReader

from pi05_ros.data.bags.facts import RECORD, BagError
from pi05_ros.data.bags.metadata import BagMetadata, FileEntry, TopicEntry
from pi05_ros.data.bags.qos import from_yaml
from pi05_ros.data.bags.verification import BROKEN, read_summary


class RawMessage(NamedTuple):
    """One message as it was recorded."""

    topic: str
    log_ns: int  # when it was received, recorder's clock [ns]
    publish_ns: int  # when it was sent [ns]; log_ns where the bag has no such time
    sequence: int  # publication sequence number, the lower 32 bits; 0: not known
    data: bytes  # in CDR


class McapSource:
    """An open MCAP file, for one thread at a time.

    Args:
        path: The file.

    Raises:
        BagError: The file is missing, empty, cut, damaged, or not of ROS 2.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise BagError(f"{path} cannot be read ({error.strerror})") from error
        try:
            self.summary = read_summary(path, self._file)
            self._file.seek(0)  # where SeekingReader expects it
            # The CRC of a chunk is compared whenever it is read.
            self._reader = SeekingReader(self._file, validate_crcs=True)
            profile = self._reader.get_header().profile
        except BagError:
            self.close()
            raise
        except BROKEN as error:
            self.close()
            raise BagError(f"{path} is cut or broken ({_why(error)})") from error
        if profile != "ros2":
            self.close()
            raise BagError(f"{path} is no bag of ROS 2: its profile is {profile!r}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def start_ns(self) -> int:
        """The earliest log time [ns]; 0 without messages."""
        assert self.summary.statistics is not None  # read_summary checked
        return int(self.summary.statistics.message_start_time)

    def metadata(self) -> BagMetadata:
        """Return the metadata of a bag that has only this file."""
        statistics = self.summary.statistics
        assert statistics is not None  # read_summary checked
        counts = statistics.channel_message_counts
        start, end = statistics.message_start_time, statistics.message_end_time
        topics: dict[str, TopicEntry] = {}
        for channel in self.summary.channels.values():
            schema = self.summary.schemas.get(channel.schema_id)
            known = topics.get(channel.topic)
            topics[channel.topic] = TopicEntry(
                name=channel.topic,
                type=schema.name if schema else "",
                qos=from_yaml(channel.metadata.get("offered_qos_profiles", "")),
                type_hash=channel.metadata.get("topic_type_hash", ""),
                count=counts.get(channel.id, 0) + (known.count if known else 0),
                serialization=channel.message_encoding,
            )
        return BagMetadata(
            files=(FileEntry(self.path.name, start, end - start, statistics.message_count),),
            topics=tuple(topics.values()),
            custom_data=self.custom_data(),
        )

    def definitions(self) -> dict[str, tuple[str, str]]:
        """Type -> (encoding, text) of the definitions in the file."""
        schemas = self.summary.schemas.values()
        return {s.name: (s.encoding, s.data.decode("utf-8", "replace")) for s in schemas}

    def custom_data(self) -> dict[str, str]:
        """The episode's facts in the file: those at its end, else the last ones before."""
        found: dict[str, str] = {}
        for record in self._reader.iter_metadata():
            if record.name == RECORD:
                found = dict(record.metadata)
            elif record.name == "rosbag2":
                try:
                    written = yaml.safe_load(record.metadata.get("serialized_metadata", "")) or {}
                except yaml.YAMLError:
                    continue
                if isinstance(written, dict) and isinstance(written.get("custom_data"), dict):
                    found = {str(k): str(v) for k, v in written["custom_data"].items()} or found
        return found

    def messages(
        self, topics: Collection[str] | None, start_ns: int | None, end_ns: int | None
    ) -> Iterator[RawMessage]:
        """Messages by log time, from `start_ns` to before `end_ns`.

        Raises:
            BagError: The file is damaged.
        """
        if start_ns is not None and end_ns is not None and start_ns >= end_ns:
            return
        done = 0
        try:
            for _, channel, message in self._reader.iter_messages(
                topics=topics, starting_at=start_ns, ending_before=end_ns
            ):
                done += 1
                yield RawMessage(
                    channel.topic,
                    message.log_time,
                    message.publish_time,
                    message.sequence,
                    message.data,
                )
        except BROKEN as error:
            raise BagError(
                f"{self.path} is damaged after {done} messages ({_why(error)}): "
                f"`./pi05 bags recover {self.path.parent}` keeps the rest"
            ) from error


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
