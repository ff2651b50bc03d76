"""metadata.yaml of a rosbag2 bag: version 9 is written, versions 1 to 9 are read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.qos import OfferedQos, from_yaml

FILE = "metadata.yaml"
MARK = "INCOMPLETE"  # file in the folder until the bag is closed and verified
VERSION = 9
_ROOT = "rosbag2_bagfile_information"


class BrokenMetadataError(BagError):
    """A bag's metadata.yaml is not valid; the bag's files may be whole."""


@dataclass(frozen=True)
class TopicEntry:
    """One topic of a bag."""

    name: str
    type: str
    qos: tuple[OfferedQos, ...] = ()
    type_hash: str = ""  # "RIHS01_…"; "": not known
    count: int = 0
    serialization: str = "cdr"


@dataclass(frozen=True)
class FileEntry:
    """One file of a bag. Times are log times [ns]."""

    name: str
    start_ns: int
    duration_ns: int
    count: int


@dataclass(frozen=True)
class BagMetadata:
    """Content of metadata.yaml."""

    files: tuple[FileEntry, ...]
    topics: tuple[TopicEntry, ...]
    custom_data: Mapping[str, str] = field(default_factory=dict)
    version: int = VERSION
    storage: str = "mcap"
    compression_format: str = ""
    compression_mode: str = ""
    ros_distro: str = ""

    @property
    def count(self) -> int:
        """Number of messages in all files."""
        return sum(file.count for file in self.files)

    @property
    def start_ns(self) -> int:
        """The earliest log time [ns]; 0 without messages."""
        return min((file.start_ns for file in self.files if file.count), default=0)

    @property
    def end_ns(self) -> int:
        """The latest log time [ns]; 0 without messages."""
        return max((f.start_ns + f.duration_ns for f in self.files if f.count), default=0)

    def as_mapping(self) -> dict[str, Any]:
        """Return the content in the order of rosbag2, without the outermost key."""
        return {
            "version": self.version,
            "storage_identifier": self.storage,
            "duration": {"nanoseconds": self.end_ns - self.start_ns},
            "starting_time": {"nanoseconds_since_epoch": self.start_ns},
            "message_count": self.count,
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": topic.name,
                        "type": topic.type,
                        "serialization_format": topic.serialization,
                        "offered_qos_profiles": [profile.as_mapping() for profile in topic.qos],
                        "type_description_hash": topic.type_hash,
                    },
                    "message_count": topic.count,
                }
                for topic in self.topics
            ],
            "compression_format": self.compression_format,
            "compression_mode": self.compression_mode,
            "relative_file_paths": [file.name for file in self.files],
            "files": [
                {
                    "path": file.name,
                    "starting_time": {"nanoseconds_since_epoch": file.start_ns},
                    "duration": {"nanoseconds": file.duration_ns},
                    "message_count": file.count,
                }
                for file in self.files
            ],
            "custom_data": dict(self.custom_data) or None,
            "ros_distro": self.ros_distro,
        }

    def to_yaml(self, *, rooted: bool = True) -> str:
        """The text of metadata.yaml; not rooted: that of the record "rosbag2" in an MCAP file."""
        mapping = self.as_mapping()
        return dump({_ROOT: mapping} if rooted else mapping)

    @classmethod
    def from_yaml(cls, text: str, bag: str) -> BagMetadata:
        """Parse a metadata.yaml.

        Args:
            text: Text of the file.
            bag: The bag's name, for the error.

        Raises:
            BagError: The file is of a later version.
            BrokenMetadataError: The text is not YAML, or lacks a required entry.
        """
        try:
            data = yaml.safe_load(text)[_ROOT]
            if data["version"] > VERSION:
                raise BagError(
                    f"{bag}: its metadata.yaml has version {data['version']}; versions up to "
                    f"{VERSION} are known (ROS 2 Jazzy): convert it with `ros2 bag convert`"
                )
            try:
                return _from_mapping(data)
            except BagError as error:
                raise BrokenMetadataError(f"{bag}: its metadata.yaml is broken ({error})") from (
                    error
                )
        except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise BrokenMetadataError(
                f"{bag}: its metadata.yaml is broken ({_short(error)})"
            ) from error


class _Dumper(yaml.SafeDumper):
    """A dumper without aliases, which yaml-cpp reads but few people do."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        """Quote text that holds a line break of any kind: PyYAML folds some into spaces."""
        style = '"' if any(break_ in data for break_ in _BREAKS) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_BREAKS = "\n\r\x85\u2028\u2029"
_Dumper.add_representer(str, _Dumper.text)


def dump(document: Mapping[str, Any]) -> str:
    """Dump a mapping as YAML, in its own order."""
    return yaml.dump(
        dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000
    )


def read(folder: Path) -> BagMetadata:
    """Read the metadata of a bag's folder.

    Raises:
        BagError: There is no metadata.yaml, or it is of a later version.
        BrokenMetadataError: The file is not valid.
    """
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except OSError as error:
        raise BagError(f"{folder}: its {FILE} cannot be read ({_short(error)})") from error
    except UnicodeDecodeError as error:
        raise BrokenMetadataError(f"{folder}: its {FILE} is broken ({_short(error)})") from error
    return BagMetadata.from_yaml(text, str(folder))


def distribution() -> str:
    """Name of the running ROS distribution, as rosbag2 writes it ("jazzy")."""
    # With the suite's own wheels of ROS no set-up script sets it: those are Jazzy's.
    return os.environ.get("ROS_DISTRO", "") or "jazzy"


def _from_mapping(data: Mapping[str, Any]) -> BagMetadata:
    names = [Path(name).name for name in data["relative_file_paths"]]
    start = int(data["starting_time"]["nanoseconds_since_epoch"])
    duration = int(data["duration"]["nanoseconds"])
    count = int(data["message_count"])
    listed: Sequence[Mapping[str, Any]] = data.get("files") or ()
    entries = {
        Path(item["path"]).name: FileEntry(
            name=Path(item["path"]).name,
            start_ns=int(item["starting_time"]["nanoseconds_since_epoch"]),
            duration_ns=int(item["duration"]["nanoseconds"]),
            count=int(item["message_count"]),
        )
        for item in listed
    }
    # Versions before 5 do not list single files: the first one stands for all.
    whole = {names[0]: FileEntry(names[0], start, duration, count)} if names else {}
    known = entries if set(entries) >= set(names) else whole
    files = tuple(known.get(name, FileEntry(name, start, 0, 0)) for name in names)
    return BagMetadata(
        files=files,
        topics=tuple(_topic(item) for item in data["topics_with_message_count"] or ()),
        custom_data={str(k): str(v) for k, v in (data.get("custom_data") or {}).items()},
        version=int(data["version"]),
        storage=str(data["storage_identifier"]),
        compression_format=str(data.get("compression_format") or ""),
        compression_mode=_mode(data.get("compression_mode")),
        ros_distro=str(data.get("ros_distro") or ""),
    )


def _topic(item: Mapping[str, Any]) -> TopicEntry:
    topic = item["topic_metadata"]
    return TopicEntry(
        name=str(topic["name"]),
        type=str(topic["type"]),
        qos=from_yaml(topic.get("offered_qos_profiles")),
        type_hash=str(topic.get("type_description_hash") or ""),
        count=int(item["message_count"]),
        serialization=str(topic["serialization_format"]),
    )


def _mode(value: str | None) -> str:
    mode = str(value or "").lower()
    return "" if mode == "none" else mode


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
