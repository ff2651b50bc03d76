"""The description of a LeRobot dataset of format v2.0, v2.1 or v3.0, of any origin."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pi05_ros.data.lerobot import layout as names
from pi05_ros.errors import Pi05Error

OLD_VERSIONS = ("v2.0", "v2.1")
VERSIONS = (*OLD_VERSIONS, names.VERSION)
OLD_DATA_PATH = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
OLD_VIDEO_PATH = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"


class DatasetError(Pi05Error):
    """A LeRobot dataset cannot be read or written as asked.

    Args:
        where: The dataset, or the file of it that is wrong.
        problem: What was wanted, what was found and what to do, as one clause.
    """

    def __init__(self, where: Path | str, problem: str) -> None:
        self.where = Path(where)
        self.problem = problem
        super().__init__(f"{where}: {problem}")

    def __reduce__(self) -> tuple[type, tuple[Path, str]]:
        return type(self), (self.where, self.problem)  # Worker processes pickle it.


@dataclass(frozen=True)
class VideoPlace:
    """An episode's part of a video file."""

    path: Path
    from_s: float = 0.0  # Time of its first frame in the file [s].
    to_s: float = math.inf  # End of its last one; later frames are of other episodes.


@dataclass(frozen=True)
class EpisodeEntry:
    """One episode of a dataset."""

    index: int
    length: int  # Rows.
    first_row: int  # Its index in the dataset.
    data: Path
    videos: Mapping[str, VideoPlace]  # Feature -> its frames.
    tasks: tuple[str, ...]
    ours: Mapping[str, Any]  # The columns "pi05/…" of meta/episodes; {}: written by another tool.


@dataclass(frozen=True)
class Dataset:
    """A dataset's description, without its rows and pictures."""

    root: Path
    version: str
    fps: float
    robot: str
    features: Mapping[str, Mapping[str, Any]]
    tasks: Mapping[int, str]
    subtasks: Mapping[int, str]
    episodes: tuple[EpisodeEntry, ...]


def is_dataset(path: Path) -> bool:
    """Check whether a folder looks like a LeRobot dataset."""
    return (path / names.INFO).is_file()


def read_dataset(root: Path) -> Dataset:
    """Read the meta folder.

    Raises:
        DatasetError: The folder is no LeRobot dataset, of an unknown version, or damaged.
    """
    if not is_dataset(root):
        raise DatasetError(root, f"is no LeRobot dataset: there is no {names.INFO}")
    info = _json(root / names.INFO)
    version = str(info.get("codebase_version", "none"))
    if version not in VERSIONS:
        raise DatasetError(
            root / names.INFO, f"has format {version}; known are {', '.join(VERSIONS)}"
        )
    old = version in OLD_VERSIONS
    try:
        fps, features = float(info["fps"]), dict(info["features"])
        if not fps > 0:
            raise ValueError(f"fps is {fps}")
        for key, feature in features.items():
            if not isinstance(feature.get("dtype"), str):
                raise ValueError(f"feature {key} has no dtype")
        dataset = Dataset(
            root,
            version,
            fps,
            str(info.get("robot_type") or ""),
            features,
            _old_tasks(root) if old else _numbered_texts(root / names.TASKS, "task"),
            {} if old else _numbered_texts(root / names.SUBTASKS, "subtask", optional=True),
            (),
        )
        entries = tuple((_old_episodes if old else _episodes)(dataset, info))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"is not as wanted: {error}"
        raise DatasetError(root / names.INFO, f"or what it points to {what}") from error
    total = int(info.get("total_episodes", len(entries)))
    if len(entries) < total:
        raise DatasetError(
            root,
            f"lists {total} episodes in {names.INFO} and describes {len(entries)} of them",
        )
    # A writer that was killed may have described more episodes than it finished.
    return Dataset(**{**dataset.__dict__, "episodes": entries[:total]})


def _episodes(dataset: Dataset, info: Mapping[str, Any]) -> Iterator[EpisodeEntry]:
    root = dataset.root
    paths = sorted((root / "meta/episodes").glob("*/*.parquet"))
    if not paths and int(info.get("total_episodes", 0)):
        raise DatasetError(root / "meta/episodes", "holds no parquet file: the dataset is cut")
    data_path = info.get("data_path") or names.DATA_PATH
    video_path = info.get("video_path") or names.VIDEO_PATH
    videos = [key for key, feature in dataset.features.items() if feature["dtype"] == "video"]
    rows: list[dict[str, Any]] = []
    for path in paths:
        table = _parquet(path)
        wanted = [name for name in table.column_names if not name.startswith("stats/")]
        rows += table.select(wanted).to_pylist()
    for row in sorted(rows, key=lambda row: int(row["episode_index"])):
        places = {}
        for key in videos:
            path = root / video_path.format(
                video_key=key,
                chunk_index=row[f"videos/{key}/chunk_index"],
                file_index=row[f"videos/{key}/file_index"],
            )
            begin, end = (
                float(row[f"videos/{key}/from_timestamp"]),
                row.get(f"videos/{key}/to_timestamp"),
            )
            places[key] = VideoPlace(path, begin, math.inf if end is None else float(end))
        yield EpisodeEntry(
            int(row["episode_index"]),
            int(row["length"]),
            int(row["dataset_from_index"]),
            root
            / data_path.format(
                chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
            ),
            places,
            tuple(row.get("tasks") or ()),
            {key: value for key, value in row.items() if key.startswith("pi05/")},
        )


def _old_episodes(dataset: Dataset, info: Mapping[str, Any]) -> Iterator[EpisodeEntry]:
    root, chunk_size = dataset.root, int(info.get("chunks_size") or names.FILES_PER_CHUNK)
    data_path = info.get("data_path") or OLD_DATA_PATH
    video_path = info.get("video_path") or OLD_VIDEO_PATH
    videos = [key for key, feature in dataset.features.items() if feature["dtype"] == "video"]
    first_row = 0
    lines = _json_lines(root / "meta/episodes.jsonl")
    for line in sorted(lines, key=lambda line: int(line["episode_index"])):
        index = int(line["episode_index"])
        place = {"episode_chunk": index // chunk_size, "episode_index": index}
        yield EpisodeEntry(
            index,
            int(line["length"]),
            first_row,
            root / data_path.format(**place),
            {key: VideoPlace(root / video_path.format(video_key=key, **place)) for key in videos},
            tuple(line.get("tasks") or ()),
            {},
        )
        first_row += int(line["length"])


def _old_tasks(root: Path) -> dict[int, str]:
    lines = _json_lines(root / "meta/tasks.jsonl")
    return {int(line["task_index"]): str(line["task"]) for line in lines}


def _numbered_texts(path: Path, what: str, optional: bool = False) -> dict[int, str]:
    if optional and not path.exists():
        return {}
    table = _parquet(path)
    # pandas writes the index under its name, or under this one if it has none.
    texts = next((n for n in (what, "__index_level_0__") if n in table.column_names), None)
    if texts is None or f"{what}_index" not in table.column_names:
        raise DatasetError(
            path, f"has columns {', '.join(table.column_names)}; wanted {what} and {what}_index"
        )
    return dict(
        zip(
            table.column(f"{what}_index").to_pylist(), table.column(texts).to_pylist(), strict=True
        )
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(path, f"is no JSON that can be read ({error})") from error
    if not isinstance(found, dict):
        raise DatasetError(path, "is no JSON object")
    return found


def _json_lines(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise DatasetError(path, f"is not JSON by lines that can be read ({error})") from error


def _parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(path, f"is no parquet file that can be read ({error})") from error
