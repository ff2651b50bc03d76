"""Staging of one episode for a dataset, in its own folder, atomically.

Episodes are staged in parallel and in any order; `publish` adds what depends on their order
(indices, file names). A folder without its final name was interrupted and is staged again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.lerobot import columns, encoding, statistics
from pi05_ros.data.lerobot.layout import DatasetLayout
from pi05_ros.data.lerobot.plans import plans_to_json
from pi05_ros.data.lerobot.selection import Rows

DATA = "data.parquet"
RECORD = "episode.json"
TASK = "task"  # Column of the staged table only: the text of the later task_index.
COMPRESSION = "zstd"


@dataclass(frozen=True)
class StagedEpisode:
    """Record of a staged episode."""

    id: str
    fingerprint: str
    facts: dict[str, str]  # EpisodeFacts.to_custom_data(), with the rate of the dataset.
    length: int  # Rows.
    left_out: dict[str, int]  # Reason -> rows of the episode that are not exported.
    sources: dict[str, int]  # Source of the subtask -> rows; "": rows without one.
    late_rows: int  # Rows that came more than 1.5 periods after the one before.
    plans: str  # `plans_to_json` of the episode's.
    devices: list[tuple[int, int, str]]  # Of each DeviceSpan: exported rows, device.
    statistics: dict[str, dict[str, Any]]  # Feature -> statistic -> nested lists.

    def save(self, path: Path) -> None:
        """Write the record."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> StagedEpisode:
        """Read a record written by `save`."""
        # An export that an earlier version began has records without devices and plans.
        return cls(**({"devices": [], "plans": ""} | json.loads(path.read_text(encoding="utf-8"))))


def folder_name(episode_id: str) -> str:
    """Name of an episode's staging folder: ids may hold characters that file names may not."""
    return hashlib.sha256(episode_id.encode()).hexdigest()[:24]


def stage(
    episode: Episode,
    episode_id: str,
    rows: Rows,
    layout: DatasetLayout,
    folder: Path,
    advance: Callable[[int], None] = lambda rows: None,
    cancelled: encoding.StopFlag | None = None,
) -> None:
    """Write the columns, videos and record of an episode.

    The cameras are encoded in parallel threads; PyAV releases the GIL while it encodes.

    Args:
        episode: The episode.
        episode_id: The episode's id in the dataset.
        rows: The rows to export.
        layout: The dataset's layout.
        folder: The target, which appears when everything is in it and on the disk.
        advance: Called, by any thread, with the rows of one video written since the last call.
        cancelled: Flag that ends the work with `encoding.Cancelled`.

    Raises:
        DatasetError: The pictures do not match the dataset's layout.
        Pi05Error: The episode cannot be read.
    """
    cancelled = cancelled or threading.Event()
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    part.mkdir(parents=True)
    found: dict[str, dict[str, np.ndarray]] = {}
    with ThreadPoolExecutor(max(1, len(layout.cameras))) as threads:
        videos = {
            camera.key: threads.submit(
                encoding.encode,
                episode,
                camera,
                episode.frame_of_row(camera.name)[rows.indices],
                layout.fps,
                layout.crf,
                part / f"{camera.name}.mp4",
                advance,
                cancelled,
            )
            for camera in layout.cameras
        }
        try:
            table, tasks = columns.to_table(episode, rows, layout)
            pq.write_table(
                table.append_column(TASK, pa.array(tasks, pa.string())),
                part / DATA,
                compression=COMPRESSION,
            )
            wait(videos.values(), return_when=FIRST_EXCEPTION)
            _raise_first(video for video in videos.values() if video.done())
        except BaseException:
            cancelled.set()  # Stops the other cameras.
            raise
    for key, video in videos.items():
        found[key] = video.result().result()
    without = layout.without_statistics()
    for name in table.column_names:
        if name not in without:
            found[name] = statistics.of_rows(columns.numbers(table.column(name)))
    facts = episode.facts.to_custom_data()
    StagedEpisode(
        id=episode_id,
        fingerprint=episode.fingerprint,
        facts=facts,
        length=len(rows),
        left_out=rows.left_out,
        sources=dict(Counter(table.column("source").to_pylist())),
        late_rows=_late(episode.times_ns[rows.start : rows.stop], episode.rate_hz),
        plans=plans_to_json(episode.plans),
        devices=_devices(episode, rows),
        statistics={key: as_lists(value) for key, value in found.items()},
    ).save(part / RECORD)
    for path in part.iterdir():
        _sync(path)
    _sync(part)
    part.rename(folder)
    _sync(folder.parent)


def as_lists(found: dict[str, np.ndarray]) -> dict[str, Any]:
    """Convert statistics to nested lists for JSON and parquet."""
    return {name: value.tolist() for name, value in found.items()}


def _raise_first(futures: Iterable[Future[Any]]) -> None:
    """Raise the first error, and `Cancelled` only if there is no other."""
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, encoding.Cancelled)):
        raise error


def _devices(episode: Episode, rows: Rows) -> list[tuple[int, int, str]]:
    spans = [(*rows.moved(one.start_row, one.stop_row), one.device) for one in episode.devices]
    return [span for span in spans if span[0] < span[1]]


def _late(times_ns: np.ndarray, rate_hz: float) -> int:
    return int(np.sum(np.diff(times_ns) > 1.5e9 / rate_hz))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
