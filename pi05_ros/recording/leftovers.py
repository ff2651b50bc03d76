"""Recovery, at the recorder's start, of the bags that a crash left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pi05_ros.data.bags.recovery import needs_recovery, recover
from pi05_ros.errors import Pi05Error


def recover_leftovers(
    folder: Path, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[bool, str]]:
    """Recover every bag in a folder that was not closed and that no process is writing.

    Args:
        folder: Folder of the bags; it need not exist.
        stop: Returns whether to stop; called before each bag.

    Yields:
        For each bag: whether it could be recovered, and the result, one sentence.
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
