"""Message definitions as they are installed, in the text that a bag carries ("ros2msg")."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pi05_ros.data.bags.facts import BagError

_RULE = "=" * 80
# A field or constant: its type, perhaps of an array, and then a name. Bounded strings need no
# match, and a comment begins with something else.
_FIELD = re.compile(r"^\s*([A-Za-z][\w/]*)(?:\[[^\]]*\])?\s+[A-Za-z]", re.MULTILINE)
_PRIMITIVE = frozenset(
    "bool byte char float32 float64 int8 uint8 int16 uint16 int32 uint32 int64 uint64 "
    "string wstring".split()
)


def definition(type_name: str, prefixes: Sequence[str] | None = None) -> str:
    """The .msg text of a type and of all types that it needs, joined as rosbag2 joins them.

    Args:
        type_name: "sensor_msgs/msg/Image".
        prefixes: Folders with share/PACKAGE/msg; None: those of AMENT_PREFIX_PATH.

    Raises:
        BagError: The type, or one that it needs, is not installed.
    """
    return _definition(type_name, _prefixes(prefixes))


def type_hash(type_name: str, prefixes: Sequence[str] | None = None) -> str:
    """The installed type's hash ("RIHS01_…"); "": the installation holds none."""
    for prefix in _prefixes(prefixes):
        file = _share(prefix, type_name, ".json")
        if file is None or not file.exists():
            continue
        try:
            hashes = json.loads(file.read_text(encoding="utf-8"))["type_hashes"]
            return str(next(h["hash_string"] for h in hashes if h["type_name"] == type_name))
        except (OSError, ValueError, KeyError, TypeError, StopIteration):
            return ""
    return ""


def _prefixes(prefixes: Sequence[str] | None) -> tuple[str, ...]:
    if prefixes is None:
        prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return tuple(prefix for prefix in prefixes if prefix)


def _share(prefix: str, type_name: str, suffix: str) -> Path | None:
    """Path of a type's file, which need not exist; None: not a type's name."""
    parts = type_name.split("/")
    if len(parts) == 2:  # "package/Name", as definitions name other types
        parts.insert(1, "msg")
    if len(parts) != 3 or not all(re.fullmatch(r"[A-Za-z]\w*", part) for part in parts):
        return None
    return Path(prefix, "share", parts[0], parts[1], parts[2] + suffix)


def _text(type_name: str, prefixes: tuple[str, ...]) -> str:
    for prefix in prefixes:
        file = _share(prefix, type_name, ".msg")
        if file is not None and file.exists():
            return file.read_text(encoding="utf-8")
    raise BagError(
        f"the definition of {type_name} is not installed: source the workspace that has it, "
        "or leave its topic out"
    )


@lru_cache(maxsize=1024)
def _definition(type_name: str, prefixes: tuple[str, ...]) -> str:
    seen: set[str] = set()

    def add(name: str) -> str:
        text = result = _text(name, prefixes)
        package = name.split("/")[0]
        needed = {word for word in _FIELD.findall(text) if word not in _PRIMITIVE}
        for other in sorted(word if "/" in word else f"{package}/{word}" for word in needed):
            if other not in seen:
                seen.add(other)
                result += f"\n{_RULE}\nMSG: {other}\n{add(other)}"
        return result

    return add(type_name)
