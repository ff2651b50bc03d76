"""Spans from other tools: CSV and JSON files in seconds, and the suite's own labels.json."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from pi05_ros.data.episodes import label_spans
from pi05_ros.data.episodes.label_file import LabelFileError
from pi05_ros.data.episodes.label_spans import LabelSpan
from pi05_ros.labelling.episode_labels import EpisodeLabels

_NEEDED, _OPTIONAL = ("start", "end", "text"), ("task",)


def import_spans(labels: EpisodeLabels, path: Path) -> int:
    """Replace all spans by those of a file.

    Args:
        labels: Labels of the episode.
        path: A CSV file with a header, or a JSON list of objects: start and end [s since the
            episode's first row], text and, where wanted, task. Or a labels.json of this recording.

    Returns:
        The number of spans.

    Raises:
        LabelFileError: The file cannot be read, or a span of it is not valid; nothing is changed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelFileError(f"{path} cannot be read ({error})") from error
    if path.suffix.lower() == ".csv":
        rows = _csv_rows(path, text)
    elif path.suffix.lower() == ".json":
        try:
            content = label_spans.parsed(text)
        except ValueError as error:
            raise LabelFileError(f"{path} is no JSON: {error}") from error
        if isinstance(content, dict):
            return _import_own(labels, path, text)
        rows = content if isinstance(content, list) else []
    else:
        raise LabelFileError(f"{path}: wanted a file .csv or .json")
    if not rows:
        raise LabelFileError(f"{path} holds no spans: wanted start, end and text of each")
    spans = [_span(labels, row, f"{path}: span {n}") for n, row in enumerate(rows, start=1)]
    try:
        labels.replace(tuple(sorted(spans, key=lambda span: span.start_ns)), labels.done_ns)
    except LabelFileError as error:
        raise LabelFileError(f"{path}: {error}") from error
    return len(spans)


def _import_own(labels: EpisodeLabels, path: Path, text: str) -> int:
    try:
        read = label_spans.from_json(text)
    except (ValueError, TypeError) as error:
        raise LabelFileError(f"{path}: {error}") from error
    if read.recording != labels.episode.recording_key:
        raise LabelFileError(
            f"{path} is of another recording: wanted labels of {labels.episode.facts.id}, found "
            f"those of {read.episode}"
        )
    labels.take_within(read)
    return len(labels.spans)


def _csv_rows(path: Path, text: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    names = [name.strip() for name in reader.fieldnames or []]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise LabelFileError(
            f"{path}: wanted a first line with the columns start,end,text, found "
            f"{','.join(names) or 'none'}"
        )
    reader.fieldnames = names
    return [
        {name: row.get(name) or "" for name in (*_NEEDED, *_OPTIONAL) if name in names}
        for row in reader
    ]


def _span(labels: EpisodeLabels, row: Any, where: str) -> LabelSpan:
    if not isinstance(row, dict):
        raise LabelFileError(f"{where}: wanted an object with start, end and text")
    unknown = sorted(set(row) - {*_NEEDED, *_OPTIONAL})
    missing = [name for name in _NEEDED if name not in row]
    if unknown or missing:
        what = f"{missing[0]} is missing" if missing else f"unknown key '{unknown[0]}'"
        raise LabelFileError(f"{where}: {what} (valid: start, end, text, task)")
    try:
        start, stop = float(row["start"]), float(row["end"])
    except (TypeError, ValueError) as error:
        raise LabelFileError(f"{where}: start and end are seconds ({error})") from error
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise LabelFileError(f"{where}: start and end are seconds, found {start} and {stop}")
    text, task = row["text"], row.get("task", "")
    if not (isinstance(text, str) and isinstance(task, str)):
        raise LabelFileError(f"{where}: text and task are texts")
    try:
        return labels.span(start, stop, text, task)
    except LabelFileError as error:
        raise LabelFileError(f"{where}: {error}") from error
