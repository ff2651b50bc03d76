"""What a crash left: found when the recorder starts, and mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pi05_ros.data.bags.recovery import needs_recovery, recover
from pi05_ros.errors import Pi05Error


def recover_leftovers(
    folder: Path, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[bool, str]]:
    """Mends every bag in a folder that was not closed and that nobody is writing.

    Args:
        folder: Where the bags lie; it need not exist.
        stop: Whether to leave the rest for another time; asked before each bag.

    Yields:
        For each bag: whether it could be mended, and what happened, one sentence.
    """
    if not folder.is_dir():
        return
    for bag in sorted(path for path in folder.iterdir() if path.is_dir()):
        if stop():
            return
        try:
            if not needs_recovery(bag):
                continue
            found = recover(bag)
        except (Pi05Error, OSError) as error:
            yield False, f"episode {bag.name} was cut off and cannot be recovered: {error}"
            continue
        yield True, f"episode {bag.name} was cut off; {found.messages} messages are recovered"
