"""Reader of any rosbag2 bag, MCAP or sqlite3, without ROS."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from pi05_ros.data.bags import metadata as bag_metadata
from pi05_ros.data.bags.adopted_file import AdoptedFile, read_adopted
from pi05_ros.data.bags.decoding import Decoder
from pi05_ros.data.bags.facts import BagError, EpisodeFacts, describes_episode
from pi05_ros.data.bags.mark import is_locked, is_marked
from pi05_ros.data.bags.mcap_source import McapSource, RawMessage
from pi05_ros.data.bags.metadata import FILE, BagMetadata, BrokenMetadataError
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.rosbags_source import RosbagsSource

__all__ = ["BagReader", "RawMessage", "TopicSummary"]

_SUFFIXES = (".mcap", ".db3")


@dataclass(frozen=True)
class TopicSummary:
    """One topic of a bag."""

    name: str
    type: str  # "sensor_msgs/msg/Image"
    count: int  # messages
    qos: tuple[OfferedQos, ...]  # that its publishers offered
    definition: str  # of the type, in full; "": the bag carries none
    definition_encoding: str  # "ros2msg", "ros2idl"; "": none
    type_hash: str  # "RIHS01_…"; "": not known


class BagReader:
    """An open bag, for one thread at a time; each thread needs a reader of its own.

    Args:
        path: The bag's folder, or one .mcap or .db3 file of it.
        as_recorded: Whether to leave an adopted.yaml beside its files unread.

    Raises:
        BagError: There is no bag, or it is empty, cut, not closed, damaged or of another storage.
    """

    facts: EpisodeFacts | None  # None: the bag is no episode of the suite
    adopted: AdoptedFile | None  # of a recording of another stack that was adopted
    topics: Mapping[str, TopicSummary]  # by name
    start_ns: int  # the first message's log time [ns]
    end_ns: int  # the last message's
    files: tuple[Path, ...]
    metadata_version: int  # of metadata.yaml; of a single file, the version that is written

    def __init__(self, path: Path, *, as_recorded: bool = False) -> None:
        self.path = Path(path)
        self._as_recorded = as_recorded
        self._sources: list[McapSource | RosbagsSource] = []
        try:
            self.metadata = self._open_folder() if self.path.is_dir() else self._open_file()
            self._describe()
        except OSError as error:
            self.close()
            raise BagError(f"{path} cannot be read ({error.strerror or error})") from error
        except BaseException:
            self.close()
            raise

    def messages(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[RawMessage]:
        """Yield messages in the order of log time.

        Args:
            topics: Topics to read; None: all. A topic that the bag does not have is ignored.
            start_ns: First log time [ns].
            end_ns: Log time before which to stop [ns].

        Raises:
            BagError: The bag is damaged.
        """
        wanted = None if topics is None else frozenset(topics)
        # A file is read only when its first message is due.
        heap: list[tuple[int, int, RawMessage | None]] = []
        for number, source in enumerate(self._sources):
            heapq.heappush(heap, (source.start_ns, number, None))
        streams: dict[int, Iterator[RawMessage]] = {}
        while heap:
            _, number, message = heapq.heappop(heap)
            if message is None:
                streams[number] = self._sources[number].messages(wanted, start_ns, end_ns)
            else:
                yield message
            following = next(streams[number], None)
            if following is not None:
                heapq.heappush(heap, (following.log_ns, number, following))

    def decode(self, topic: str, data: bytes) -> Any:
        """Decode a message of a topic into an object with the fields of its type.

        Raises:
            BagError: The bag has no such topic, its type is not known, or the data is damaged.
        """
        summary = self.topics.get(topic)
        if summary is None:
            raise BagError(f"{self.path} has no topic {topic}")
        try:
            return self._decoder.decode(summary.type, data)
        except BagError as error:
            raise BagError(f"{self.path}: a message of {topic}: {error}") from error

    def close(self) -> None:
        """Close the files."""
        for source in self._sources:
            source.close()
        self._sources = []

    def __enter__(self) -> BagReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_folder(self) -> BagMetadata:
        check_closed(self.path)
        try:
            metadata = bag_metadata.read(self.path)
        except BrokenMetadataError as error:
            if not any(self.path.glob("*.mcap")):
                raise
            raise BagError(
                f"{error}: `./pi05 bags recover {self.path}` rebuilds it from the bag's files"
            ) from error
        self.files = tuple(self.path / file.name for file in metadata.files)
        missing = [file.name for file in self.files if not file.exists()]
        if missing:
            raise BagError(f"{self.path}: missing files: {', '.join(missing)}")
        if metadata.storage == "mcap" and not metadata.compression_mode:
            self._sources = []
            for file in self.files:
                self._sources.append(self._open_part(file))
        elif metadata.storage in ("mcap", "sqlite3"):
            self._sources = [RosbagsSource(self.path)]
        else:
            raise BagError(
                f"{self.path} is stored as {metadata.storage!r}; wanted mcap or sqlite3: convert "
                "it with `ros2 bag convert`"
            )
        return metadata

    def _open_part(self, file: Path) -> McapSource:
        try:
            return McapSource(file)
        except BagError as error:
            raise BagError(f"{error}: `./pi05 bags recover {self.path}`, or copy it again") from (
                error
            )

    def _open_file(self) -> BagMetadata:
        if not self.path.exists():
            raise BagError(f"there is no bag {self.path}")
        if self.path.suffix not in _SUFFIXES:
            raise BagError(f"{self.path} is no bag: wanted its folder, or a file .mcap or .db3")
        source = McapSource(self.path) if self.path.suffix == ".mcap" else RosbagsSource(self.path)
        self._sources = [source]
        self.files = (self.path,)
        metadata = source.metadata()
        # The folder's metadata.yaml holds later facts, such as the outcome.
        beside = self.path.parent / FILE
        if beside.exists() and not is_marked(self.path.parent):
            whole = bag_metadata.read(self.path.parent)
            if self.path.name in [file.name for file in whole.files]:
                return BagMetadata(metadata.files, metadata.topics, whole.custom_data)
        return metadata

    def _describe(self) -> None:
        metadata = self.metadata
        if not metadata.count:
            raise BagError(f"{self.path} holds no messages")
        definitions: dict[str, tuple[str, str]] = {}
        for source in self._sources:
            for name, definition in source.definitions().items():
                if definition[1]:
                    definitions.setdefault(name, definition)
        self._decoder = Decoder(definitions)
        self.topics = {
            topic.name: TopicSummary(
                name=topic.name,
                type=topic.type,
                count=topic.count,
                qos=topic.qos,
                definition=definitions.get(topic.type, ("", ""))[1],
                definition_encoding=definitions.get(topic.type, ("", ""))[0],
                type_hash=topic.type_hash,
            )
            for topic in metadata.topics
        }
        self.start_ns, self.end_ns = metadata.start_ns, metadata.end_ns
        self.metadata_version = metadata.version
        custom = metadata.custom_data
        self.adopted = None
        if describes_episode(custom):
            self.facts = EpisodeFacts.from_custom_data(custom, str(self.path))
        elif self._as_recorded:
            self.facts = None
        else:
            folder = self.path if self.path.is_dir() else self.path.parent
            self.adopted = read_adopted(folder)
            self.facts = self.adopted.facts if self.adopted is not None else None


def check_closed(folder: Path) -> None:
    """Raise BagError when a folder holds no bag, or one that was not closed."""
    if is_locked(folder):
        raise BagError(f"{folder} is being recorded or repaired: wait until it is done")
    parts = [p.name for p in folder.iterdir() if p.suffix in _SUFFIXES]
    if is_marked(folder):
        raise BagError(
            f"{folder} was not closed (its recorder was killed): "
            f"run `./pi05 bags recover {folder}`"
        )
    if (folder / FILE).exists():
        return
    if any(name.endswith(".mcap") for name in parts):
        raise BagError(
            f"{folder} was not closed (it has no {FILE}): run `./pi05 bags recover {folder}`"
        )
    if parts:
        raise BagError(f"{folder} was not closed (no {FILE}): run `ros2 bag reindex {folder}`")
    raise BagError(f"{folder} is no bag: there is no {FILE} in it")
