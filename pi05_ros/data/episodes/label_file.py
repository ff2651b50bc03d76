"""Labels that a person gave a recorded episode afterwards: labels.json in the bag's folder.

They replace the subtasks of the recording wherever the episode is read; the bag's own files stay
as they are. docs/labelling.md describes the format.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.metadata import FILE as METADATA
from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.data.episodes.label_spans import LabelFile, from_json, to_json

FILE = "labels.json"
_MAX_BYTES = 16 << 20  # A longer file is not ours.


class LabelFileError(BagError):
    """A labels.json cannot be used: which file, what is wrong with it, and what to do."""


class LabelConflictError(LabelFileError):
    """A labels.json was changed by someone else since it was read."""


def recording_key(facts: EpisodeFacts) -> str:
    """Hash by which labels recognise their recording.

    It is made of the id and the start of the recording, which copying, grading and recovering a
    bag leave as they are.
    """
    text = json.dumps([facts.id, facts.started_ns])
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def folder_of(bag: Path) -> Path | None:
    """The folder of a bag that is named by its folder or by one of its files.

    None: a file that is in no bag's folder; others beside it may be of other recordings.
    """
    if bag.is_dir():
        return bag
    return bag.parent if (bag.parent / METADATA).exists() else None


def digest_of(folder: Path) -> str:
    """Hash of a folder's labels.json, its version for `save`; "": there is none.

    Raises:
        LabelFileError: The file cannot be read.
    """
    return _digest(_bytes(folder))


def read(folder: Path | None, facts: EpisodeFacts) -> tuple[LabelFile | None, str]:
    """Read the labels of an episode.

    Args:
        folder: The bag's folder; None: it has none, and so no labels.
        facts: The facts of its episode.

    Returns:
        The labels, None when there are none, and the hash of their file as `digest_of`.

    Raises:
        LabelFileError: The file is damaged, or of another recording.
    """
    data = _bytes(folder) if folder is not None else None
    if folder is None or data is None:
        return None, ""
    try:
        labels = from_json(data.decode("utf-8"))
    except (ValueError, TypeError) as error:
        raise LabelFileError(
            f"{folder / FILE} is no valid file of labels: {error}; repair it, or remove it with "
            f"`./pi05 bags label {folder} --clear`"
        ) from error
    if labels.recording != recording_key(facts):
        raise LabelFileError(
            f"{folder / FILE} is of another recording: wanted labels of {facts.id}, found those "
            f"of {labels.episode}; remove it with `./pi05 bags label {folder} --clear`"
        )
    return labels, _digest(data)


def save(folder: Path, labels: LabelFile, known: str) -> str:
    """Write the labels of an episode atomically.

    Args:
        folder: The bag's folder.
        labels: The labels.
        known: Hash of the file that the writer last saw, as `digest_of`; "": no file.

    Returns:
        The hash of the new file.

    Raises:
        LabelConflictError: Another file is there than the known one; nothing was written.
        LabelFileError: The folder cannot be written.
    """
    text = to_json(labels)
    with _locked(folder):
        if digest_of(folder) != known:
            raise LabelConflictError(
                f"{folder / FILE} was changed by someone else meanwhile: read it again, then "
                "repeat the last change"
            )
        try:
            write_atomically(folder / FILE, text)
        except OSError as error:
            raise LabelFileError(
                f"{folder / FILE} could not be written ({error.strerror})"
            ) from error
    return _digest(text.encode("utf-8"))


def clear(folder: Path) -> bool:
    """Remove a folder's labels.json, whatever it holds; True: there was one.

    Raises:
        LabelFileError: The folder cannot be written.
    """
    with _locked(folder):
        try:
            (folder / FILE).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise LabelFileError(
                f"{folder / FILE} could not be removed ({error.strerror})"
            ) from error
    return True


def _bytes(folder: Path) -> bytes | None:
    if (folder / FILE).exists() and not (folder / FILE).is_file():
        raise LabelFileError(f"{folder / FILE} is no file; remove it")
    try:
        with (folder / FILE).open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LabelFileError(f"{folder / FILE} cannot be read ({error.strerror})") from error
    if len(data) > _MAX_BYTES:
        raise LabelFileError(f"{folder / FILE} has more than {_MAX_BYTES >> 20} MiB: not labels")
    return data


def _digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.blake2b(data, digest_size=16).hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a bag's labels: two writers must not both find the known file."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise LabelFileError(f"{folder} cannot be opened ({error.strerror})") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
