"""An Episode that is stored in a LeRobot dataset."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pi05_ros.data.bags.facts import OUTCOMES, BagError, EpisodeFacts
from pi05_ros.data.episodes.episode import MODE_RUNNING, DeviceSpan, Plan, SubtaskLabel
from pi05_ros.data.episodes.interventions import default_source
from pi05_ros.data.lerobot import columns, decoding
from pi05_ros.data.lerobot import layout as names
from pi05_ros.data.lerobot.dataset import Dataset, DatasetError, EpisodeEntry
from pi05_ros.data.lerobot.features import action_names, camera_keys, entry_names
from pi05_ros.data.lerobot.plans import plans_from_json

# Part of the fingerprint: pictures that a cache holds by an earlier rule are decoded again.
_PICTURE_RULE = "nearest frame"


class DatasetEpisode:
    """An episode of a dataset; rows and labels are read on first use, pictures at each access.

    In a dataset of another tool times count from the dataset's first row, every row has its own
    picture, the mode is RUNNING, and facts that the dataset lacks are empty.

    Args:
        dataset: The dataset's description.
        entry: The episode's entry in it.
    """

    def __init__(self, dataset: Dataset, entry: EpisodeEntry) -> None:
        self.source = dataset.root
        self.entry = entry
        self.rate_hz = dataset.fps
        self._features = dataset.features
        self._tasks = dataset.tasks
        self._subtasks = dataset.subtasks
        self._keys = camera_keys(dataset.features)
        self.cameras = tuple(self._keys)
        self._meta_facts = _facts(dataset, entry)
        self._lock = threading.RLock()
        self._kept: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lock": None, "_kept": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return self.entry.length

    @property
    def facts(self) -> EpisodeFacts:
        """Facts of meta/episodes, or outcome and operator from the rows' columns.

        LeRobot's own tools keep the columns of rows and may drop those of episodes.
        """
        if self.entry.ours:
            return self._meta_facts
        return self._keep("facts", self._facts_from_rows)

    @property
    def fingerprint(self) -> str:
        """Hash of the files' sizes and modification times, and of the rule for pictures."""
        paths = [self.entry.data, *(place.path for place in self.entry.videos.values())]
        stats = [(str(path), *_size_and_time(path)) for path in paths]
        return hashlib.sha256(repr((_PICTURE_RULE, self.entry.index, stats)).encode()).hexdigest()[
            :24
        ]

    @property
    def recording_fingerprint(self) -> str:
        """See Episode. A dataset's labels stand in its files."""
        return self.fingerprint

    @property
    def times_ns(self) -> np.ndarray:
        """See Episode."""
        if "time_ns" in self._features:
            return self._column("time_ns").reshape(-1).astype(np.int64)
        first = 1.0 + self.entry.first_row / self.rate_hz  # A time of 0 would mean "unknown".
        return np.round((first + self._seconds) * 1e9).astype(np.int64)

    @property
    def states(self) -> np.ndarray:
        """See Episode."""
        return self._column(names.STATE).astype(np.float64)

    @property
    def actions(self) -> np.ndarray:
        """See Episode."""
        return self._column(names.ACTION).astype(np.float64)

    @property
    def modes(self) -> np.ndarray:
        """See Episode."""
        if "mode" in self._features:
            return self._column("mode").reshape(-1).astype(np.uint8)
        return np.full(len(self), MODE_RUNNING, np.uint8)

    @property
    def control_sources(self) -> np.ndarray:
        """See Episode; in a dataset without the column a row that runs follows the policy."""
        if names.CONTROL_SOURCE in self._features:
            return self._column(names.CONTROL_SOURCE).reshape(-1).astype(np.uint8)
        return np.array([default_source(mode) for mode in self.modes.tolist()], np.uint8)

    @property
    def devices(self) -> tuple[DeviceSpan, ...]:
        """See Episode; kept with the episodes, which LeRobot's tools drop."""
        spans = json.loads(self.entry.ours.get("pi05/devices") or "[]")
        return tuple(DeviceSpan(*span) for span in spans)

    @property
    def labels(self) -> tuple[SubtaskLabel, ...]:
        """Labels of our columns, else the dataset's subtasks, else its tasks in their place."""
        return self._keep("labels", self._read_labels)

    @property
    def plans(self) -> tuple[Plan, ...]:
        """See Episode; kept with the episodes, which LeRobot's tools drop."""
        return self._keep("plans", self._read_plans)

    def _read_plans(self) -> tuple[Plan, ...]:
        text = self.entry.ours.get("pi05/plans")
        try:
            return plans_from_json(text) if text else ()
        except ValueError as error:
            what = f"episode {self.entry.index} has plans that cannot be read ({error})"
            raise DatasetError(self.source, what) from error

    def frame_times_ns(self, camera: str) -> np.ndarray:
        """Acquisition time of each distinct picture, (N,) int64 [ns]."""
        return self._distinct_pictures(camera)[1]

    def frame_of_row(self, camera: str) -> np.ndarray:
        """See Episode."""
        first_rows = self._distinct_pictures(camera)[0]
        return np.searchsorted(first_rows, np.arange(len(self)), side="right") - 1

    def picture(self, camera: str, index: int) -> np.ndarray:
        """See Episode."""
        row = int(self._distinct_pictures(camera)[0][index])
        key = self._keys[camera]
        if key in self.entry.videos:
            return decoding.frame(self.entry.videos[key], self._seconds[row], self.rate_hz)
        return self._picture_in_cell(key, row)

    def pictures(self, camera: str, start: int, stop: int) -> Iterator[np.ndarray]:
        """See Episode."""
        rows = self._distinct_pictures(camera)[0][start:stop]
        key = self._keys[camera]
        if key in self.entry.videos:
            seconds = self._seconds[rows].tolist()
            yield from decoding.frames(self.entry.videos[key], seconds, self.rate_hz)
        else:
            for row in rows:
                yield self._picture_in_cell(key, int(row))

    @property
    def _seconds(self) -> np.ndarray:
        """Time of each row since the episode's first frame, (T,) float64 [s]."""
        return self._keep("seconds", self._read_seconds)

    def _read_seconds(self) -> np.ndarray:
        even = np.arange(len(self)) / self.rate_hz
        if "timestamp" not in self._table().column_names:
            return even
        given = self._column("timestamp").reshape(-1).astype(np.float64)
        later = np.diff(given) > 0
        if not np.isfinite(given).all() or not later.all():
            row = int(np.flatnonzero(~np.append(True, later) | ~np.isfinite(given))[0])
            raise DatasetError(
                self.entry.data,
                f"timestamp of row {row} of episode {self.entry.index} is {given[row]:g} s, not "
                "later than the row before: its picture cannot be found; write rising seconds "
                "since the episode's first frame",
            )
        # The column is float32: what is even within its resolution is taken as even.
        slack = decoding.SAME_S + float(np.spacing(np.float32(given.max(initial=0.0))))
        return even if np.abs(given - even).max(initial=0.0) <= slack else given

    def _distinct_pictures(self, camera: str) -> tuple[np.ndarray, np.ndarray]:
        """First row of each picture, and its acquisition time [ns], (N,) int64 each."""
        if camera not in self._keys:
            raise KeyError(camera)
        if names.CAMERA_TIMES not in self._features:
            return np.arange(len(self)), self.times_ns
        order = self._features[names.CAMERA_TIMES]["names"]
        times = self._column(names.CAMERA_TIMES)[:, order.index(camera)].astype(np.int64)
        rows = np.flatnonzero(np.concatenate(([True], np.diff(times) != 0)))
        return rows, times[rows]

    def _picture_in_cell(self, key: str, row: int) -> np.ndarray:
        stamp = _size_and_time(self.entry.data)
        cells = _cells(self.entry.data, stamp, key, self.entry.index)
        where = f"{self.entry.data}: {key} of row {row} of episode {self.entry.index}"
        return decoding.picture_from(cells[row].as_py(), self.source, where)

    def _facts_from_rows(self) -> EpisodeFacts:
        outcome = self._first_text("outcome")
        return dataclasses.replace(
            self._meta_facts,
            # Another tool's column may hold other words.
            outcome=outcome if outcome in OUTCOMES else "",
            operator_name=self._first_text("operator"),
        )

    def _first_text(self, name: str) -> str:
        if self._features.get(name, {}).get("dtype") != "string" or not len(self):
            return ""
        return str(self._table().column(name)[0].as_py() or "")

    def _read_labels(self) -> tuple[SubtaskLabel, ...]:
        numbers = self._column("task_index").reshape(-1)
        unknown = set(np.unique(numbers).tolist()) - set(self._tasks)
        if unknown:
            raise DatasetError(
                self.entry.data, f"names task {min(unknown)}, which the dataset does not have"
            )
        tasks = [self._tasks[number] for number in numbers.tolist()]
        if all(name in self._features for name in names.LABEL_COLUMNS):
            return columns.labels_from(self._table().select(names.LABEL_COLUMNS), tasks)
        if "subtask_index" in self._features and self._subtasks:
            subtasks = self._column("subtask_index").reshape(-1).tolist()
            texts = [self._subtasks.get(number, "") for number in subtasks]
            return columns.labels_of_texts(texts, "external", tasks)
        if names.ANNOTATIONS in self._features and (annotations := self._annotations()):
            texts = columns.texts_of_annotations(annotations, self._seconds, self.rate_hz)
            return columns.labels_of_texts(texts, "external", tasks)
        return columns.labels_of_texts(tasks, "implicit", tasks)

    def _annotations(self) -> list[dict[str, Any]]:
        """Entries of LeRobot's annotation for subtasks; the same in every row."""
        rows = _column_of(self.entry.data, names.ANNOTATIONS, self.entry.index)
        entries = rows[0].as_py() if len(rows) else None
        return [one for one in entries or [] if one.get("style") == "subtask"]

    def _column(self, name: str) -> np.ndarray:
        return self._keep(name, lambda: self._read_column(name))

    def _read_column(self, name: str) -> np.ndarray:
        try:
            return columns.matrix(self._table().column(name))
        except KeyError as error:
            raise DatasetError(self.entry.data, f"has no column {name}") from error
        except (ValueError, TypeError, pa.ArrowException) as error:
            raise DatasetError(self.entry.data, f"column {name}: {error}") from error

    def _table(self) -> pa.Table:
        return self._keep("table", self._read_table)

    def _read_table(self) -> pa.Table:
        wanted = [
            key
            for key, feature in self._features.items()
            if feature["dtype"] not in ("video", "image", "language")
        ]
        path, index = self.entry.data, self.entry.index
        try:
            present = set(pq.read_schema(path).names)
            table = pq.read_table(
                path,
                columns=[key for key in wanted if key in present],
                filters=[("episode_index", "=", index)],
            )
        except (OSError, pa.ArrowException) as error:
            raise DatasetError(path, f"is no parquet file that can be read ({error})") from error
        if len(table) != len(self):
            raise DatasetError(
                path, f"holds {len(table)} rows of episode {index}, not {len(self)}: it is cut"
            )
        return table

    def _keep(self, name: str, make: Any) -> Any:
        with self._lock:
            if name not in self._kept:
                self._kept[name] = make()
            return self._kept[name]


