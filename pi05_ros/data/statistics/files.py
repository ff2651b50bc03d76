"""Statistics on disk: a shard's, to be merged later, and a checkpoint's norm_stats.json."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from pi05_ros.data.filters.counts import FilterCounts
from pi05_ros.data.filters.episode_filter import EpisodeFilter
from pi05_ros.data.statistics.robot import Layout, RobotStatistics, StatisticsError
from pi05_ros.data.statistics.vectors import VectorStatistics
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.strict_yaml import from_mapping
from pi05_ros.model.normalization import NormStats

_FORMAT = "pi05_ros-statistics-2"
_VECTORS = ("states", "actions", "relative")


def save_statistics(path: Path, statistics: RobotStatistics) -> None:
    """Write statistics with their sketches (.npz), atomically.

    Raises:
        StatisticsError: The file cannot be written; the previous file is unchanged.
    """
    with _replacing(path) as file:
        file.write(to_bytes(statistics))


def load_statistics(path: Path) -> RobotStatistics:
    """The inverse of `save_statistics`.

    Raises:
        StatisticsError: There is no such file, or it was not written by `save_statistics`.
    """
    try:
        return from_bytes(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StatisticsError(f"{path}: wanted statistics ({_FORMAT}), found {error}") from error


def to_bytes(statistics: RobotStatistics) -> bytes:
    """Serialize statistics as an .npz file."""
    header = {
        "format": _FORMAT,
        "layout": asdict(statistics.layout),
        "filter": asdict(statistics.episode_filter),
        "counts": statistics.counts.to_json(),
    }
    arrays = {"header": np.array(json.dumps(header))}
    for kind in _VECTORS:
        for name, array in getattr(statistics, kind).to_arrays().items():
            arrays[f"{kind}.{name}"] = array
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def from_bytes(data: bytes) -> RobotStatistics:
    """The inverse of `to_bytes`.

    Raises:
        ValueError: The bytes are not statistics.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = dict(file)
        header = json.loads(str(arrays["header"]))
        if header["format"] != _FORMAT:
            raise ValueError(f"format {header['format']!r}")
        found = RobotStatistics(
            from_mapping(Layout, header["layout"], "layout"),
            from_mapping(EpisodeFilter, header["filter"], "filter"),
            FilterCounts.from_json(header["counts"]),
        )
        sizes = (
            len(part) for part in (found.layout.names, found.layout.actions, found.layout.shared)
        )
        for kind, size in zip(_VECTORS, sizes, strict=True):
            begin = f"{kind}."
            own = {k.removeprefix(begin): v for k, v in arrays.items() if k.startswith(begin)}
            vectors = VectorStatistics.from_arrays(own)
            if len(vectors.spread.count) != size:
                raise ValueError(f"{kind} of {len(vectors.spread.count)} entries")
            setattr(found, kind, vectors)
    except (OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile, ConfigError) as error:
        raise ValueError(f"something else ({error})") from error
    return found


def write_norm_stats(path: Path, norm_stats: Mapping[str, NormStats]) -> None:
    """Write a checkpoint's norm_stats.json, keyed by platform name, atomically."""
    write_json(path, {name: asdict(stats) for name, stats in norm_stats.items()})


def read_norm_stats(path: Path) -> dict[str, NormStats]:
    """The inverse of `write_norm_stats`; checkpoints/layouts/native reads the same file.

    Raises:
        StatisticsError: There is no such file, or its content is not valid.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StatisticsError(f"{path}: wanted norm_stats.json, found {error}") from error
    if not isinstance(content, dict):
        raise StatisticsError(f"{path}: wanted statistics by platform name, found no mapping")
    try:
        return {k: from_mapping(NormStats, v, f"{path}: {k}") for k, v in content.items()}
    except ConfigError as error:
        raise StatisticsError(str(error)) from error


def write_json(path: Path, content: Any) -> None:
    """Write indented JSON, atomically.

    Raises:
        StatisticsError: The file cannot be written; the previous file is unchanged.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with _replacing(path) as file:
        file.write(text.encode())


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces `path` when the block succeeds."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                os.chmod(file.name, 0o644)
                os.replace(file.name, path)
            finally:
                Path(file.name).unlink(missing_ok=True)
    except OSError as error:
        raise StatisticsError(f"{path} cannot be written ({error.strerror})") from error
