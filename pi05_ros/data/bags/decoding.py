"""CDR messages decoded by the definitions that a bag carries."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pi05_ros.data.bags.definitions import definition
from pi05_ros.data.bags.facts import BagError

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore


class Decoder:
    """Decodes by type, with the bag's own definition, else the installed one, else Jazzy's.

    Each type has its own typestore, so that a definition that cannot be parsed, or two that
    conflict, do not affect other types.

    Args:
        definitions: Type -> (encoding, text), from the bag.
    """

    def __init__(self, definitions: Mapping[str, tuple[str, str]]) -> None:
        self._definitions = definitions
        self._stores: dict[str, Typestore] = {}

    def decode(self, type_name: str, data: bytes) -> Any:
        """Decode a message.

        Bytes behind the message are ignored if the bag has the type's definition, as ROS ignores
        them: rclpy's `serialize_message` pads empty arrays, and scripts write bags with it.

        Raises:
            BagError: The type has no definition, or the data is not of that type.
        """
        from rosbags.serde import SerdeError

        store = self._stores.get(type_name)
        if store is None:
            store = self._stores[type_name] = self._store(type_name)
        try:
            if not self._definitions.get(type_name, ("", ""))[1] or data[:2] != b"\x00\x01":
                return store.deserialize_cdr(data, type_name)
            message = store.get_msgdef(type_name)
            return message.deserialize_cdr_le(data[4:], 0, message.cls, store)[0]
        except (SerdeError, ValueError, IndexError, AssertionError, struct.error) as error:
            raise BagError(f"{len(data)} bytes are no {type_name} ({error})") from error

    def _store(self, type_name: str) -> Typestore:
        from rosbags.typesys import Stores, TypesysError, get_typestore

        encoding, text = self._definitions.get(type_name, ("", ""))
        if text:
            try:
                return _parsed(type_name, encoding, text)
            except (TypesysError, SyntaxError, ValueError, KeyError) as error:
                raise BagError(
                    f"the bag's definition of {type_name} cannot be parsed ({error})"
                ) from error
        try:
            return _parsed(type_name, "ros2msg", definition(type_name))
        except BagError as error:
            store = get_typestore(Stores.ROS2_JAZZY)
            if type_name not in store.types:
                raise BagError(f"the bag carries no definition of {type_name}, and {error}") from (
                    error
                )
            return store


def _parsed(type_name: str, encoding: str, text: str) -> Typestore:
    from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

    store = get_typestore(Stores.EMPTY)
    if encoding == "ros2idl":
        store.register(get_types_from_idl(text))
    else:
        store.register(get_types_from_msg(text, type_name))
    return store
