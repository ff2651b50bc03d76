"""JSON files and folders of a checkpoint; folders are written atomically."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pi05_ros.errors import Pi05Error

MAX_JSON_BYTES = 100_000_000  # PaliGemma's tokenizer.json, the largest by far, has 35 MB.


class CheckpointError(Pi05Error):
    """A checkpoint that cannot be used.

    Args:
        path: The file or folder.
        problem: As one clause.
    """

    def __init__(self, path: Path | str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}")


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Convert OSError within the block to CheckpointError.

    Args:
        path: Path of the message, if the OSError has none.

    Raises:
        CheckpointError: In place of any OSError.
    """
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            error.filename or path, f"cannot be read ({error.strerror or error})"
        ) from error


def existing_file(path: Path) -> Path:
    """Return `path` after checking that it is a regular file. Links are followed.

    Raises:
        CheckpointError: It is missing, a folder, a pipe or a dangling link, or not accessible.
    """
    with readable(path):
        if path.is_file():
            return path
        if path.is_symlink() and not path.exists():
            raise CheckpointError(path, f"is a link to {os.readlink(path)}, which is not there")
        if path.exists():
            raise CheckpointError(path, "is no regular file")
        beside = ", ".join(sorted(other.name for other in path.parent.glob("*"))) or "nothing"
    raise CheckpointError(path.parent, f"{path.name} is missing (found: {beside})")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        CheckpointError: It is missing, too large, no JSON, or not accessible.
    """
    size = existing_file(path).stat().st_size
    if size > MAX_JSON_BYTES:
        raise CheckpointError(path, f"has {size} bytes; wanted at most {MAX_JSON_BYTES}")
    try:
        with readable(path):
            return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(path, f"is no JSON ({error})") from error


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a JSON file that contains an object.

    Raises:
        CheckpointError: It contains something else, or see `read_json`.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise CheckpointError(path, f"wanted a JSON object, found a {type(content).__name__}")
    return content


def write_json(path: Path, content: Any) -> None:
    """Write an indented JSON file."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `target` at the end, or removed on an exception.

    All files are synced to the disk before the rename. A killed process leaves a hidden folder
    `.NAME.*.unfinished`, which is never read.

    Raises:
        CheckpointError: `target` exists and is not empty, or it cannot be written completely.
    """
    try:
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise CheckpointError(target, "is already there; write into another folder")
        if target.is_dir() and any(target.iterdir()):
            first = min(path.name for path in target.iterdir())
            raise CheckpointError(target, f"is not empty ({first}); write into another folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(".unfinished", f".{target.name}.", target.parent))
    except OSError as error:
        raise CheckpointError(target, f"cannot be written ({error.strerror})") from error
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        for path in (*temporary.rglob("*"), temporary):
            sync(path)
        temporary.rename(target)
        sync(target.parent)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise CheckpointError(target, f"cannot be written ({error})") from error
        raise


def sync(path: Path) -> None:
    """Sync a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    """Return the process's umask, which can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
