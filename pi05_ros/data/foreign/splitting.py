"""Division of a foreign recording into episodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pi05_ros.data.bags.adopted_file import AdoptedSpan
from pi05_ros.data.foreign.mapping import ForeignMapping
from pi05_ros.data.foreign.recording import Recording
from pi05_ros.data.foreign.rows import Rows

_SECOND = 10**9


def spans_of(
    recording: Recording, rows: Rows, name: str, start_ns: int, end_ns: int
) -> tuple[list[AdoptedSpan], list[str]]:
    """Divide a recording as its mapping says.

    Args:
        recording: The recording.
        rows: Its rows, at least one.
        name: Name of the bag; episodes of several are NAME_0, NAME_1, …
        start_ns: The bag's first log time [ns].
        end_ns: Its last log time [ns].

    Returns:
        The episodes that have rows and are long enough, and notes on those left out.
    """
    mapping, split = recording.mapping, recording.mapping.split
    log = rows.times_ns + recording.log_offset_ns
    if split.by == "whole":
        parts = [(start_ns, end_ns + 1)]
    elif split.by == "topic":
        parts = _parts_of_topic(recording.texts[split.topic], end_ns)
    else:
        parts = _parts_of_gaps(log, round(split.gap_s * _SECOND), start_ns, end_ns)
    kept, short, empty = [], 0, 0
    for start, stop in parts:
        inside = log[(log >= start) & (log < stop)]
        if not len(inside):
            empty += 1
        elif split.by != "whole" and inside[-1] - inside[0] < split.min_s * _SECOND:
            short += 1
        else:
            kept.append((start, stop))
    notes = []
    if not parts:
        notes.append(f"{split.topic} never began an episode")
    if short:
        notes.append(f"{short} episodes are shorter than split: min_s ({split.min_s:g} s)")
    if empty:
        notes.append(f"{empty} episodes have no rows")
    spans = []
    for number, (start, stop) in enumerate(kept):
        following = kept[number + 1][0] if number + 1 < len(kept) else end_ns + 1
        spans.append(
            AdoptedSpan(
                name if split.by == "whole" else f"{name}_{number}",
                start,
                stop,
                mapping.task or _task(recording, start, stop),
                mapping.outcome or _outcome(mapping, recording, start, following),
            )
        )
    return spans, notes


def _parts_of_topic(messages: list[tuple[int, Any]], end_ns: int) -> list[tuple[int, int]]:
    """Spans in which a Bool is true, or a String stays the same and is not empty."""
    parts, begun, value = [], 0, None
    for log_ns, current in [*messages, (end_ns + 1, None)]:
        if current == value and current is not None:
            continue
        if value and begun < log_ns:
            parts.append((begun, log_ns))
        begun, value = log_ns, current
    return parts


def _parts_of_gaps(
    log: np.ndarray, gap_ns: int, start_ns: int, end_ns: int
) -> list[tuple[int, int]]:
    """Spans between silences; borders lie in the middle of each."""
    after = np.flatnonzero(np.diff(log) > gap_ns)
    borders = [(int(log[k]) + int(log[k + 1])) // 2 for k in after]
    begins = [min(start_ns, int(log[0])), *borders]
    ends = [*borders, max(end_ns, int(log[-1])) + 1]
    return list(zip(begins, ends, strict=True))


def _task(recording: Recording, start_ns: int, stop_ns: int) -> str:
    """The task at the beginning of a span; else the first one in it."""
    found = [(t, str(text)) for t, text in recording.texts.get(recording.mapping.task_topic, [])]
    before = [text for time, text in found if time <= start_ns and text]
    inside = [text for time, text in found if start_ns < time < stop_ns and text]
    return before[-1] if before else (inside[0] if inside else "")


def _outcome(mapping: ForeignMapping, recording: Recording, start_ns: int, stop_ns: int) -> str:
    """The last outcome from a span's beginning to that of the next one."""
    found = ""
    for time, value in recording.texts.get(mapping.outcome_topic, []):
        if start_ns <= time < stop_ns:
            found = _OUTCOMES[str(value).lower()]
    return found


# Of the texts of a String and the values of a Bool.
_OUTCOMES = {
    "": "",
    "success": "success",
    "true": "success",
    "failure": "failure",
    "false": "failure",
}
