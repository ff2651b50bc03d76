"""manifest.json: every file of a checkpoint with its size and its SHA-256.

    {"format": "pi05_ros-manifest-1", "files": {"config.json": {"size": 731, "sha256": "…"}, …}}

A folder without it is not a checkpoint. It is written last, so a folder that has one is complete.
Sizes are always checked. Hashes are checked by default: a thread computes them while the weights
are loaded, so that the disk is read once and a second core is used.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.checkpoints.storage.files import (
    CheckpointError,
    existing_file,
    read_json,
    readable,
    write_json,
)
from pi05_ros.foundation.strict_yaml import from_mapping

MANIFEST = "manifest.json"
FORMAT = "pi05_ros-manifest-1"
_BLOCK = 4 << 20  # Bytes hashed at a time.


@dataclass(frozen=True)
class FileRecord:
    """Size and hash of one file."""

    size: int  # [byte]
    sha256: str  # 64 lower-case hexadecimal digits.

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"size {self.size} is below 0")
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"sha256 '{self.sha256}' is not 64 hexadecimal digits")


def sha256_of(path: Path, stop: threading.Event | None = None) -> str:
    """SHA-256 of a file, 64 hexadecimal digits; incomplete if `stop` gets set."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while (block := file.read(_BLOCK)) and not (stop and stop.is_set()):
            digest.update(block)
    return digest.hexdigest()


def write_manifest(folder: Path) -> None:
    """Write the manifest of all files in `folder`. To be called last."""
    paths = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    files = {path.name: {"size": path.stat().st_size, "sha256": sha256_of(path)} for path in paths}
    write_json(folder / MANIFEST, {"format": FORMAT, "files": files})


def read_manifest(folder: Path) -> dict[str, FileRecord]:
    """Read the manifest; `ManifestCheck` compares the files with it.

    Raises:
        CheckpointError: There is no manifest, or it names a file outside the folder.
        ConfigError: A record of the manifest is not valid.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise CheckpointError(
            path,
            "is missing: this checkpoint was never finished, or was put together by hand; "
            "write it with `./pi05 checkpoint convert`, or copy the whole folder again",
        )
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(path, f"wanted an object of format '{FORMAT}'")
    if not isinstance(content.get("files"), dict):
        raise CheckpointError(path, "wanted 'files', a mapping from names to sizes and hashes")
    records = {
        name: from_mapping(FileRecord, record, f"{path}: {name}")
        for name, record in content["files"].items()
    }
    for name in records:
        check_name(name, path)
    return records


def check_name(name: str, source: Path) -> None:
    """Raise CheckpointError if a file name from `source` could be outside of its folder."""
    if not name or name != Path(name).name or name in (".", "..") or "\\" in name or "\0" in name:
        raise CheckpointError(source, f"names the file {name!r}; wanted one in the same folder")


class ManifestCheck:
    """Compares the files with the manifest: sizes at once, hashes in the background.

    Args:
        folder: The checkpoint.
        records: Its manifest.
        hashes: Whether to compare SHA-256, too.

    Raises:
        CheckpointError: A file is missing, or has another size.
    """

    def __init__(self, folder: Path, records: Mapping[str, FileRecord], hashes: bool) -> None:
        for name, record in records.items():
            size = existing_file(folder / name).stat().st_size
            if size != record.size:
                raise CheckpointError(
                    folder / name,
                    f"wanted {record.size} bytes ({MANIFEST}), found {size}; copy it again",
                )
        # One thread, which reads the same file as the loading; more would make a disk seek.
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sha256")
        self._wanted = {folder / n: r.sha256 for n, r in records.items()} if hashes else {}
        self._stop = threading.Event()
        self._found = {p: self._pool.submit(sha256_of, p, self._stop) for p in self._wanted}

    def finish(self) -> None:
        """Wait for the hashes and compare them.

        Raises:
            CheckpointError: A file differs from the manifest.
        """
        for path, future in self._found.items():
            with readable(path):
                found = future.result()
            if found != self._wanted[path]:
                raise CheckpointError(
                    path,
                    f"was changed after it was written: wanted SHA-256 {self._wanted[path]} "
                    f"({MANIFEST}), found {found}; copy it again",
                )

    def close(self) -> None:
        """Stop the thread and cancel pending hashes."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
