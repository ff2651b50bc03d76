"""Conversion between an episode's rows and labels and a dataset's columns."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pi05_ros.data.episodes.episode import Episode, PictureBox, SubtaskLabel
from pi05_ros.data.episodes.rows import label_of_row
from pi05_ros.data.lerobot import layout as names
from pi05_ros.data.lerobot.layout import DatasetLayout
from pi05_ros.data.lerobot.selection import Rows

# Columns that depend on the other episodes; `publish` adds them.
LATER = ("episode_index", "index", "task_index", "subtask_index")


def to_table(episode: Episode, rows: Rows, layout: DatasetLayout) -> tuple[pa.Table, list[str]]:
    """Convert an episode to columns, without those of `LATER`.

    Vectors are float64 like those of RobotState, so the round trip is exact.

    Returns:
        The table, and the task of each row.
    """
    taken = rows.indices
    count = len(taken)
    known = episode.labels
    labels = label_of_row(episode)[taken]
    labels = np.where(labels < 0, len(known), labels)  # len(known) means "no label".
    columns: dict[str, pa.Array] = {
        names.STATE: vectors(episode.states[taken]),
        names.ACTION: vectors(episode.actions[taken]),
        # Evenly spaced, as LeRobot requires; time_ns has the time of measurement.
        "timestamp": pa.array((np.arange(count) / layout.fps).astype(np.float32)),
        "frame_index": pa.array(np.arange(count)),
        "mode": pa.array(episode.modes[taken].astype(np.uint8)),
        "time_ns": pa.array(episode.times_ns[taken]),
    }
    if layout.control_source:
        columns[names.CONTROL_SOURCE] = pa.array(episode.control_sources[taken].astype(np.uint8))

    def of_label(values: list[object], without: object, kind: pa.DataType) -> pa.Array:
        return pa.array(values + [without], kind).take(pa.array(labels))

    text = pa.string()
    columns["subtask"] = of_label([label.text for label in known], "", text)
    columns["source"] = of_label([label.source for label in known], "", text)
    columns["boxes"] = of_label([boxes_to_json(label.boxes) for label in known], "[]", text)
    columns["model_subtask"] = of_label([label.model_text for label in known], "", text)
    columns["subtask_id"] = of_label([label.id for label in known], 0, pa.int64())
    no_score = names.NO_SCORE if layout.complete_statistics else math.nan
    scores: list[object] = [no_score if la.score is None else la.score for la in known]
    columns["score"] = of_label(scores, no_score, pa.float64())
    columns["outcome"] = pa.array([episode.facts.outcome] * count, text)
    columns["operator"] = pa.array([episode.facts.operator_name] * count, text)
    if layout.cameras:
        times = [
            episode.frame_times_ns(camera.name)[episode.frame_of_row(camera.name)[taken]]
            for camera in layout.cameras
        ]
        columns[names.CAMERA_TIMES] = vectors(np.stack(times, axis=1))
    # A row without a label's task gets the episode's: LeRobot requires one for every row.
    of_task = [label.task or episode.facts.task for label in known] + [episode.facts.task]
    return pa.table(columns), [of_task[label] for label in labels]


def vectors(values: np.ndarray) -> pa.Array:
    """Convert (K, D) to a column of D values a row, or a scalar one when D is 1, like LeRobot."""
    if values.shape[1] == 1:
        return pa.array(values[:, 0])
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def matrix(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """The inverse of `vectors`: (K, D), or (K, 1) of a scalar column; lists of any kind.

    Raises:
        ValueError: Rows have different lengths, or no value.
    """
    if column.null_count:
        raise ValueError(f"{column.null_count} rows have no value")
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    kind, count = column.type, len(column)
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or _is_fixed(kind)):
        parts = [chunk.to_numpy(zero_copy_only=False) for chunk in chunks]
        return np.concatenate([*parts, np.zeros(0, parts[0].dtype if parts else float)])[:, None]
    parts = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in chunks]
    flat = np.concatenate([*parts, np.zeros(0, parts[0].dtype if parts else float)])
    width, rest = divmod(len(flat), count) if count else (0, 0)
    lengths = set() if _is_fixed(kind) else {int(n) for c in chunks for n in c.value_lengths()}
    if rest or lengths - {width}:
        raise ValueError("its rows are of different lengths")
    return flat.reshape(count, width)


def numbers(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Return what statistics are computed of: (K, D), of texts their lengths [character], (K, 1).

    Lengths are what the Hugging Face Hub counts of text columns; LeRobot counts nothing of them.
    """
    if pa.types.is_string(column.type):
        column = pc.utf8_length(column)
    return matrix(column)