def _facts(dataset: Dataset, entry: EpisodeEntry) -> EpisodeFacts:
    for key in (names.STATE, names.ACTION):
        if key not in dataset.features:
            found = ", ".join(key for key in dataset.features if key.startswith(("obs", "act")))
            raise DatasetError(
                dataset.root / names.INFO,
                f"has no feature {key}, as LeRobot calls it; found {found or 'none'}: rename it "
                "there and in the parquet files",
            )
    if text := entry.ours.get("pi05/facts"):
        try:
            facts = EpisodeFacts.from_custom_data(json.loads(text), str(dataset.root))
        except (ValueError, BagError) as error:
            raise DatasetError(
                dataset.root, f"episode {entry.index} has facts that cannot be read ({error})"
            ) from error
        return dataclasses.replace(facts, rate_hz=dataset.fps)
    return EpisodeFacts(
        id=f"{dataset.root.resolve().name}_{entry.index:06d}",
        platform=dataset.robot,
        names=entry_names(dataset.features[names.STATE], "state"),
        rate_hz=dataset.fps,
        task=entry.tasks[0] if entry.tasks else "",
        action_names=action_names(dataset.features),
    )


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4)
def _cells(path: Path, stamp: tuple[int, int], key: str, episode: int) -> pa.ChunkedArray:
    """Encoded pictures of an episode, for datasets that keep them in their table.

    `stamp` is part of the cache key, so that a changed file is read again.
    """
    return _column_of(path, key, episode)


def _column_of(path: Path, key: str, episode: int) -> pa.ChunkedArray:
    try:
        return pq.read_table(path, columns=[key], filters=[("episode_index", "=", episode)])[key]
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DatasetError(path, f"column {key} cannot be read ({error})") from error
