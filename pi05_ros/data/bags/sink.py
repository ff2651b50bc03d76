"""Unbuffered file writing: data that was written survives the process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_MOST_BUFFERS = 1024  # IOV_MAX of Linux


class FileSink:
    """Appends to a new file with `writev`, without a buffer: kill -9 loses nothing written.

    Args:
        path: The file; it must not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o644)
        self._position = 0

    def tell(self) -> int:
        """Number of bytes in the file."""
        return self._position

    def write(self, *buffers: bytes) -> None:
        """Append all buffers, or truncate the file to its previous size.

        Raises:
            OSError: The disk is full or failed; the file is as before the call.
        """
        before = self._position
        try:
            self._write(buffers)
        except OSError:
            self.truncate(before)
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

    def truncate(self, size: int) -> None:
        """Shorten the file to `size` bytes."""
        os.ftruncate(self._descriptor, size)
        os.lseek(self._descriptor, size, os.SEEK_SET)
        self._position = size

    def sync(self) -> None:
        """Wait until the data is on the disk. May be called from another thread."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the folder's entries are on the disk; syncing a file does not sync its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str) -> None:
    """Replace a file atomically: a reader finds the old text or the new one.

    An existing PATH.tmp is overwritten, not created anew: its blocks may be a reserve.

    Raises:
        OSError: The disk is full or failed; the old file is unchanged.
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
