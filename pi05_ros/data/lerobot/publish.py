"""Appending of staged episodes to a dataset of format v3.0.

The replacement of meta/info.json, which comes last, commits the change; everything before it may
be repeated. Videos are one file for each episode and camera (hard links to the staged ones); rows
of many episodes share a parquet file, one row group an episode.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.lerobot import columns, files, staging, statistics
from pi05_ros.data.lerobot import layout as names
from pi05_ros.data.lerobot.card import write_card
from pi05_ros.data.lerobot.committed import Committed
from pi05_ros.data.lerobot.dataset_statistics import dataset_statistics
from pi05_ros.data.lerobot.layout import DatasetLayout
from pi05_ros.data.lerobot.staging import StagedEpisode


@dataclass(frozen=True)
class Addition:
    """A staged episode and its place in the dataset."""

    folder: Path
    record: StagedEpisode
    index: int  # Index of the episode.
    first_row: int  # Its index in the dataset.
    data_place: dict[str, int]
    data_bytes: int


def publish(committed: Committed, layout: DatasetLayout, staged: Sequence[Path]) -> None:
    """Add staged episodes to a dataset, in their order.

    Args:
        committed: The dataset before.
        layout: The dataset's layout.
        staged: Folders made by `staging.stage`.
    """
    folder = committed.folder
    tasks, subtasks = list(committed.tasks), list(committed.subtasks)
    added = _places(committed, staged)
    for addition in added:
        for camera in layout.cameras:
            target = folder / names.VIDEO_PATH.format(
                video_key=camera.key, **names.place(addition.index)
            )
            _link(addition.folder / f"{camera.name}.mp4", target)
    rows: list[dict[str, Any]] = []
    schema = _schema(layout)

    def finished(place: dict[str, int], group: list[Addition]) -> Iterator[pa.Table]:
        yield from _row_groups(folder / names.DATA_PATH.format(**place), committed, place)
        for addition in group:
            staged_table = pq.read_table(addition.folder / staging.DATA)
            table = _finish(staged_table, addition, layout, tasks, subtasks)
            rows.append(_episode_row(addition, layout, staged_table, table))
            yield table.cast(schema)

    for place, group in _by_place(added):
        files.write_parquet(
            folder / names.DATA_PATH.format(**place), finished(place, group), schema
        )
    _write_episodes(committed, rows)
    total = committed.rows + sum(addition.record.length for addition in added)
    files.write_parquet(*_numbered(folder / names.TASKS, tasks, "task"))
    files.write_parquet(*_numbered(folder / names.SUBTASKS, subtasks, "subtask"))
    every = [*committed.episodes, *rows]
    _remove_beyond(folder, every)
    files.write_json(folder / names.STATISTICS, dataset_statistics(folder, layout, every))
    files.write_json(folder / names.OURS, layout.to_json())
    write_card(folder, layout)
    files.write_json(folder / names.INFO, _info(layout, len(every), total, len(tasks)))


def _places(committed: Committed, staged: Sequence[Path]) -> list[Addition]:
    """Assign a data file to each staged episode: the last one until it is full."""
    limit = names.DATA_FILE_MB * 2**20
    place, filled = names.place(0), 0
    if committed.episodes:
        last = committed.episodes[-1]
        place = {key: last[f"data/{key}"] for key in ("chunk_index", "file_index")}
        filled = sum(
            row["pi05/data_bytes"]
            for row in committed.episodes
            if all(row[f"data/{key}"] == value for key, value in place.items())
        )
    added = []
    first_row, index = committed.rows, len(committed.episodes)
    for folder in staged:
        record = StagedEpisode.load(folder / staging.RECORD)
        size = (folder / staging.DATA).stat().st_size
        if filled and filled + size > limit:
            place, filled = names.place_after(**place), 0
        added.append(Addition(folder, record, index, first_row, place, size))
        filled += size
        index += 1
        first_row += record.length
    return added


def _finish(
    table: pa.Table,
    addition: Addition,
    layout: DatasetLayout,
    tasks: list[str],
    subtasks: list[str],
) -> pa.Table:
    """Add the columns that depend on the episodes before; tasks and subtasks may grow."""
    count = len(table)
    table = table.append_column("episode_index", pa.array(np.full(count, addition.index)))
    table = table.append_column("index", pa.array(np.arange(count) + addition.first_row))
    table = table.append_column(
        "task_index", pa.array(_numbers(table.column(staging.TASK).to_pylist(), tasks))
    )
    table = table.append_column(
        "subtask_index", pa.array(_numbers(table.column("subtask").to_pylist(), subtasks))
    )
    wanted = [key for key, feature in layout.features().items() if feature["dtype"] != "video"]
    return table.select(wanted)


def _numbers(texts: Sequence[str], known: list[str]) -> np.ndarray:
    number = {text: index for index, text in enumerate(known)}
    for text in texts:
        if text not in number:
            number[text] = len(known)
            known.append(text)
    return np.array([number[text] for text in texts], np.int64)


def _schema(layout: DatasetLayout) -> pa.Schema:
    kinds = {"string": pa.string(), "float64": pa.float64(), "float32": pa.float32()}
    kinds |= {"int64": pa.int64(), "uint8": pa.uint8()}
    fields = []
    for key, feature in layout.features().items():
        if feature["dtype"] == "video":
            continue
        kind, width = kinds[feature["dtype"]], feature["shape"][0]
        fields.append(pa.field(key, kind if width == 1 else pa.list_(kind, width)))
    return pa.schema(fields)


def _by_place(added: Sequence[Addition]) -> Iterator[tuple[dict[str, int], list[Addition]]]:
    groups: dict[tuple[int, ...], list[Addition]] = {}
    for addition in added:
        groups.setdefault(tuple(addition.data_place.values()), []).append(addition)
    for group in groups.values():
        yield group[0].data_place, group


def _row_groups(path: Path, committed: Committed, place: dict[str, int]) -> list[pa.Table]:
    """Read the committed episodes of a data file, one table each."""
    count = sum(
        all(row[f"data/{key}"] == value for key, value in place.items())
        for row in committed.episodes
    )
    if not count:
        return []
    with pq.ParquetFile(path) as file:
        return [file.read_row_group(index) for index in range(count)]


def _episode_row(
    addition: Addition, layout: DatasetLayout, staged: pa.Table, table: pa.Table
) -> dict[str, Any]:
    """Make an episode's row of meta/episodes, without the place of the row itself."""
    record = addition.record
    last = addition.first_row + record.length
    row: dict[str, Any] = {
        "episode_index": addition.index,
        "tasks": list(dict.fromkeys(staged.column(staging.TASK).to_pylist())),
        "length": record.length,
        "dataset_from_index": addition.first_row,
        "dataset_to_index": last,
        "outcome": EpisodeFacts.from_custom_data(record.facts).outcome,
        "pi05/id": record.id,
        "pi05/fingerprint": record.fingerprint,
        "pi05/facts": json.dumps(record.facts, ensure_ascii=False),
        "pi05/left_out": json.dumps(record.left_out),
        "pi05/sources": json.dumps(record.sources),
        "pi05/late_rows": record.late_rows,
        "pi05/data_bytes": addition.data_bytes,
        "pi05/plans": record.plans,
        "pi05/devices": json.dumps(record.devices),
    }
    row |= {f"data/{key}": value for key, value in addition.data_place.items()}
    for camera in layout.cameras:
        for key, value in names.place(addition.index).items():
            row[f"videos/{camera.key}/{key}"] = value
        row[f"videos/{camera.key}/from_timestamp"] = 0.0
        row[f"videos/{camera.key}/to_timestamp"] = record.length / layout.fps
    later = {
        name: staging.as_lists(statistics.of_rows(columns.matrix(table.column(name))))
        for name in columns.LATER
    }
    for key, values in (record.statistics | later).items():
        row |= {f"stats/{key}/{name}": value for name, value in values.items()}
    return row


