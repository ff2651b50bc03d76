"""Files of a checkpoint: JSON, folders that appear whole or not at all, and their error."""

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
    """A checkpoint cannot be used.

    Args:
        path: The file or folder.
        problem: What is wrong there, as one clause.
    """

    def __init__(self, path: Path | str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}")


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Says what the system refuses within the block: no permission, too long a name, a bad disk.

    Args:
        path: What is being read, where the system does not say it.

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
    """`path`, after a look that a regular file is there. Links are followed.

    Raises:
        CheckpointError: It is missing, is a folder, a pipe, or a link that leads nowhere, or may
            not be looked at.
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
    """What a JSON file says.

    Raises:
        CheckpointError: It is missing, too large or no JSON, or may not be read.
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
    """What a JSON file says, which has to be an object.

    Raises:
        CheckpointError: It is not.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise CheckpointError(path, f"wanted a JSON object, found a {type(content).__name__}")
    return content


def write_json(path: Path, content: Any) -> None:
    """Writes a file that people read, too."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `target` at the end, and vanishes on any exception.

    All files are on the disk before the name appears. A process that is killed outright leaves a
    hidden folder `.NAME.*.unfinished`, which nothing reads.

    Raises:
        CheckpointError: `target` is there already and not empty, or cannot be written, or the disk
            is full before all of it is.
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
            _sync(path)
        temporary.rename(target)
        _sync(target.parent)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise CheckpointError(target, f"cannot be written ({error})") from error
        raise


def _sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    """The process's umask, which can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
