"""Which bags a person means: by path, or by their number in the table of `bags list`."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.errors import ConfigError

DEFAULT_FOLDER = Path("bags")  # Where the recorder writes when it is not told otherwise.


def is_bag(path: Path) -> bool:
    """Whether a folder looks like a bag, whole or not."""
    return path.is_dir() and any(
        below.name == "metadata.yaml" or below.suffix in (".mcap", ".db3")
        for below in path.iterdir()
    )


def bags_below(path: Path) -> list[Path]:
    """A path's bags by name: itself, when it is one or no folder; else those directly in it."""
    if not path.is_dir() or is_bag(path):
        return [path]
    return sorted(below for below in path.iterdir() if is_bag(below))


def bag_of(text: str, folder: Path = DEFAULT_FOLDER) -> Path:
    """The bag that is meant by a path, by its name in `folder`, or by its number from 1 there.

    Raises:
        ConfigError: There is no such bag.
    """
    for path in (Path(text), folder / text):
        if path.exists():
            return path
    found = bags_below(folder) if folder.is_dir() else []
    if text.isdigit() and 1 <= int(text) <= len(found):
        return found[int(text) - 1]
    valid = f"numbers 1 to {len(found)}" if found else "there are none"
    raise ConfigError(f"bag '{text}'", f"neither a path nor a bag in {folder} ({valid})")
