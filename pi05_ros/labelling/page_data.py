"""Data to and from the page, as JSON types. Times are seconds since the first row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pi05_ros.console.answers import BAD_REQUEST, Refused
from pi05_ros.data.episodes.episode import CONTROL_POLICY, CONTROL_TELEOP
from pi05_ros.data.episodes.interventions import driven_spans
from pi05_ros.data.episodes.label_file import LabelFileError
from pi05_ros.data.episodes.label_spans import LabelSpan
from pi05_ros.labelling.episode_labels import EpisodeLabels

_DRIVERS = {CONTROL_POLICY: "policy", CONTROL_TELEOP: "teleop"}


def episode_data(labels: EpisodeLabels) -> dict[str, Any]:
    """Everything about the episode that does not change while it is labelled."""
    episode = labels.episode
    times = episode.times_ns
    return {
        "id": episode.facts.id,
        "task": episode.facts.task,
        "outcome": episode.facts.outcome,
        "folder": str(labels.folder),
        "seconds": labels.seconds,
        "step": 1.0 / episode.rate_hz,
        "cameras": [
            {"name": name, "times": _seconds(labels, episode.frame_times_ns(name))}
            for name in episode.cameras
        ],
        "drivers": [
            {
                "start": labels.since_begin(int(times[span.start_row])),
                "end": _end_of(labels, times, span.stop_row),
                "driver": _DRIVERS[span.control_source],
            }
            for span in driven_spans(episode)
            if span.control_source in _DRIVERS
        ],
        "recorded": [_plain(labels, span) for span in labels.recorded],
        "unfit": list(labels.unfit),
    }


def label_data(labels: EpisodeLabels) -> dict[str, Any]:
    """The labels as they are now, and the version of their file."""
    return {
        "version": labels.version,
        "spans": [_plain(labels, span) for span in labels.spans],
        "done": [labels.since_begin(time) for time in labels.done_ns],
        "vocabulary": list(labels.vocabulary()),
    }


def take(labels: EpisodeLabels, message: Any) -> None:
    """Write the labels that a page sends.

    Args:
        labels: The labels of the episode.
        message: {"version": …, "spans": [{"start", "end", "text", "task", "source"}], "done": […]}

    Raises:
        Refused: The message is not valid (400).
        LabelConflictError: The file was changed since the page read it; nothing was written.
        LabelFileError: The file cannot be written.
    """
    if not isinstance(message, dict) or set(message) != {"version", "spans", "done"}:
        raise Refused(BAD_REQUEST, "wanted an object with version, spans and done")
    version, spans, done = message["version"], message["spans"], message["done"]
    if not (isinstance(version, str) and isinstance(spans, list) and isinstance(done, list)):
        raise Refused(BAD_REQUEST, "version: wanted a text; spans and done: wanted lists")
    if not all(_is_number(time) for time in done):
        raise Refused(BAD_REQUEST, "done: wanted seconds")
    try:
        made = tuple(_span(labels, span) for span in spans)
        labels.replace(made, tuple(sorted({labels.time_ns(time) for time in done})))
    except LabelFileError as error:
        raise Refused(BAD_REQUEST, str(error)) from error
    try:
        labels.save(version)
    except LabelFileError:
        labels.undo()
        raise


def _span(labels: EpisodeLabels, span: Any) -> LabelSpan:
    names = ("start", "end", "text", "task", "source")
    if not isinstance(span, dict) or set(span) != set(names):
        raise Refused(BAD_REQUEST, f"a span: wanted an object with {', '.join(names)}")
    if not (_is_number(span["start"]) and _is_number(span["end"])):
        raise Refused(BAD_REQUEST, "a span: start and end are seconds")
    if not all(isinstance(span[name], str) for name in names[2:]):
        raise Refused(BAD_REQUEST, "a span: text, task and source are texts")
    return labels.span(*(span[name] for name in names))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _plain(labels: EpisodeLabels, span: LabelSpan) -> dict[str, Any]:
    return {
        "start": labels.since_begin(span.start_ns),
        "end": labels.since_begin(span.stop_ns),
        "text": span.text,
        "task": span.task,
        "source": span.source,
    }


def _end_of(labels: EpisodeLabels, times: np.ndarray, row: int) -> float:
    return labels.since_begin(int(times[row]) if row < len(times) else labels.end_ns)


def _seconds(labels: EpisodeLabels, times_ns: np.ndarray) -> Sequence[float]:
    seconds: list[float] = np.round((times_ns - labels.begin_ns) * 1e-9, 4).tolist()
    return seconds