def _write_episodes(committed: Committed, rows: list[dict[str, Any]]) -> None:
    """Add rows to the last file of meta/episodes, or to a new one if that is large."""
    folder = committed.folder
    old: list[dict[str, Any]] = []
    place = names.place(0)
    if committed.episodes:
        last = committed.episodes[-1]
        place = {key: last[f"meta/episodes/{key}"] for key in ("chunk_index", "file_index")}
        path = folder / names.EPISODES_PATH.format(**place)
        if path.stat().st_size < names.DATA_FILE_MB * 2**20 // 2:
            old = [
                row
                for row in committed.episodes
                if all(row[f"meta/episodes/{key}"] == value for key, value in place.items())
            ]
        else:
            place = names.place_after(**place)
    for row in rows:
        row |= {f"meta/episodes/{key}": value for key, value in place.items()}
    # Rows that an earlier version wrote lack columns, and columns are those of the first row.
    every = dict.fromkeys(key for row in [*old, *rows] for key in row)
    table = pa.Table.from_pylist([{key: row.get(key) for key in every} for row in [*old, *rows]])
    files.write_parquet(folder / names.EPISODES_PATH.format(**place), [table], table.schema)


def _numbered(path: Path, texts: list[str], what: str) -> tuple[Path, list[pa.Table], pa.Schema]:
    table = files.indexed_by_text(texts, what, f"{what}_index")
    return path, [table], table.schema


def _remove_beyond(folder: Path, episodes: Sequence[dict[str, Any]]) -> None:
    """Remove files of a run that was killed, which LeRobot would read."""
    last = episodes[-1]

    def number(prefix: str) -> int:
        chunk, file = (last[f"{prefix}/{key}"] for key in ("chunk_index", "file_index"))
        return int(chunk) * names.FILES_PER_CHUNK + int(file)

    kept = {"data": number("data"), "meta/episodes": number("meta/episodes")}
    for key in last:
        if key.startswith("videos/") and key.endswith("/chunk_index"):
            kept[key.removesuffix("/chunk_index")] = number(key.removesuffix("/chunk_index"))
    for place, highest in kept.items():
        for path in (folder / place).glob("chunk-*/file-*"):
            if path.suffix == ".part" or names.numbered(path) > highest:
                path.unlink()


def _info(layout: DatasetLayout, episodes: int, rows: int, tasks: int) -> dict[str, Any]:
    return {
        "codebase_version": names.VERSION,
        "robot_type": layout.platform,
        "total_episodes": episodes,
        "total_frames": rows,
        "total_tasks": tasks,
        "chunks_size": names.FILES_PER_CHUNK,
        "data_files_size_in_mb": names.DATA_FILE_MB,
        "video_files_size_in_mb": names.VIDEO_FILE_MB,
        "fps": layout.fps,
        "splits": {"train": f"0:{episodes}"},
        "data_path": names.DATA_PATH,
        "video_path": names.VIDEO_PATH if layout.cameras else None,
        "features": layout.features(),
    }


def _link(source: Path, target: Path) -> None:
    """Make a hard link, or a copy on a file system without hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        part = target.with_name(target.name + ".part")
        shutil.copyfile(source, part)
        part.replace(target)
