"""Spans of subtasks that a person gave a recorded episode, and their JSON."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from pi05_ros.brain.instructions import text_problem
from pi05_ros.brain.label_text import label_problem
from pi05_ros.data.episodes.episode import SubtaskLabel

VERSION = 1
SOURCES = ("human", "model", "external", "implicit")  # Subtask.SOURCE_*.
_MAX_NAME = 256  # Characters of an author's or a tool's name.


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
    done_ns: tuple[int, ...] = ()  # Times at which a task was finished, in order.

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
        if list(self.done_ns) != sorted(set(self.done_ns)) or min(self.done_ns, default=0) < 0:
            raise ValueError(f"done_ns: wanted rising times of 0 or later, not {self.done_ns}")

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
        """
        starts = np.searchsorted(times_ns, [span.start_ns for span in self.spans], side="left")
        stops = np.searchsorted(times_ns, [span.stop_ns for span in self.spans], side="left")
        return tuple(
            SubtaskLabel(int(start), int(stop), span.text, span.source, span.task)
            for span, start, stop in zip(self.spans, starts, stops, strict=True)
            if start < stop
        )


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


def parsed(text: str | bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: It is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def from_json(text: str) -> LabelFile:
    """The inverse of `to_json`; every key must be known and of its type.

    Raises:
        ValueError: The text is no valid file of labels.
    """
    content = parsed(text)
    if not isinstance(content, dict) or content.get("format") != "pi05 labels":
        raise ValueError('wanted a JSON object with "format": "pi05 labels"')
    if content.get("version") != VERSION:
        raise ValueError(f"version: wanted {VERSION}, found {content.get('version')!r}")
    rest = {key: value for key, value in content.items() if key not in ("format", "version")}
    spans, done = rest.get("spans"), rest.get("done_ns", [])
    if not isinstance(spans, list):
        raise ValueError("spans: wanted a list")
    if not isinstance(done, list) or not all(type(time) is int for time in done):
        raise ValueError("done_ns: wanted a list of times [ns]")
    rest["done_ns"] = tuple(done)
    rest["spans"] = tuple(
        LabelSpan(**_checked(LabelSpan, span, f"spans[{place}]"))
        for place, span in enumerate(spans)
    )
    return LabelFile(**_checked(LabelFile, rest, "the file"))


_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "str": (str,),
    "tuple[int, ...]": (tuple,),
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
