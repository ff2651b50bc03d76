"""A cache folder of bounded size.

An entry is a folder, named after the fingerprint of its source. Files appear in it atomically:
they are written to a temporary file and renamed, so that two processes may write the same one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pi05_ros.errors import ConfigError, Pi05Error

DEFAULT_LIMIT_GB = 100.0
_USED = "used"  # File whose modification time is that of the entry's last use.
_TEMPORARY = ".tmp-"
_LOCK = ".lock"
_FORGOTTEN = 86_400.0  # Age at which an unfinished temporary file is removed [s].


class CacheError(Pi05Error):
    """The cache folder cannot be used."""


def default_folder() -> Path:
    """Return PI05_CACHE, or pi05_ros in the user's cache folder (XDG)."""
    value = os.environ.get("PI05_CACHE", "")
    if value:
        return Path(value)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "pi05_ros")


def default_limit() -> int:
    """Return PI05_CACHE_GB, or 100 GB [byte].

    Raises:
        ConfigError: PI05_CACHE_GB is not a number above 0.
    """
    value = os.environ.get("PI05_CACHE_GB", "") or str(DEFAULT_LIMIT_GB)
    try:
        gigabytes = float(value)
    except ValueError:
        gigabytes = 0.0
    if not gigabytes > 0:
        raise ConfigError("PI05_CACHE_GB", f"wanted gigabytes above 0, found {value!r}")
    return int(gigabytes * 1e9)


@dataclass(frozen=True)
class CacheFolder:
    """A cache folder. It can be pickled, and used by many threads and processes."""

    folder: Path = field(default_factory=default_folder)
    limit_bytes: int = field(default_factory=default_limit)

    def entry(self, key: str) -> Path:
        """Return an entry's folder, created if necessary, and update its time of last use.

        Raises:
            CacheError: The folder cannot be written.
        """
        folder = self.folder / key
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _USED).touch()
        except OSError as error:
            raise CacheError(
                f"the cache {self.folder} cannot be written ({error.strerror}); choose another "
                "folder with PI05_CACHE"
            ) from error
        return folder

    def read(self, key: str, name: str) -> bytes | None:
        """Read a file of an entry; None: there is none."""
        try:
            data = (self.folder / key / name).read_bytes()
        except OSError:
            return None
        with suppress(CacheError):  # A read-only cache.
            self.entry(key)
        return data

    def write(self, key: str, name: str, data: bytes) -> None:
        """Write a file of an entry.

        Raises:
            CacheError: The file cannot be written.
        """
        with self.replacing(key, name) as path:
            path.write_bytes(data)

    @contextmanager
    def replacing(self, key: str, name: str) -> Iterator[Path]:
        """Return a temporary path that becomes the entry's file when the block succeeds.

        Raises:
            CacheError: The file cannot be written: the disk may be full.
        """
        target = self.entry(key) / name
        path = target.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        try:
            yield path
            os.replace(path, target)
        except OSError as error:
            raise CacheError(
                f"the cache {self.folder} cannot be written ({error.strerror or error}); free "
                "disk space, or choose another folder with PI05_CACHE"
            ) from error
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def exclusive(self, key: str, name: str) -> Iterator[None]:
        """Hold the lock of a file; meanwhile its entry is not removed.

        The lock only avoids duplicate work: files written concurrently are whole all the same.
        """
        with open(self.entry(key) / f"{name}{_LOCK}", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def make_room(self, needed: int, keep: Collection[str] = ()) -> None:
        """Remove the least recently used entries until `needed` more bytes fit.

        A process that still has a removed file open can go on reading it.

        Args:
            needed: Bytes to be written.
            keep: Keys of entries that are not removed.

        Raises:
            CacheError: The bytes do not fit even then.
        """
        entries = sorted(self._entries(), key=lambda entry: entry[0])
        used = sum(size for _, size, _ in entries)
        for _, size, folder in entries:
            if used + needed <= self.limit_bytes:
                return
            if folder.name not in keep and not _is_locked(folder):
                shutil.rmtree(folder, ignore_errors=True)
                used -= size
        if used + needed > self.limit_bytes:
            raise CacheError(
                f"the cache {self.folder} may hold {self.limit_bytes / 1e9:.1f} GB, and "
                f"{(used + needed) / 1e9:.1f} GB are wanted at once; allow more with "
                "PI05_CACHE_GB, or read fewer episodes or cameras"
            )

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Yield last use, bytes and folder of each entry; remove abandoned temporary files."""
        if not self.folder.is_dir():
            return
        now = time.time()
        for folder in self.folder.iterdir():
            if not (folder / _USED).exists():
                continue  # Not ours.
            size, used = 0, 0.0
            for path in folder.iterdir():
                try:
                    status = path.stat()
                    if path.name.startswith(_TEMPORARY) and now - status.st_mtime > _FORGOTTEN:
                        path.unlink()
                        continue
                except OSError:
                    continue  # Another process has just removed or renamed it.
                size += status.st_size
                used = status.st_mtime if path.name == _USED else used
            yield used, size, folder


def _is_locked(folder: Path) -> bool:
    """Check whether a process holds a lock in an entry."""
    for path in folder.glob(f"*{_LOCK}"):
        with suppress(OSError), open(path, "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False
