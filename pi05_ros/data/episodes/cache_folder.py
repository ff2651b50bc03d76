"""Files that can be made again, in a folder of bounded size.

An entry is a folder, named after what it was made of. Files come into it whole: they are written
beside their place and renamed, so that two processes may make the same one.
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
_USED = "used"  # Its modification time says when the entry was used last.
_TEMPORARY = ".tmp-"
_LOCK = ".lock"
_FORGOTTEN = 86_400.0  # A temporary file that nobody finished for so long [s].


class CacheError(Pi05Error):
    """The cache's folder cannot be used."""


def default_folder() -> Path:
    """PI05_CACHE, else pi05_ros in the user's cache folder (XDG)."""
    said = os.environ.get("PI05_CACHE", "")
    if said:
        return Path(said)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "pi05_ros")


def default_limit() -> int:
    """PI05_CACHE_GB, else 100 GB [byte].

    Raises:
        ConfigError: It is no number above 0.
    """
    said = os.environ.get("PI05_CACHE_GB", "") or str(DEFAULT_LIMIT_GB)
    try:
        gigabytes = float(said)
    except ValueError:
        gigabytes = 0.0
    if not gigabytes > 0:
        raise ConfigError("PI05_CACHE_GB", f"wanted gigabytes above 0, found {said!r}")
    return int(gigabytes * 1e9)


@dataclass(frozen=True)
class CacheFolder:
    """One cache. It can be pickled, and used by many threads and processes."""

    folder: Path = field(default_factory=default_folder)
    limit_bytes: int = field(default_factory=default_limit)

    def entry(self, key: str) -> Path:
        """The folder of an entry, made if need be, and noted as just used.

        Raises:
            CacheError: It cannot be written.
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
        """A file of an entry; None: there is none."""
        try:
            data = (self.folder / key / name).read_bytes()
        except OSError:
            return None
        with suppress(CacheError):  # A cache that others made, and that may only be read.
            self.entry(key)
        return data

    def write(self, key: str, name: str, data: bytes) -> None:
        """Puts a file into an entry.

        Raises:
            CacheError: It cannot be written.
        """
        with self.replacing(key, name) as path:
            path.write_bytes(data)

    @contextmanager
    def replacing(self, key: str, name: str) -> Iterator[Path]:
        """A path to write to; what lies there becomes the entry's file when the block ends well.

        Raises:
            CacheError: It cannot be written: the disk may be full.
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
    def alone(self, key: str, name: str) -> Iterator[None]:
        """While the block runs, nobody else is in his own for the same file, and the entry stays.

        It is for saving work: what two write at once comes out whole all the same.
        """
        with open(self.entry(key) / f"{name}{_LOCK}", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def make_room(self, needed: int, keep: Collection[str] = ()) -> None:
        """Removes the entries that were used longest ago until `needed` more bytes fit.

        A process that still has a removed file open goes on reading it.

        Args:
            needed: Bytes that shall be written.
            keep: Entries that stay.

        Raises:
            CacheError: They do not fit, whatever is removed.
        """
        entries = sorted(self._entries(), key=lambda entry: entry[0])
        used = sum(size for _, size, _ in entries)
        for _, size, folder in entries:
            if used + needed <= self.limit_bytes:
                return
            if folder.name not in keep and not _is_in_work(folder):
                shutil.rmtree(folder, ignore_errors=True)
                used -= size
        if used + needed > self.limit_bytes:
            raise CacheError(
                f"the cache {self.folder} may hold {self.limit_bytes / 1e9:.1f} GB, and "
                f"{(used + needed) / 1e9:.1f} GB are wanted at once; allow more with "
                "PI05_CACHE_GB, or read fewer episodes or cameras"
            )

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """When each entry was used last, its bytes, its folder; removes forgotten files."""
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


def _is_in_work(folder: Path) -> bool:
    """Whether somebody holds a lock in an entry."""
    for path in folder.glob(f"*{_LOCK}"):
        with suppress(OSError), open(path, "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False
