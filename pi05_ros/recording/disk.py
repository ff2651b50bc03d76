"""How much of the disk a recording leaves alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.errors import Pi05Error

_MOST_KEPT = 2_000_000_000  # [byte]
_SHARE_KEPT = 0.05
_ROOM_TO_START = 1.5  # Times what is kept.


@dataclass(frozen=True)
class DiskSpace:
    """Space on the disk of a folder [byte]."""

    free: int  # Left for us.
    total: int

    @property
    def kept(self) -> int:
        """What a recording leaves free: 2 GB, or 5 % of a small disk."""
        return min(_MOST_KEPT, int(_SHARE_KEPT * self.total))

    @property
    def problem(self) -> str:
        """Why nothing may be written on, one clause; empty: it may."""
        return self._less_than(self.kept, "left alone")

    @property
    def problem_at_start(self) -> str:
        """Why nothing may be begun. An episode needs some room, or it would end at once."""
        return self._less_than(int(_ROOM_TO_START * self.kept), "needed to begin")

    def _less_than(self, wanted: int, why: str) -> str:
        if self.free > wanted:
            return ""
        return f"the disk is full: {in_bytes(self.free)} are free, {in_bytes(wanted)} are {why}"


DiskProbe = Callable[[Path], DiskSpace]


def disk_space(folder: Path) -> DiskSpace:
    """The space on the disk of `folder`, or of its nearest parent that exists.

    Raises:
        Pi05Error: It cannot be told.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        found = os.statvfs(folder)
    except OSError as error:
        raise Pi05Error(f"the space on the disk of {folder} cannot be told: {error}") from error
    return DiskSpace(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def folder_problem(folder: Path) -> str:
    """Why a folder cannot be made or written into, one clause; empty: it can. Makes nothing."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return f"'{there}' is no folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"'{there}' may not be written into"
    return ""


def in_bytes(size: float) -> str:
    """A size for people: "1.9 GB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
