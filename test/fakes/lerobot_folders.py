"""LeRobot datasets of other tools: v2.1 with videos, v3.0 with pictures in the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

JOINTS = ["waist", "wrist"]
LENGTHS = (12, 7)
TASKS = ("stack the cubes", "unstack the cubes")


def picture(episode: int, row: int) -> np.ndarray:
    """(32, 48, 3) uint8 rgb: the grey level encodes the row, the side the episode."""
    found = np.full((32, 48, 3), 20 + 15 * row, np.uint8)
    found[:, : 16 * (episode + 1)] //= 2
    return found


def states(episode: int) -> np.ndarray:
    """(T, 2) float32."""
    rows = np.arange(LENGTHS[episode], dtype=np.float32)
    return np.stack([rows / 7, episode - rows / 3], axis=1)


def _columns(episode: int, first_row: int) -> dict[str, Any]:
    count = LENGTHS[episode]
    return {
        "observation.state": pa.array(states(episode).tolist(), pa.list_(pa.float32())),
        "action": pa.array((states(episode) + 1).tolist(), pa.list_(pa.float32())),
        "timestamp": pa.array((np.arange(count) / 10).astype(np.float32)),
        "frame_index": np.arange(count),
        "episode_index": np.full(count, episode),
        "index": np.arange(count) + first_row,
        "task_index": np.full(count, episode),
    }


def _info(version: str, **more: Any) -> dict[str, Any]:
    vector = {"dtype": "float32", "shape": [2], "names": {"motors": JOINTS}}
    numbers = ("frame_index", "episode_index", "index", "task_index")
    return {
        "codebase_version": version,
        "robot_type": "so100",
        "total_episodes": 2,
        "total_frames": sum(LENGTHS),
        "total_tasks": 2,
        "chunks_size": 1000,
        "fps": 10,
        "features": {
            "observation.state": vector,
            "action": vector,
            "timestamp": {"dtype": "float32", "shape": [1], "names": None},
            **{name: {"dtype": "int64", "shape": [1], "names": None} for name in numbers},
            "observation.images.laptop": {
                "dtype": "video",
                "shape": [32, 48, 3],
                "names": ["height", "width", "channels"],
            },
        },
    } | more


def _video(path: Path, pictures: list[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.options = {"crf": "10", "g": "2"}
        for one in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(one, format="rgb24")))
        container.mux(stream.encode(None))


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_v21(root: Path) -> Path:
    """Two episodes of format v2.1: a parquet and an mp4 for each, JSON by lines."""
    (root / "meta").mkdir(parents=True)
    info = _info(
        "v2.1",
        data_path="data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        video_path="videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    )
    (root / "meta/info.json").write_text(json.dumps(info))
    _lines(root / "meta/tasks.jsonl", [{"task_index": i, "task": t} for i, t in enumerate(TASKS)])
    _lines(
        root / "meta/episodes.jsonl",
        [
            {"episode_index": i, "tasks": [TASKS[i]], "length": n}
            for i, n in reversed(list(enumerate(LENGTHS)))
        ],
    )
    for index, count in enumerate(LENGTHS):
        name = f"episode_{index:06d}"
        table = pa.table(_columns(index, sum(LENGTHS[:index])))
        _write(root / f"data/chunk-000/{name}.parquet", table)
        _video(
            root / f"videos/chunk-000/observation.images.laptop/{name}.mp4",
            [picture(index, row) for row in range(count)],
        )
    return root


def write_v30(root: Path, *, videos: bool = True) -> Path:
    """The same in format v3.0: one file of rows, and of video, for both episodes.

    Args:
        root: New folder.
        videos: False keeps each picture as PNG in the table.
    """
    (root / "meta").mkdir(parents=True)
    key = "observation.images.laptop"
    info = _info(
        "v3.0",
        data_path="data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        video_path="videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    )
    tables, rows = [], []
    for index, count in enumerate(LENGTHS):
        first = sum(LENGTHS[:index])
        columns = _columns(index, first)
        if not videos:
            columns[key] = pa.array(
                [{"bytes": _png(picture(index, row)), "path": None} for row in range(count)],
                pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            )
        tables.append(pa.table(columns))
        row = {
            "episode_index": index,
            "tasks": [TASKS[index]],
            "length": count,
            "data/chunk_index": 0,
            "data/file_index": 0,
            "dataset_from_index": first,
            "dataset_to_index": first + count,
        }
        if videos:
            row |= {f"videos/{key}/chunk_index": 0, f"videos/{key}/file_index": 0}
            row |= {f"videos/{key}/from_timestamp": first / 10}
            row |= {f"videos/{key}/to_timestamp": (first + count) / 10}
        rows.append(row)
    if videos:
        every = [picture(index, row) for index, n in enumerate(LENGTHS) for row in range(n)]
        _video(root / f"videos/{key}/chunk-000/file-000.mp4", every)
    else:
        info["features"][key]["dtype"] = "image"
        info["video_path"] = None
    (root / "meta/info.json").write_text(json.dumps(info))
    _write(root / "data/chunk-000/file-000.parquet", pa.concat_tables(tables))
    _write(root / "meta/episodes/chunk-000/file-000.parquet", pa.Table.from_pylist(rows))
    tasks = pa.table({"task_index": [1, 0], "__index_level_0__": [TASKS[1], TASKS[0]]})
    _write(root / "meta/tasks.parquet", tasks)
    return root


def _png(found: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", found[..., ::-1])[1])
