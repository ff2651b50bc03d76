"""The module path of the harness's processes: no installation holds the package `system`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TEST = str(Path(__file__).parents[1])


def with_harness(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the folder test/ first on PYTHONPATH."""
    path = [_TEST, environment.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, path))}
