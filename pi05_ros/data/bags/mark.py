"""The mark of a bag that is not closed, and the disk space reserved for closing it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.metadata import FILE, MARK
from pi05_ros.data.bags.sink import sync_folder

_TEXT = """This bag is being recorded, or its recorder was killed before it could close it.
When no recorder runs any more: ./pi05 bags recover {folder}
"""
_RESERVE = ".reserve"
_LEAST_RESERVE = 16 << 10  # bytes; below that the disk is full already


class IncompleteMark:
    """The file INCOMPLETE in a bag's folder, locked while this process works on the bag.

    The lock ends with the process, however it ends. A mark without a lock was left by a process
    that was killed; a bag whose mark is locked must not be touched.

    Args:
        folder: The bag's folder; it must exist.

    Raises:
        BagError: Another process works on the bag.
        OSError: The mark cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / MARK
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(self._descriptor).st_size:
                os.write(self._descriptor, _TEXT.format(folder=folder).encode())
                os.fsync(self._descriptor)
            sync_folder(folder)
        except BlockingIOError as error:
            self.release()
            raise BagError(
                f"{folder} is being recorded or repaired by another process: wait until it is done"
            ) from error
        except OSError:
            self.release()
            raise

    def remove(self) -> None:
        """Remove the mark of a bag that is whole, and release the lock."""
        self._path.unlink()
        sync_folder(self._path.parent)
        self.release()

    def release(self) -> None:
        """Release the lock; the mark stays in the folder."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def is_marked(folder: Path) -> bool:
    """Check whether a bag is not closed, or not yet."""
    return (folder / MARK).exists()


def is_locked(folder: Path) -> bool:
    """Check whether a running process records or repairs the bag."""
    try:
        descriptor = os.open(folder / MARK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


class Reserve:
    """Disk space that is released on a full disk, so that the bag can be closed.

    The blocks of metadata.yaml are reserved in its temporary file, which is overwritten. Those of
    the summary are in a file of their own, which is deleted to make room.

    Args:
        folder: The bag's folder.
        size: Bytes for the summary; on a nearly full disk fewer are reserved.
        metadata_size: Bytes for metadata.yaml.
    """

    def __init__(self, folder: Path, size: int, metadata_size: int) -> None:
        self._path = folder / _RESERVE
        self._metadata = folder / f"{FILE}.tmp"
        self.size = 0  # bytes reserved for the summary
        _allocate(self._metadata, metadata_size)
        self.grow(size)

    def grow(self, size: int) -> None:
        """Reserve this many bytes for the summary, or as many as the disk has."""
        while size > max(self.size, _LEAST_RESERVE - 1):
            if _allocate(self._path, size):
                self.size = size
                return
            size //= 2

    def free(self) -> None:
        """Release the space for the summary."""
        self._path.unlink(missing_ok=True)
        self.size = 0

    @staticmethod
    def clear(folder: Path) -> None:
        """Remove the reserve of a process that was killed."""
        (folder / _RESERVE).unlink(missing_ok=True)
        (folder / f"{FILE}.tmp").unlink(missing_ok=True)


def _allocate(path: Path, size: int) -> bool:
    """Allocate blocks for a file; False: the disk is full, or cannot allocate."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        return False
    try:
        before = os.fstat(descriptor).st_size
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            os.ftruncate(descriptor, before)
            return False
    finally:
        os.close(descriptor)
    return True
