"""Labels given afterwards, with the details of recorded subtasks that were kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pi05_ros.data.episodes.episode import SubtaskLabel


def with_recorded_details(
    labels: Sequence[SubtaskLabel], recorded: Sequence[SubtaskLabel]
) -> tuple[SubtaskLabel, ...]:
    """Restore boxes, score, id and model_text, which a file of labels does not hold.

    Where a label has text and source of the recorded one, it is that one; a label is split where
    the recorded ones change.

    Args:
        labels: Labels given afterwards, in order.
        recorded: Labels of the recording, in order.
    """
    return tuple(part for label in labels for part in _parts(label, recorded))


def _parts(label: SubtaskLabel, recorded: Sequence[SubtaskLabel]) -> Iterator[SubtaskLabel]:
    row = label.start_row
    for own in recorded:
        start, stop = max(own.start_row, row), min(own.stop_row, label.stop_row)
        if start >= stop or (own.text, own.source) != (label.text, label.source):
            continue
        if row < start:
            yield replace(label, start_row=row, stop_row=start)
        yield replace(own, start_row=start, stop_row=stop, task=label.task or own.task)
        row = stop
    if row < label.stop_row:
        yield replace(label, start_row=row)
