"""Files and columns of our datasets in LeRobot's format v3.0.

The format is LeRobot's (its documentation and `lerobot/datasets/`), with additional columns of
ours. They are declared in `meta/info.json` like any feature, so that LeRobot's readers return
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

VERSION = "v3.0"
INFO = "meta/info.json"
STATISTICS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
SUBTASKS = "meta/subtasks.parquet"
OURS = "meta/pi05.json"  # A DatasetLayout; LeRobot ignores it.
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"

# LeRobot's own limits. A file holds whole episodes; a larger episode has its own file.
FILES_PER_CHUNK = 1000
DATA_FILE_MB = 100
VIDEO_FILE_MB = 200

STATE = "observation.state"
ACTION = "action"
IMAGE_PREFIX = "observation.images."

# Column of LeRobot's annotation tools (from 0.6) with subtasks, plans and the like.
ANNOTATIONS = "language_persistent"

# Columns that LeRobot's writer adds, with the types that its reader expects.
OWN_COLUMNS = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
# Our columns, one value a row. Those of a label are empty (or 0, NaN) in rows without one.
TEXT_COLUMNS = ("subtask", "source", "boxes", "model_subtask", "outcome", "operator")
LABEL_COLUMNS = ("subtask", "source", "boxes", "model_subtask", "subtask_id", "score")
NUMBER_COLUMNS = {
    "subtask_index": "int64",  # Row of meta/subtasks.parquet, as LeRobot 0.4.4 to 0.5 read it.
    "subtask_id": "int64",
    "score": "float64",
    "mode": "uint8",
    "time_ns": "int64",
}
NO_SCORE = -1.0  # In `score` where the source gives none; NaN in datasets of earlier versions.
CONTROL_SOURCE = "control_source"  # uint8; datasets from before teleoperation lack it.
CAMERA_TIMES = "camera_time_ns"  # One value a camera: acquisition time of the row's picture.


@dataclass(frozen=True)
class CameraFormat:
    """Name of a camera and size of its pictures [pixel]."""

    name: str
    height: int
    width: int

    @property
    def key(self) -> str:
        """Name of the feature."""
        return IMAGE_PREFIX + self.name

    @property
    def pixel_format(self) -> str:
        """Pixel format: chroma at half size for even sides, else at full size."""
        return "yuv420p" if self.height % 2 == 0 and self.width % 2 == 0 else "yuv444p"


@dataclass(frozen=True)
class DatasetLayout:
    """The layout that all episodes of one dataset share."""

    platform: str
    names: tuple[str, ...]  # Names of the vectors' entries.
    units: tuple[str, ...]
    rate_hz: float  # Rate of the robot's rows [Hz].
    step: int  # Every `step`-th row is exported.
    cameras: tuple[CameraFormat, ...]
    crf: int
    action_names: tuple[str, ...] = ()  # Of the action's entries; (): `names`.
    control_source: bool = True  # Whether rows have this column; a dataset keeps its columns.
    # Whether all columns are finite and have statistics, texts included; a dataset keeps it.
    complete_statistics: bool = True

    @property
    def fps(self) -> int:
        """Rows, and pictures of each video, per second."""
        return round(self.rate_hz / self.step)

    def to_json(self) -> dict[str, Any]:
        """Return the content of meta/pi05.json."""
        content = asdict(self)
        for later in ("control_source", "complete_statistics"):
            if not content[later]:
                del content[later]
        if not self.action_names:  # As datasets were written before there were others.
            del content["action_names"]
        return content

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DatasetLayout:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError: An entry is missing or unknown.
        """
        return cls(
            platform=data["platform"],
            names=tuple(data["names"]),
            units=tuple(data["units"]),
            rate_hz=float(data["rate_hz"]),
            step=int(data["step"]),
            cameras=tuple(CameraFormat(**camera) for camera in data["cameras"]),
            crf=int(data["crf"]),
            action_names=tuple(data.get("action_names", ())),
            control_source=bool(data.get("control_source", False)),
            complete_statistics=bool(data.get("complete_statistics", False)),
        )

    def differences(self, other: DatasetLayout) -> list[str]:
        """List the differences of `other`, as clauses like "fps 25 instead of 50"."""
        ours, theirs = self._compared(), other._compared()
        return [
            f"{key} {_short(theirs[key])} instead of {_short(ours[key])}"
            for key in ours
            if ours[key] != theirs[key]
        ]

    def _compared(self) -> dict[str, Any]:
        cameras = [f"{c.name} {c.width}x{c.height}" for c in self.cameras]
        return {
            "platform": self.platform,
            "names": ", ".join(self.names),
            "action names": ", ".join(self.action_names or self.names),
            "units": ", ".join(self.units),
            "rate_hz": self.rate_hz,
            "fps": self.fps,
            "cameras": ", ".join(cameras),
            "crf": self.crf,
        }

    def without_statistics(self) -> tuple[str, ...]:
        """Names of the columns without statistics, in datasets of earlier versions only."""
        return () if self.complete_statistics else ("score", *TEXT_COLUMNS)

    def features(self) -> dict[str, dict[str, Any]]:
        """The features of meta/info.json, in the order of the columns, videos last."""
        found: dict[str, dict[str, Any]] = {}
        for key, entries in ((STATE, self.names), (ACTION, self.action_names or self.names)):
            found[key] = {"dtype": "float64", "shape": [len(entries)], "names": list(entries)}
        for name, dtype in (OWN_COLUMNS | NUMBER_COLUMNS).items():
            found[name] = {"dtype": dtype, "shape": [1], "names": None}
        if self.control_source:
            found[CONTROL_SOURCE] = {"dtype": "uint8", "shape": [1], "names": None}
        for name in TEXT_COLUMNS:
            found[name] = {"dtype": "string", "shape": [1], "names": None}
        names = [camera.name for camera in self.cameras]
        if names:
            found[CAMERA_TIMES] = {"dtype": "int64", "shape": [len(names)], "names": names}
        for camera in self.cameras:
            found[camera.key] = {
                "dtype": "video",
                "shape": [camera.height, camera.width, 3],
                "names": ["height", "width", "channels"],
                "info": {
                    "video.height": camera.height,
                    "video.width": camera.width,
                    "video.codec": "h264",
                    "video.pix_fmt": camera.pixel_format,
                    "video.fps": self.fps,
                    "video.channels": 3,
                    "video.is_depth_map": False,
                    "has_audio": False,
                },
            }
        return found


def place(index: int) -> dict[str, int]:
    """Chunk and file number of the index-th file of a kind."""
    return {"chunk_index": index // FILES_PER_CHUNK, "file_index": index % FILES_PER_CHUNK}


def place_after(chunk_index: int, file_index: int) -> dict[str, int]:
    """Chunk and file number of the next file."""
    return place(chunk_index * FILES_PER_CHUNK + file_index + 1)


def numbered(path: Path) -> int:
    """The inverse of `place`, from a file's path."""
    chunk, file = path.parent.name, path.stem
    return int(chunk.removeprefix("chunk-")) * FILES_PER_CHUNK + int(file.removeprefix("file-"))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"
