"""Statistics of a checkpoint as stated by the options `--platform` and `--norm-stats`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pi05_ros.checkpoints.layouts.contents import Contents
from pi05_ros.checkpoints.layouts.native import read_norm_stats
from pi05_ros.checkpoints.layouts.unnamed_stats import (
    EntryMeaning,
    StatsMapping,
    name_entries,
    select_stats,
)
from pi05_ros.checkpoints.storage.files import read_mapping
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.strict_yaml import load_yaml
from pi05_ros.model.normalization import NormStats
from pi05_ros.platforms.platform import Platform


def units_of(platform: Platform) -> tuple[str, ...]:
    """Units of a platform's entries, in order."""
    return tuple(str(dimension.unit) for dimension in platform.dimensions)


def stated_statistics(
    contents: Contents, platform: Platform | None, path: Path | None
) -> dict[str, NormStats]:
    """Return the statistics that the user states for a checkpoint.

    Args:
        contents: Of the checkpoint.
        platform: Platform of the statistics; None: not stated.
        path: A norm_stats.json of our layout, or a mapping (YAML) that names the entries of the
            checkpoint's unnamed statistics; None: the entries are the platform's, in its order.

    Returns:
        Statistics by platform name; empty if nothing was stated.

    Raises:
        ConfigError: They do not fit the platform, or something is not stated.
        CheckpointError: The file is broken.
    """
    if platform is None:
        if path is None:
            return {}
        if path.suffix != ".json":
            raise ConfigError(str(path), "wanted --platform, whose statistics these are")
        return read_norm_stats(path)
    if path is not None and path.suffix == ".json" and not _is_mapping(read_mapping(path)):
        found = read_norm_stats(path)
        if platform.name not in found:
            known = ", ".join(found) or "none"
            raise ConfigError(
                str(path), f"wanted statistics of '{platform.name}', found those of: {known}"
            )
        stats, where = found[platform.name], str(path)
    elif path is not None:
        mapping = load_yaml(path, StatsMapping)
        where = str(path)
        unnamed = select_stats(contents.unnamed_stats, mapping.statistics, where)
        stats = name_entries(unnamed, mapping.dimensions, where)
    elif contents.unnamed_stats:
        where = f"--platform {platform.name}"
        meanings = [EntryMeaning(d.name, str(d.unit)) for d in platform.dimensions]
        stats = name_entries(select_stats(contents.unnamed_stats, "", where), meanings, where)
    else:
        return {}
    if difference := stats.difference(platform.names, units_of(platform)):
        raise ConfigError(
            where,
            f"{platform.name}: {difference}; weights know one order of entries, so write a "
            "platform file with theirs",
        )
    return {platform.name: stats}


def _is_mapping(content: dict[str, Any]) -> bool:
    """Check whether a JSON file is a StatsMapping rather than a norm_stats.json."""
    return isinstance(content.get("dimensions"), list)
