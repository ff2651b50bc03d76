"""Paths of the files that ship with the suite (config/, urdf/), in a checkout or installed."""

from __future__ import annotations

import os
from pathlib import Path

from pi05_ros.errors import ConfigError


def resource_path(relative: str) -> Path:
    """Return the path of a file or folder that ships with the suite.

    A checkout has `config/` beside the Python package. An installed package has it in
    `PREFIX/share/pi05_ros`, with `PREFIX` on AMENT_PREFIX_PATH.

    Args:
        relative: Path below the repository's root, e.g. `config/platforms`.

    Raises:
        ConfigError: The file is in neither place.
    """
    prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    roots = [Path(__file__).resolve().parents[2]]
    roots += [Path(prefix) / "share" / "pi05_ros" for prefix in prefixes]
    for root in roots:
        if (root / relative).exists():
            return root / relative
    raise ConfigError(
        relative,
        f"not found below {' or '.join(map(str, roots))}; build the package, or source its setup",
    )
