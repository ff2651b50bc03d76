"""Chunks and states from a rosbag2 bag (MCAP or sqlite3). No ROS is needed."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pi05_ros.latency.errors import LatencyError
from pi05_ros.latency.ledger import Lives, chunk_record, state_record

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.typesys.store import Typestore

_CHUNK = "pi05_msgs/msg/ActionChunk"
_STATE = "pi05_msgs/msg/RobotState"
_CLOCK = "rosgraph_msgs/msg/Clock"


def read_bag(path: Path, namespace: str | None, tell: Callable[[str], None]) -> Lives:
    """Reads a bag.

    Args:
        path: Its folder, or one file of it (.mcap, .db3).
        namespace: Of the suite ("/pi05"); None: the only one that there is.
        tell: Progress for people.

    Raises:
        LatencyError: There is no such bag, it is cut or broken, or it holds several suites.
    """
    _check(path)
    try:
        from apsw import Error as DatabaseError
        from rosbags.rosbag2 import Reader, ReaderError
        from rosbags.serde import SerdeError
        from rosbags.typesys import TypesysError
    except ModuleNotFoundError as error:
        raise LatencyError(
            f"the Python package '{error.name}' is missing: pip install -r requirements/robot.txt"
        ) from error
    lives = Lives()
    done = 0
    # A cut file fails at its end, or wherever nothing more is found: `ord(b"")`.
    broken = (
        *(ReaderError, SerdeError, TypesysError, DatabaseError),
        *(OSError, EOFError, ValueError, TypeError, struct.error),
    )
    try:
        with Reader(path) as reader:
            wanted = _choose(path, reader.connections, namespace)
            lives.simulated = any(c.msgtype == _CLOCK and c.msgcount for c in reader.connections)
            total = sum(connection.msgcount for connection in wanted)
            store = _types(path, wanted)
            for connection, _, data in reader.messages(wanted) if wanted else ():
                message: Any = store.deserialize_cdr(data, connection.msgtype)
                if connection.msgtype == _CHUNK:
                    lives.add_chunk(chunk_record(message))
                else:
                    lives.add_state(state_record(message))
                done += 1
                if done % 500 == 0:
                    tell(f"{path.name}: {done} of {total} messages ({done / total:.0%})")
    except broken as error:
        why = "it ends too early" if isinstance(error, (TypeError, struct.error)) else error
        raise LatencyError(
            f"{path}: the bag is cut or broken after {done} messages ({why}); a bag of a "
            "recorder that was killed is mended by `ros2 bag reindex` (sqlite3) or `mcap recover`"
        ) from error
    return lives


def _check(path: Path) -> None:
    """Raises LatencyError when `path` cannot be a bag."""
    if not path.exists():
        raise LatencyError(f"there is no bag {path}")
    if path.is_file():
        if path.suffix not in (".mcap", ".db3"):
            raise LatencyError(f"{path} is no bag: wanted its folder, or a file .mcap or .db3")
        return
    if (path / "metadata.yaml").exists():
        return
    parts = sorted(p.name for p in path.iterdir() if p.suffix in (".mcap", ".db3"))
    if parts:
        raise LatencyError(
            f"{path}: the bag was not closed (no metadata.yaml): `ros2 bag reindex {path}`, or "
            f"give {path / parts[0]} alone"
        )
    raise LatencyError(f"{path} is no bag: there is no metadata.yaml in it")


def _choose(
    path: Path, connections: Sequence[Connection], namespace: str | None
) -> list[Connection]:
    """The connections with chunks and states of one suite."""
    wanted = [c for c in connections if c.msgtype in (_CHUNK, _STATE)]
    spaces = sorted({c.topic.rpartition("/")[0] or "/" for c in wanted if c.msgtype == _CHUNK})
    if namespace is None:
        if len(spaces) > 1:
            raise LatencyError(
                f"{path}: action chunks of {len(spaces)} suites ({', '.join(spaces)}); choose one "
                "with --namespace"
            )
        return wanted
    if spaces and namespace not in spaces:
        raise LatencyError(
            f"{path}: no action chunks in namespace {namespace} (there are: {', '.join(spaces)})"
        )
    return [c for c in wanted if (c.topic.rpartition("/")[0] or "/") == namespace]


def _types(path: Path, connections: Sequence[Connection]) -> Typestore:
    """The definitions of our messages: those in the bag, else those that are installed.

    Of our messages only: a definition of another topic that the parser does not understand must
    not be in the way.

    Raises:
        LatencyError: They are in neither place.
    """
    from rosbags.interfaces import MessageDefinitionFormat
    from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

    types: dict[str, Any] = {}
    for connection in connections:
        definition = connection.msgdef
        if definition.format == MessageDefinitionFormat.MSG:
            types |= get_types_from_msg(definition.data, connection.msgtype)
        elif definition.format == MessageDefinitionFormat.IDL:
            types |= get_types_from_idl(definition.data)
    whole = {connection.msgtype for connection in connections} <= set(types)
    store = get_typestore(Stores.EMPTY if whole else Stores.ROS2_JAZZY)
    if not whole:
        types = installed_types()
        if not types:
            raise LatencyError(
                f"{path}: the bag carries no message definitions, and pi05_msgs is not installed: "
                "source the workspace"
            )
    store.register(types)
    return store


def installed_types() -> dict[str, Any]:
    """Our message definitions as they are installed; empty where they are not."""
    from rosbags.typesys import get_types_from_msg

    types: dict[str, Any] = {}
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        for name in ("ActionChunk", "ChunkLedger", "RobotState"):
            file = Path(prefix, "share/pi05_msgs/msg", f"{name}.msg")
            if prefix and file.exists():
                types |= get_types_from_msg(file.read_text(), f"pi05_msgs/msg/{name}")
    return types
