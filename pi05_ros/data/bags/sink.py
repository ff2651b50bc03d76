"""A file that is written without a buffer of ours: what was written survives the process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_MOST_BUFFERS = 1024  # IOV_MAX of Linux


class FileSink:
    """Appends to a new file by `writev`. Not in Python's hands for a moment: kill -9 loses none.

    Args:
        path: The file; it must not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o644)
        self._position = 0

    def tell(self) -> int:
        """Bytes in the file."""
        return self._position

    def write(self, *buffers: bytes) -> None:
        """Appends all of them, or cuts the file back to where it was.

        Raises:
            OSError: The disk is full or broken; the file is as before the call.
        """
        before = self._position
        try:
            self._write(buffers)
        except OSError:
            self.cut(before)
            raise

    def _write(self, buffers: Sequence[bytes]) -> None:
        left = [memoryview(buffer) for buffer in buffers if len(buffer)]
        while left:
            done = os.writev(self._descriptor, left[:_MOST_BUFFERS])
            self._position += done
            while left and done >= len(left[0]):
                done -= len(left.pop(0))
            if done:
                left[0] = left[0][done:]

    def cut(self, size: int) -> None:
        """Shortens the file to `size` bytes."""
        os.ftruncate(self._descriptor, size)
        os.lseek(self._descriptor, size, os.SEEK_SET)
        self._position = size

    def sync(self) -> None:
        """Returns when the data is on the disk. May be called from another thread."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Returns when the folder's entries are on the disk: a file's name is not its data."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str) -> None:
    """Replaces a file as a whole: whoever reads finds the old text or the new one.

    A file PATH.tmp that exists is written over, not made new: its blocks may be a reserve.

    Raises:
        OSError: The disk is full or broken; the old file is as it was.
    """
    beside = path.with_name(path.name + ".tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        data = memoryview(text.encode("utf-8"))
        size = len(data)
        while data:
            data = data[os.write(descriptor, data) :]
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(beside, path)
    sync_folder(path.parent)
