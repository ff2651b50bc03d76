"""Node parameters from frozen dataclasses of `setting(...)` fields; see foundation.settings."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterUninitializedException,
)
from rclpy.node import Node

from pi05_ros.errors import ConfigError
from pi05_ros.foundation.settings import Setting, setting_of

P = TypeVar("P")

_TYPE_NAMES = {
    float: "a number with a point (1.0)",
    int: "a whole number",
    str: "text",
    bool: "true or false",
}


def declare_parameters(node: Node, cls: type[P]) -> P:
    """Declare the settings of the dataclass `cls` on `node` and return their values.

    A field whose default is itself a dataclass is a group: its settings are declared on the node
    under their own names, with the group's values as defaults. Other fields are left alone.

    A value given under a setting's former name is accepted with a warning.

    Args:
        node: The node.
        cls: A frozen dataclass whose fields all have defaults.

    Raises:
        ConfigError: A value given by launch or command line has the wrong type or range, or a
            setting is given under its present and its former name.
    """
    try:
        return _declare_group(node, cls())
    except ValueError as error:
        raise ConfigError(
            f"parameters of {node.get_fully_qualified_name()}", str(error)
        ) from error


def _declare_group(node: Node, defaults: P) -> P:
    values: dict[str, Any] = {}
    hints = typing.get_type_hints(type(defaults))
    for field in dataclasses.fields(defaults):  # type: ignore[arg-type]  # P is a dataclass.
        default, attributes = getattr(defaults, field.name), setting_of(field)
        if dataclasses.is_dataclass(default):
            values[field.name] = _declare_group(node, default)
        elif attributes is not None and isinstance(default, tuple):
            text = _declare(node, field.name, str, ",".join(default), attributes)
            values[field.name] = tuple(part.strip() for part in text.split(",") if part.strip())
        elif attributes is not None:
            kind = hints[field.name]
            values[field.name] = _declare(node, field.name, kind, kind(default), attributes)
    return dataclasses.replace(defaults, **values)  # type: ignore[type-var]  # P is a dataclass.


def _declare(node: Node, name: str, kind: type, default: Any, attributes: Setting) -> Any:
    """Declare one parameter and return its value."""
    given, former = name, _override(node, attributes.formerly)
    if former is not None:
        given, default = attributes.formerly, former
        _report_former_name(node, attributes.formerly, name)
    where = f"parameter '{given}' of {node.get_fully_qualified_name()}"
    if type(default) is not kind:  # Only a value under the former name can be of another type.
        raise ConfigError(where, f"wanted {_TYPE_NAMES[kind]}, found {default!r}")
    try:
        value = node.declare_parameter(name, default, _descriptor(attributes, kind)).value
    except InvalidParameterTypeException as error:
        raise ConfigError(where, f"wanted {_TYPE_NAMES[kind]}; {error}") from error
    except (InvalidParameterValueException, ParameterUninitializedException) as error:
        raise ConfigError(where, f"{_bounds(attributes)}; {error}") from error
    if attributes.choices and value not in attributes.choices:
        raise ConfigError(where, f"wanted one of {', '.join(attributes.choices)}, found '{value}'")
    return value


def _override(node: Node, name: str) -> Any:
    """Return the value given from outside for a parameter that is not declared; None: none is."""
    if not name:
        return None
    descriptor = ParameterDescriptor(dynamic_typing=True)
    value = node.declare_parameter(name, None, descriptor).value
    node.undeclare_parameter(name)
    return value


def _report_former_name(node: Node, former: str, name: str) -> None:
    """Log the deprecation of a name that was given, unless the present name was given too."""
    if _override(node, name) is not None:
        raise ConfigError(
            f"parameters '{former}' and '{name}' of {node.get_fully_qualified_name()}",
            f"two names of one setting; give '{name}' only",
        )
    node.get_logger().warning(
        f"parameter '{former}' is now called '{name}'; the old name will not be accepted by the "
        "next release"
    )


def _descriptor(attributes: Setting, kind: type) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=attributes.description, read_only=attributes.read_only
    )
    if attributes.choices:
        descriptor.additional_constraints = "One of: " + ", ".join(attributes.choices)
    low, high = attributes.minimum, attributes.maximum
    if low is None and high is None:
        return descriptor
    if kind is int:
        descriptor.integer_range = [
            IntegerRange(from_value=int(low or 0), to_value=2**62 if high is None else int(high))
        ]
    else:
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=-1e300 if low is None else float(low),
                to_value=1e300 if high is None else float(high),
            )
        ]
    return descriptor


def _bounds(attributes: Setting) -> str:
    low, high = attributes.minimum, attributes.maximum
    return f"wanted a number from {low if low is not None else '-inf'} to " + (
        f"{high}" if high is not None else "inf"
    )
