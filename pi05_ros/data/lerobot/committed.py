"""The committed part of a dataset of ours, as counted in meta/info.json, which is written last."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pi05_ros.data.lerobot import layout as names
from pi05_ros.data.lerobot.dataset import DatasetError
from pi05_ros.data.lerobot.layout import DatasetLayout


@dataclass(frozen=True)
class Committed:
    """The committed part of a dataset; its files may hold more rows, of a run that was killed."""

    folder: Path
    layout: DatasetLayout | None  # None: the dataset is empty.
    episodes: tuple[dict[str, Any], ...] = ()  # Rows of meta/episodes.
    tasks: tuple[str, ...] = ()
    subtasks: tuple[str, ...] = ()
    rows: int = 0
    fingerprints: dict[str, str] = field(default_factory=dict)  # Episode's id -> fingerprint.


def read_committed(folder: Path) -> Committed:
    """Read the committed part of a dataset; empty if the folder holds no dataset.

    Raises:
        DatasetError: The dataset is damaged or was written by another tool.
    """
    info_path = folder / names.INFO
    if not info_path.exists():
        return Committed(folder, None)
    ours = folder / names.OURS
    if not ours.exists():
        raise DatasetError(
            folder,
            f"is a LeRobot dataset that something else wrote (it has no {names.OURS}), so nothing "
            f"is added to it; name another folder",
        )
    try:
        info = json.loads(info_path.read_text(encoding="utf-8"))
        layout = DatasetLayout.from_json(json.loads(ours.read_text(encoding="utf-8")))
        count = int(info["total_episodes"])
        tables = [pq.read_table(path) for path in sorted(folder.glob("meta/episodes/*/*.parquet"))]
        episodes = pa.concat_tables(tables).slice(0, count).to_pylist() if tables else []
        committed = Committed(
            folder,
            layout,
            tuple(episodes),
            _texts(folder / names.TASKS, "task"),
            _texts(folder / names.SUBTASKS, "subtask"),
            int(info["total_frames"]),
            {row["pi05/id"]: row["pi05/fingerprint"] for row in episodes},
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DatasetError(
            folder, f"its meta folder is damaged ({error}); export into a new folder"
        ) from error
    if len(episodes) != count:
        raise DatasetError(
            folder,
            f"{names.INFO} lists {count} episodes, meta/episodes holds {len(episodes)}; "
            f"export into a new folder",
        )
    return committed


def _texts(path: Path, column: str) -> tuple[str, ...]:
    return tuple(pq.read_table(path).column(column).to_pylist())
