"""YAML files that replace single keys of another one, their base."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pi05_ros.errors import ConfigError
from pi05_ros.foundation.strict_yaml import read_yaml

BASE = "base"  # Key of a file: the name or the path of the file whose keys it replaces.


def read_based(
    path: Path, kind: str, path_of: Callable[[str], Path], above: tuple[Path, ...] = ()
) -> dict[str, Any]:
    """Read the mapping of a file over that of its base, mapping by mapping.

    The key "name" is the file's own: its stem, where it is not given.

    Args:
        path: The file.
        kind: Class of what it describes ("Recipe"), for messages.
        path_of: Finds a base by its name, or by its path if it does not lie beside the file.
        above: Files that are based on this one.

    Raises:
        ConfigError: A file is missing or is not such a mapping, or is its own base.
    """
    if path in above:
        chain = " -> ".join(str(p) for p in (*above, path))
        raise ConfigError(str(path), f"is its own base: {chain}")
    content = read_yaml(path)
    if not isinstance(content, Mapping):
        raise ConfigError(str(path), f"wanted a mapping of {kind}")
    own = dict(content)
    base = own.pop(BASE, None)
    own.setdefault("name", path.stem)
    if base is None:
        return own
    if not isinstance(base, str):
        raise ConfigError(f"{path}: {BASE}", f"wanted the name or the path of a {kind.lower()}")
    beside = path.parent / base
    below = beside if base.endswith((".yaml", ".yml")) and beside.exists() else path_of(base)
    return _over(read_based(below, kind, path_of, (*above, path)), own)


def _over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the keys of `own`, mapping by mapping."""
    merged = dict(base)
    for key, value in own.items():
        before = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        merged[key] = _over(before, value) if both else value  # type: ignore[arg-type]
    return merged
