"""Fields of settings dataclasses that are also node parameters.

Default, description and range of a parameter are stated once, beside the field that holds its
value. This module imports no ROS; `nodes.common.parameters` declares the fields on a node.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

_KEY = "setting"


@dataclass(frozen=True)
class Setting:
    """Parameter attributes of a dataclass field; its name, type and default are the field's."""

    description: str  # With the unit in brackets, where there is one: "Age of … [s]."
    minimum: float | None  # Limits of a number; None: unbounded.
    maximum: float | None
    choices: tuple[str, ...]  # Valid values of a text; empty: any.
    read_only: bool  # Whether the parameter keeps the value that it starts with.
    formerly: str  # Deprecated name under which a value is still accepted; empty: none.


def setting(
    default: Any,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    read_only: bool = True,
    formerly: str = "",
) -> Any:
    """Return a dataclass field that is also a node parameter.

    Args:
        default: Default value: bool, int, float, str, or a tuple of str. A tuple is a parameter
            of type string, with commas between the items.
        description: Purpose, with the unit in brackets. Shown by `ros2 param describe`.
        minimum: Least value that the parameter accepts. The dataclass itself does not check it.
        maximum: Greatest value that the parameter accepts.
        choices: Valid values of a text; empty: any.
        read_only: Whether the parameter keeps the value that it starts with.
        formerly: Name of the parameter in the last release. A value given under it at the start
            is accepted with a warning.
    """
    attributes = Setting(description, minimum, maximum, choices, read_only, formerly)
    return dataclasses.field(default=default, metadata={_KEY: attributes})


def setting_of(field: dataclasses.Field[Any]) -> Setting | None:
    """Return the parameter attributes of a field; None: the field is not a parameter."""
    return field.metadata.get(_KEY)
