"""Labels that a person gave a recorded episode afterwards: labels.json in the bag's folder.

They replace the subtasks of the recording wherever the episode is read; the bag's own files stay
as they are. docs/labelling.md describes the format.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from pi05_ros.brain.instructions import text_problem
from pi05_ros.brain.label_text import label_problem
from pi05_ros.data.bags.facts import BagError, EpisodeFacts
from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.data.episodes.episode import SubtaskLabel

FILE = "labels.json"
VERSION = 1
SOURCES = ("human", "model", "external", "implicit")  # Subtask.SOURCE_*.
_MAX_BYTES = 16 << 20  # A longer file is not ours.
_MAX_NAME = 256  # Characters of an author's or a tool's name.


class LabelFileError(BagError):
    """A labels.json cannot be used: which file, what is wrong with it, and what to do."""


class LabelConflictError(LabelFileError):
    """A labels.json was changed by someone else since it was read."""


@dataclass(frozen=True)
class LabelSpan:
    """A subtask from `start_ns` to `stop_ns` (exclusive), on the clock of the rows' times [ns].

    Raises:
        ValueError: The times or the text are not valid.
    """

    start_ns: int
    stop_ns: int
    text: str
    task: str = ""  # "": that of the episode.
    source: str = "human"  # One of SOURCES; that of a recorded subtask that was kept as it was.

    def __post_init__(self) -> None:
        if not 0 <= self.start_ns < self.stop_ns:
            raise ValueError(
                f"a span of {self.start_ns} to {self.stop_ns} ns: wanted a start before its end"
            )
        if problem := label_problem(self.text):
            raise ValueError(f"the text {self.text!r} cannot be a subtask: {problem}")
        if problem := text_problem(self.task):
            raise ValueError(f"the text {self.task!r} cannot be a task: {problem}")
        if self.source not in SOURCES:
            raise ValueError(f"source: wanted one of {', '.join(SOURCES)}, not {self.source!r}")


@dataclass(frozen=True)
class LabelFile:
    """The content of a labels.json.

    Raises:
        ValueError: The spans overlap or are not in the order of time, or a name is too long.
    """

    episode: str  # Id of the episode, for people.
    recording: str  # `recording_key` of its facts: labels of another recording are refused.
    spans: tuple[LabelSpan, ...] = ()
    author: str = ""
    tool: str = ""  # Name and version of the program that wrote the file.
    done_ns: int | None = None  # Time at which the task was finished; None: not marked.

    def __post_init__(self) -> None:
        for before, span in zip(self.spans, self.spans[1:], strict=False):
            if span.start_ns < before.stop_ns:
                raise ValueError(
                    f"'{span.text}' begins before '{before.text}' has ended: spans must not "
                    "overlap, and stand in the order of time"
                )
        for name in (self.author, self.tool):
            if len(name) > _MAX_NAME:
                raise ValueError(f"a name of {len(name)} characters: at most {_MAX_NAME}")
        if self.done_ns is not None and self.done_ns < 0:
            raise ValueError(f"done_ns: wanted a time of 0 or later, not {self.done_ns}")

    def at(self, time_ns: int) -> LabelSpan | None:
        """The span of a time; None: there is none."""
        place = bisect_right(self.spans, time_ns, key=lambda span: span.start_ns) - 1
        if place < 0 or time_ns >= self.spans[place].stop_ns:
            return None
        return self.spans[place]

    def labels(self, times_ns: np.ndarray) -> tuple[SubtaskLabel, ...]:
        """Labels of rows.

        Args:
            times_ns: Time of measurement of each row, (T,) int64 [ns], rising.

        Returns:
            Labels with at least one row, in order.

        Raises:
            LabelFileError: There are spans, and none of them holds a row.
        """
        starts = np.searchsorted(times_ns, [span.start_ns for span in self.spans], side="left")
        stops = np.searchsorted(times_ns, [span.stop_ns for span in self.spans], side="left")
        found = tuple(
            SubtaskLabel(int(start), int(stop), span.text, span.source, span.task)
            for span, start, stop in zip(self.spans, starts, stops, strict=True)
            if start < stop
        )
        if self.spans and not found:
            raise LabelFileError(
                f"none of the {len(self.spans)} spans in the {FILE} of {self.episode} holds one "
                "of its rows: their times are of another clock; label the episode again"
            )
        return found


def recording_key(facts: EpisodeFacts) -> str:
    """Hash by which labels recognise their recording.

    It is made of the id and the start of the recording, which copying, grading and recovering a
    bag leave as they are.
    """
    text = json.dumps([facts.id, facts.started_ns])
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def folder_of(bag: Path) -> Path:
    """The folder of a bag that is named by its folder or by one of its files."""
    return bag if bag.is_dir() else bag.parent


def digest_of(folder: Path) -> str:
    """Hash of a folder's labels.json, its version for `save`; "": there is none.

    Raises:
        LabelFileError: The file cannot be read.
    """
    return _digest(_bytes(folder))


def read(folder: Path, facts: EpisodeFacts) -> tuple[LabelFile | None, str]:
    """Read the labels of an episode.

    Args:
        folder: The bag's folder.
        facts: The facts of its episode.

    Returns:
        The labels, None when there are none, and the hash of their file as `digest_of`.

    Raises:
        LabelFileError: The file is damaged, or of another recording.
    """
    data = _bytes(folder)
    if data is None:
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


def to_json(labels: LabelFile) -> str:
    """Serialize labels, a span a line."""
    head = {"format": "pi05 labels", "version": VERSION, **asdict(labels)}
    spans = [json.dumps(span, ensure_ascii=False) for span in head.pop("spans")]
    body = json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}")
    rows = ",\n    ".join(spans)
    return (
        f'{body},\n  "spans": [\n    {rows}\n  ]\n}}\n'
        if spans
        else f'{body},\n  "spans": []\n}}\n'
    )


def from_json(text: str) -> LabelFile:
    """The inverse of `to_json`; every key must be known and of its type.

    Raises:
        ValueError: The text is no valid file of labels.
    """
    content = json.loads(text)
    if not isinstance(content, dict) or content.get("format") != "pi05 labels":
        raise ValueError('wanted a JSON object with "format": "pi05 labels"')
    if content.get("version") != VERSION:
        raise ValueError(f"version: wanted {VERSION}, found {content.get('version')!r}")
    rest = {key: value for key, value in content.items() if key not in ("format", "version")}
    spans = rest.get("spans")
    if not isinstance(spans, list):
        raise ValueError("spans: wanted a list")
    rest["spans"] = tuple(
        LabelSpan(**_checked(LabelSpan, span, f"spans[{place}]"))
        for place, span in enumerate(spans)
    )
    return LabelFile(**_checked(LabelFile, rest, "the file"))


_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "str": (str,),
    "int | None": (int, type(None)),
    "tuple[LabelSpan, ...]": (tuple,),
}


def _checked(kind: type, values: Any, where: str) -> dict[str, Any]:
    """The fields of a dataclass, with known names and the right types."""
    if not isinstance(values, dict):
        raise ValueError(f"{where}: wanted an object")
    known = {field.name: _TYPES[str(field.type)] for field in fields(kind)}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"{where}: unknown key {name!r} (valid: {', '.join(known)})")
        if not isinstance(value, known[name]) or isinstance(value, bool):
            raise ValueError(f"{where}: {name} is {value!r}")
    needed = {"episode", "recording", "start_ns", "stop_ns", "text"} & set(known)
    if missing := sorted(needed - set(values)):
        raise ValueError(f"{where}: {', '.join(missing)} is missing")
    return values


def _bytes(folder: Path) -> bytes | None:
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
