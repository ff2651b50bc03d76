"""Bags named by path, or by their number in the table of `bags list`."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.data.open import find_bags, is_bag
from pi05_ros.errors import ConfigError

DEFAULT_FOLDER = Path("bags")  # Default folder of the recorder.


def bags_below(path: Path) -> list[Path]:
    """The bags below a folder; of a bag or a path that is no folder, the path itself."""
    if not path.is_dir() or is_bag(path):
        return [path]
    return find_bags(path)


def bag_of(text: str, folder: Path = DEFAULT_FOLDER) -> Path:
    """Find a bag by its path, by its name in `folder`, or by its number from 1 there.

    Raises:
        ConfigError: There is no such bag.
    """
    for path in (Path(text), folder / text):
        if path.exists():
            return path
    found = bags_below(folder) if folder.is_dir() else []
    if text.isdecimal() and 1 <= int(text) <= len(found):
        return found[int(text) - 1]
    valid = f"numbers 1 to {len(found)}" if found else "there are none"
    raise ConfigError(f"bag '{text}'", f"neither a path nor a bag in {folder} ({valid})")
