"""Parameters of recorder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pi05_ros.data.bags.writer import WriterSettings
from pi05_ros.foundation.settings import setting
from pi05_ros.recording.queue import QueueLimits
from pi05_ros.recording.session import SessionSettings
from pi05_ros.recording.topics import IMAGES

_MB = 1_000_000


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of recorder."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    bags: str = setting("bags", "Folder of the bags; each episode is a folder in it.")
    record: bool = setting(
        False, "Start one episode without a request, when the whole graph is active."
    )
    task: str = setting("", "Task of that episode; empty: the planner's.")
    operator_name: str = setting("", "Operator of the robot, for requests that do not name one.")
    home: str = setting("", "Place of the robot, for requests that do not name one.")
    brain: str = setting("", "Brain ('model', 'expert', 'none'), for the bag's metadata.")
    checkpoint: str = setting(
        "", "Checkpoint of the brain, for the bag's metadata; as in the brain's own parameter."
    )
    images: str = setting(
        "auto",
        "Recorded form of the pictures: compressed or raw; auto: compressed where the driver "
        "offers it.",
        choices=IMAGES,
    )
    include: str = setting(
        "", "Regular expression that matches the full names of further topics to record."
    )
    exclude: str = setting(
        "", "Regular expression that matches the full names of topics to leave out."
    )
    queue_mb: int = setting(
        256,
        "Greatest amount of data that waits for a slow disk [MB]; more is dropped.",
        minimum=8,
        maximum=16384,
    )
    writer: WriterSettings = WriterSettings(split_after_s=600.0)

    def session(self) -> SessionSettings:
        """Return how episodes are written."""
        total = self.queue_mb * _MB
        reserve = min(QueueLimits.small_reserve_bytes, total // 4)
        return SessionSettings(self.writer, QueueLimits(total, reserve))

    @property
    def folder(self) -> Path:
        """Absolute path of the folder of the bags."""
        return Path(self.bags).expanduser().absolute()
