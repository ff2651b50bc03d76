"""Imports of ROS packages by verbs that can also run without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pi05_ros.errors import Pi05Error


@contextmanager
def ros_packages() -> Iterator[None]:
    """Turn a missing package, imported in the block, into one sentence.

    Raises:
        Pi05Error: A package is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise Pi05Error(
            f"the Python package '{error.name}' is missing: source the workspace"
        ) from error