def _is_fixed(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind))


def labels_from(table: pa.Table, tasks: Sequence[str]) -> tuple[SubtaskLabel, ...]:
    """Read labels from our columns: one for each run of equal rows.

    Args:
        table: Table with the columns of `layout.LABEL_COLUMNS`.
        tasks: Task of each row.
    """
    columns = {name: table.column(name).to_pylist() for name in names.LABEL_COLUMNS}
    values = [
        (*row[:-1], _score(row[-1]), task)
        for row, task in zip(zip(*columns.values(), strict=True), tasks, strict=True)
    ]
    labels = []
    start = 0
    for stop in range(1, len(values) + 1):
        if stop < len(values) and values[stop] == values[start]:
            continue
        text, source, boxes, model_text, number, score, task = values[start]
        if text:
            labels.append(
                SubtaskLabel(
                    start,
                    stop,
                    text,
                    source,
                    task,
                    score,
                    boxes_from_json(boxes),
                    model_text,
                    number,
                )
            )
        start = stop
    return tuple(labels)


def labels_of_texts(
    texts: Sequence[str], source: str, tasks: Sequence[str]
) -> tuple[SubtaskLabel, ...]:
    """Make one label for each run of rows with the same text and task."""
    labels = []
    start = 0
    for stop in range(1, len(texts) + 1):
        if stop < len(texts) and (texts[stop], tasks[stop]) == (texts[start], tasks[start]):
            continue
        if texts[start]:
            labels.append(SubtaskLabel(start, stop, texts[start], source, tasks[start]))
        start = stop
    return tuple(labels)


def _score(value: float | None) -> float | None:
    # NaN in datasets of earlier versions, which LeRobot's tools replace by null.
    return None if value is None or math.isnan(value) or value < 0 else value


def texts_of_annotations(
    annotations: Sequence[Mapping[str, Any]], seconds: np.ndarray, fps: float
) -> list[str]:
    """Read the subtask of each row from the annotations of LeRobot (from 0.6).

    Args:
        annotations: Content of `language_persistent`, the same in every row: each entry is valid
            from its `timestamp` [s of the episode] until the next one of its style.
        seconds: Time of each row of the episode, (T,) float64, rising [s].
        fps: Rows per second.
    """
    texts = [""] * len(seconds)
    subtasks = [one for one in annotations if one["style"] == "subtask"]
    for one in sorted(subtasks, key=lambda one: float(one["timestamp"])):
        # Timestamps are a row's time in float32, so half a period before it counts as the row.
        first = int(np.searchsorted(seconds, float(one["timestamp"]) - 0.5 / fps))
        texts[first:] = [one["content"] or ""] * (len(seconds) - first)
    return texts


def boxes_to_json(boxes: Sequence[PictureBox]) -> str:
    """Serialize as [{"camera": …, "label": …, "corners": [x_min, y_min, x_max, y_max], …}, …]."""
    return json.dumps(
        [
            {
                "camera": box.camera,
                "label": box.label,
                "corners": [box.x_min, box.y_min, box.x_max, box.y_max],
                "score": box.score,
            }
            for box in boxes
        ],
        ensure_ascii=False,
    )


def boxes_from_json(text: str) -> tuple[PictureBox, ...]:
    """The inverse of `boxes_to_json`."""
    found = []
    for box in json.loads(text):
        x_min, y_min, x_max, y_max = box["corners"]
        found.append(
            PictureBox(box["camera"], box["label"], x_min, y_min, x_max, y_max, box["score"])
        )
    return tuple(found)
