"""The mark of a bag that is not whole, and the space that is kept for its end."""

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
    """INCOMPLETE in a bag's folder, held by a lock for as long as this process works on it.

    The lock goes with the process, however it ends. So a mark without a lock is one that
    somebody left behind, and a mark with a lock means: hands off.

    Args:
        folder: Of the bag; it must exist.

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
            self.leave()
            raise BagError(
                f"{folder} is being recorded or mended by another process: wait until it is done"
            ) from error
        except OSError:
            self.leave()
            raise

    def remove(self) -> None:
        """The bag is whole."""
        self._path.unlink()
        sync_folder(self._path.parent)
        self.leave()

    def leave(self) -> None:
        """Lets go of the bag; the mark stays where it is."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def is_marked(folder: Path) -> bool:
    """Whether the bag was not closed, or not yet."""
    return (folder / MARK).exists()


def is_in_work(folder: Path) -> bool:
    """Whether a living process records or mends the bag."""
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
    """Disk space that is given back when the disk is full, so that the bag can be closed.

    The blocks of metadata.yaml are reserved in its temporary file, which is written over. The
    summary's are in a file of its own, which is deleted to make room.

    Args:
        folder: Of the bag.
        size: For the summary, in bytes; on a nearly full disk less is kept.
        metadata_size: For metadata.yaml, in bytes.
    """

    def __init__(self, folder: Path, size: int, metadata_size: int) -> None:
        self._path = folder / _RESERVE
        self._metadata = folder / f"{FILE}.tmp"
        self.size = 0  # bytes kept for the summary
        _allocate(self._metadata, metadata_size)
        self.grow(size)

    def grow(self, size: int) -> None:
        """Keeps this much for the summary, or as much as there is."""
        while size > max(self.size, _LEAST_RESERVE - 1):
            if _allocate(self._path, size):
                self.size = size
                return
            size //= 2

    def free(self) -> None:
        """Makes room for the summary."""
        self._path.unlink(missing_ok=True)
        self.size = 0

    @staticmethod
    def clear(folder: Path) -> None:
        """Removes what a process that was killed had reserved."""
        (folder / _RESERVE).unlink(missing_ok=True)
        (folder / f"{FILE}.tmp").unlink(missing_ok=True)


def _allocate(path: Path, size: int) -> bool:
    """Takes blocks for a file; False: the disk has no more, or cannot."""
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
