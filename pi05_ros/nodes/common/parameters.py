"""Node parameters from frozen dataclasses: each default, description and range is written once."""

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

P = TypeVar("P")


def parameter(
    default: Any,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    read_only: bool = True,
) -> Any:
    """A dataclass field that becomes a node parameter.

    Args:
        default: Default value; its type (bool, int, float, str) is the parameter's.
        description: What it does, with its unit. Shown by `ros2 param describe`.
        minimum: Least value of a number.
        maximum: Greatest value of a number.
        choices: Valid values of a text; empty allows any.
        read_only: Whether it keeps the value that it starts with.
    """
    metadata = {
        "description": description,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "read_only": read_only,
    }
    return dataclasses.field(default=default, metadata=metadata)


def declare_parameters(node: Node, cls: type[P]) -> P:
    """Declares every field of the dataclass `cls` on `node` and returns the values.

    Raises:
        ConfigError: A value given by launch or command line has the wrong type or range.
    """
    values = {}
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        where = f"parameter '{field.name}' of {node.get_fully_qualified_name()}"
        kind = hints[field.name]
        try:
            values[field.name] = node.declare_parameter(
                field.name, kind(field.default), _descriptor(field, kind)
            ).value
        except InvalidParameterTypeException as error:
            raise ConfigError(where, f"wanted {_NAMES[kind]}; {error}") from error
        except (InvalidParameterValueException, ParameterUninitializedException) as error:
            raise ConfigError(where, f"{_bounds(field)}; {error}") from error
        choices = field.metadata["choices"]
        if choices and values[field.name] not in choices:
            raise ConfigError(
                where, f"wanted one of {', '.join(choices)}, found '{values[field.name]}'"
            )
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(
            f"parameters of {node.get_fully_qualified_name()}", str(error)
        ) from error


_NAMES = {
    float: "a number with a point (1.0)",
    int: "a whole number",
    str: "text",
    bool: "true or false",
}


def _descriptor(field: dataclasses.Field[Any], kind: type) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=field.metadata["description"], read_only=field.metadata.get("read_only", True)
    )
    if field.metadata["choices"]:
        descriptor.additional_constraints = "One of: " + ", ".join(field.metadata["choices"])
    low, high = field.metadata["minimum"], field.metadata["maximum"]
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


def _bounds(field: dataclasses.Field[Any]) -> str:
    low, high = field.metadata["minimum"], field.metadata["maximum"]
    return f"wanted a number from {low if low is not None else '-inf'} to " + (
        f"{high}" if high is not None else "inf"
    )
