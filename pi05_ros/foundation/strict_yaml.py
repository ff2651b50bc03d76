"""Strict loading of YAML into frozen dataclasses: an unknown key or a wrong type is an error."""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from pi05_ros.errors import ConfigError, did_you_mean

T = TypeVar("T")


class _UniqueKeyLoader(yaml.SafeLoader):
    """SafeLoader that rejects duplicate keys in a mapping (plain YAML keeps the last)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is not a word", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_yaml(path: Path, cls: type[T]) -> T:
    """Read a YAML file into an instance of the dataclass `cls`.

    Args:
        path: The file.
        cls: A dataclass whose fields define the valid keys and their types.

    Raises:
        ConfigError: The file is missing, is not YAML, or does not fit `cls`.
    """
    return from_mapping(cls, read_yaml(path), str(path))


def read_yaml(path: Path) -> Any:
    """Read the content of a YAML file without duplicate keys.

    Raises:
        ConfigError: The file is missing or is not YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "is not UTF-8 text") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise ConfigError(
            str(path), f"{line}{getattr(error, 'problem', None) or 'is not YAML'}"
        ) from error


def from_mapping(cls: type[T], mapping: Any, where: str) -> T:
    """Build the dataclass `cls` from a mapping of its fields, checking keys and types.

    Args:
        cls: A dataclass of scalars, tuples, mappings by name, and other dataclasses. Its
            `__post_init__` may raise ValueError, which becomes a ConfigError that names the
            place.
        mapping: The content of the file.
        where: File and key, for error messages.

    Raises:
        ConfigError: A key is unknown or missing, or a value has the wrong type.
    """
    if not isinstance(mapping, Mapping):
        raise ConfigError(where, f"wanted a mapping of {cls.__name__}, found {_kind(mapping)}")
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    for key in mapping:
        if key not in fields:
            raise ConfigError(
                where,
                f"unknown key '{key}'{did_you_mean(str(key), fields)} "
                f"(valid: {', '.join(fields)})",
            )
    values = {}
    for name, field in fields.items():
        if name in mapping:
            values[name] = _convert(hints[name], mapping[name], f"{where}: {name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ConfigError(where, f"the key '{name}' is missing")
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(where, str(error)) from error


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Convert one YAML value to the annotated type `hint`, or raise ConfigError."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        kinds = [argument for argument in arguments if argument is not type(None)]
        lists = [kind for kind in kinds if typing.get_origin(kind) is tuple]
        if lists and isinstance(value, list):
            return _convert(lists[0], value, where)
        return _convert(next((k for k in kinds if k not in lists), kinds[0]), value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(where, f"wanted a list, found {_kind(value)}")
        if arguments[-1] is not Ellipsis and len(value) != len(arguments):
            raise ConfigError(where, f"wanted {len(arguments)} entries, found {len(value)}")
        hints = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(
            _convert(h, v, f"{where}[{i}]")
            for i, (h, v) in enumerate(zip(hints, value, strict=True))
        )
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise ConfigError(where, f"wanted a mapping, found {_kind(value)}")
        for key in value:
            if not isinstance(key, arguments[0]):
                raise ConfigError(where, f"the key {key!r} is not a word")
        return {key: _convert(arguments[1], v, f"{where}: {key}") for key, v in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_mapping(hint, value, where)  # type: ignore[arg-type]
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(
                where,
                f"wanted one of {', '.join(map(str, arguments))}, found {value!r}"
                + did_you_mean(str(value), map(str, arguments)),
            )
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if hint is float and isinstance(value, str) and _EXPONENT.fullmatch(value):
        value = float(value)  # "1e-4" is text in YAML 1.1, which needs "1.0e-4" for a number.
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(where, f"wanted {_NAMES.get(hint, hint)}, found {_kind(value)}")
    if hint is float and not math.isfinite(value):
        raise ConfigError(where, f"wanted a finite number, found {value}")
    return value


_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")
_NAMES = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}


def _kind(value: Any) -> str:
    """Describe a YAML value for an error message."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"{value!r}"
