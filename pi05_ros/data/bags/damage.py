"""Detection of damage in a bag that was closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pi05_ros.data.bags import metadata as bag_metadata
from pi05_ros.data.bags.facts import BagError
from pi05_ros.data.bags.mcap_source import McapSource
from pi05_ros.data.bags.metadata import BrokenMetadataError
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.bags.verification import verify

Progress = Callable[[int, int], None]  # bytes read, bytes in all


def is_damaged(folder: Path, progress: Progress) -> bool:
    """Check whether a file of a closed bag, or its metadata.yaml, is damaged.

    Args:
        folder: The bag's folder.
        progress: Called with the bytes read and the bytes in all.

    Raises:
        BagError: A file is missing, or damaged and of a kind that cannot be repaired here.
    """
    try:
        metadata = bag_metadata.read(folder)
    except BrokenMetadataError:
        return True
    if metadata.storage != "mcap" or metadata.compression_mode:
        _read_through(folder)
        return False
    parts = [folder / file.name for file in metadata.files]
    for part in parts:
        if not part.exists():
            raise BagError(f"{folder}: {part.name} of the bag is missing: copy it again")
    done, total = 0, sum(part.stat().st_size for part in parts)
    for part in parts:
        before = done

        def advance(read: int, before: int = before) -> None:
            progress(before + read, total)

        if not _is_readable(part, advance):
            return True
        done += part.stat().st_size
    return False


def _is_readable(part: Path, advance: Callable[[int], None]) -> bool:
    """Check whether every message of a file can be read, ours or another recorder's."""
    try:
        verify(part, deep=True, progress=advance)
        return True
    except BagError:
        pass  # Another recorder's file may lack what ours have and still be readable.
    try:
        source = McapSource(part)
        try:
            for _ in source.messages(None, None, None):
                pass
        finally:
            source.close()
    except BagError:
        return False
    return True


def _read_through(folder: Path) -> None:
    """Read every message of a bag of a kind that cannot be repaired here."""
    try:
        with BagReader(folder) as reader:
            for _ in reader.messages():
                pass
    except BagError as error:
        raise BagError(
            f"{error}; only MCAP files that are not compressed as a whole are repaired here: copy "
            "it again, or try `ros2 bag reindex`"
        ) from error
