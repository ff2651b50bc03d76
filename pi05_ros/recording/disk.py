"""The disk space that a recording keeps free."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.errors import Pi05Error

_MOST_KEPT = 2_000_000_000  # [byte]
_SHARE_KEPT = 0.05
_ROOM_TO_START = 1.5  # Multiple of the space that is kept free.


@dataclass(frozen=True)
class DiskSpace:
    """Space on the disk of a folder [byte]."""

    free: int  # Available to this user.
    total: int

    @property
    def kept(self) -> int:
        """Space that a recording keeps free: 2 GB, or 5 % of a small disk [byte]."""
        return min(_MOST_KEPT, int(_SHARE_KEPT * self.total))

    @property
    def problem(self) -> str:
        """Reason why recording must end, one clause; empty: it may go on."""
        return self._less_than(self.kept, "kept free")

    @property
    def problem_at_start(self) -> str:
        """Reason why no episode may begin; some space is required, or it would end at once."""
        return self._less_than(int(_ROOM_TO_START * self.kept), "needed to start")

    def _less_than(self, wanted: int, why: str) -> str:
        if self.free > wanted:
            return ""
        return f"the disk is full: {in_bytes(self.free)} are free, {in_bytes(wanted)} are {why}"


DiskProbe = Callable[[Path], DiskSpace]


def disk_space(folder: Path) -> DiskSpace:
    """Query the space on the disk of `folder`, or of its nearest parent that exists.

    Raises:
        Pi05Error: The query fails.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        found = os.statvfs(folder)
    except OSError as error:
        raise Pi05Error(f"the space on the disk of {folder} cannot be read: {error}") from error
    return DiskSpace(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def folder_problem(folder: Path) -> str:
    """Reason why a folder cannot be made or written to, one clause; empty: it can."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return f"'{there}' is no folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"'{there}' is not writable"
    return ""


def in_bytes(size: float) -> str:
    """Format a size with its unit: "1.9 GB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
