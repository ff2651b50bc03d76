"""The QoS that a topic's publishers offered, in the formats of rosbag2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from pi05_ros.data.bags.facts import BagError

INFINITE_NS = 2**63 - 1  # rmw's "no limit"; its default for all three durations [ns]
_SECOND = 10**9

# Names in the order of rmw's enumerations; bags before version 9 hold the numbers.
_HISTORY = ("system_default", "keep_last", "keep_all", "unknown")
_RELIABILITY = ("system_default", "reliable", "best_effort", "unknown", "best_available")
_DURABILITY = ("system_default", "transient_local", "volatile", "unknown", "best_available")
_LIVELINESS = (
    *("system_default", "automatic", "manual_by_node"),
    *("manual_by_topic", "unknown", "best_available"),
)


@dataclass(frozen=True)
class OfferedQos:
    """One publisher's profile, with rmw's names. Durations in ns; INFINITE_NS: no limit."""

    history: str = "unknown"  # not part of discovery
    depth: int = 0  # not part of discovery
    reliability: str = "reliable"
    durability: str = "volatile"
    deadline_ns: int = INFINITE_NS
    lifespan_ns: int = INFINITE_NS
    liveliness: str = "automatic"
    liveliness_lease_duration_ns: int = INFINITE_NS
    avoid_ros_namespace_conventions: bool = False

    def __post_init__(self) -> None:
        for name, words in (
            ("history", _HISTORY),
            ("reliability", _RELIABILITY),
            ("durability", _DURABILITY),
            ("liveliness", _LIVELINESS),
        ):
            if getattr(self, name) not in words:
                raise ValueError(
                    f"{name}: wanted one of {', '.join(words)}, not {getattr(self, name)!r}"
                )

    @classmethod
    def of(cls, profile: Any) -> OfferedQos:
        """Convert an `rclpy.qos.QoSProfile`, as an endpoint's info holds it."""
        return cls(
            history=profile.history.name.lower(),
            depth=profile.depth,
            reliability=profile.reliability.name.lower(),
            durability=profile.durability.name.lower(),
            deadline_ns=profile.deadline.nanoseconds,
            lifespan_ns=profile.lifespan.nanoseconds,
            liveliness=profile.liveliness.name.lower(),
            liveliness_lease_duration_ns=profile.liveliness_lease_duration.nanoseconds,
            avoid_ros_namespace_conventions=profile.avoid_ros_namespace_conventions,
        )

    def as_mapping(self) -> dict[str, Any]:
        """Return the mapping of version 9 of metadata.yaml."""
        return {
            "history": self.history,
            "depth": self.depth,
            "reliability": self.reliability,
            "durability": self.durability,
            "deadline": _split(self.deadline_ns),
            "lifespan": _split(self.lifespan_ns),
            "liveliness": self.liveliness,
            "liveliness_lease_duration": _split(self.liveliness_lease_duration_ns),
            "avoid_ros_namespace_conventions": self.avoid_ros_namespace_conventions,
        }

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> OfferedQos:
        """Read the mapping of any version: policies are names, or rmw's numbers.

        Raises:
            BagError: The mapping is not a QoS profile.
        """
        try:
            return cls(
                history=_word(data["history"], _HISTORY),
                depth=int(data["depth"]),
                reliability=_word(data["reliability"], _RELIABILITY),
                durability=_word(data["durability"], _DURABILITY),
                deadline_ns=_joined(data["deadline"]),
                lifespan_ns=_joined(data["lifespan"]),
                liveliness=_word(data["liveliness"], _LIVELINESS),
                liveliness_lease_duration_ns=_joined(data["liveliness_lease_duration"]),
                avoid_ros_namespace_conventions=bool(data["avoid_ros_namespace_conventions"]),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BagError(f"no QoS profile of a bag: {data!r} ({error})") from error


def to_yaml(profiles: Iterable[OfferedQos]) -> str:
    """Dump profiles for a channel's metadata "offered_qos_profiles"; "" for none."""
    mappings = [profile.as_mapping() for profile in profiles]
    return yaml.safe_dump(mappings, sort_keys=False).strip() if mappings else ""


def from_yaml(text: str | Sequence[Mapping[str, Any]] | None) -> tuple[OfferedQos, ...]:
    """Read the profiles of a channel (text) or of metadata.yaml (a list; text before version 9).

    Raises:
        BagError: The value holds something else.
    """
    items: Any = text
    if isinstance(text, str):
        try:
            items = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise BagError(f"no QoS profiles of a bag: {text!r} ({error})") from error
    if not items:
        return ()
    if not isinstance(items, list):
        raise BagError(f"no QoS profiles of a bag: {text!r}")
    return tuple(OfferedQos.from_mapping(item) for item in items)


def _split(nanoseconds: int) -> dict[str, int]:
    return {"sec": nanoseconds // _SECOND, "nsec": nanoseconds % _SECOND}


def _joined(parts: Mapping[str, int]) -> int:
    # Old bags hold other values for "no limit", such as 2147483647 s; they are kept.
    return min(INFINITE_NS, int(parts["sec"]) * _SECOND + int(parts["nsec"]))


def _word(value: str | int, words: tuple[str, ...]) -> str:
    # A policy that a later ROS adds reads as unknown, so that the bag can be opened.
    if isinstance(value, int):
        return words[value] if 0 <= value < len(words) else "unknown"
    return value if value in words else "unknown"
