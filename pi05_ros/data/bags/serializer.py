"""Serialization of messages with the installed definitions, without ROS."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pi05_ros.data.bags.definitions import definition

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

_SECOND = 10**9


class Serializer:
    """Makes messages of some types.

    Args:
        kinds: Types, such as "pi05_msgs/msg/RobotState".

    Raises:
        BagError: A definition is not installed.
    """

    def __init__(self, *kinds: str) -> None:
        self._store = _store(kinds)

    def message(self, kind: str, **fields: Any) -> Any:
        """Return a message; every field is wanted."""
        return self._store.types[kind](**fields)

    def serialized(self, kind: str, **fields: Any) -> bytes:
        """Return a serialized message (CDR); every field is wanted."""
        return bytes(self._store.serialize_cdr(self.message(kind, **fields), kind))

    def header(self, time_ns: int, frame: str = "") -> Any:
        """Return a std_msgs/Header."""
        return self.message("std_msgs/msg/Header", stamp=self.time(time_ns), frame_id=frame)

    def time(self, time_ns: int) -> Any:
        """Return a builtin_interfaces/Time."""
        return self.message(
            "builtin_interfaces/msg/Time", sec=time_ns // _SECOND, nanosec=time_ns % _SECOND
        )


@functools.lru_cache(maxsize=4)
def _store(kinds: tuple[str, ...]) -> Typestore:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    types: dict[str, Any] = {}
    for kind in kinds:
        types |= get_types_from_msg(definition(kind), kind)
    store = get_typestore(Stores.EMPTY)
    store.register(types)
    return store
