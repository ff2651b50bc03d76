"""Parameters of recorder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pi05_ros.data.bags.writer import WriterSettings
from pi05_ros.nodes.common.parameters import parameter
from pi05_ros.recording.queue import QueueLimits
from pi05_ros.recording.session import SessionSettings
from pi05_ros.recording.topics import IMAGES

_COMPRESSIONS = ("zstd", "lz4", "none")
_MB = 1_000_000


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of recorder."""

    platform: str = parameter("mobile_18dof", "Name of a platform, or the path of its YAML file.")
    bags: str = parameter("bags", "Folder of the bags, one folder an episode inside.")
    record: bool = parameter(
        False, "Begin an episode by itself, once, when the whole graph is active."
    )
    task: str = parameter("", "Task of that episode. Empty: the planner's.")
    operator_name: str = parameter("", "Who runs the robot, where a request names nobody.")
    home: str = parameter("", "Where the robot is, where a request does not say.")
    brain: str = parameter("", "What thinks ('model', 'expert'), for the bag's metadata.")
    checkpoint: str = parameter("", "Its weights, as the brain was given them.")
    images: str = parameter(
        "auto",
        "Which pictures: compressed where the driver offers them, or one form only.",
        choices=IMAGES,
    )
    include: str = parameter("", "Regular expression of further topics, matched in full.")
    exclude: str = parameter("", "Regular expression of topics to leave out, matched in full.")
    compression: str = parameter(
        "zstd", "Of the bag's chunks; see docs/design/recording.md.", choices=_COMPRESSIONS
    )
    split_after_s: float = parameter(
        600.0, "A bag's file is followed by another after so long [s]; 0: never.", minimum=0
    )
    queue_mb: int = parameter(
        256, "What may wait for a slow disk [MB]; more is dropped.", minimum=8, maximum=16384
    )

    def session(self) -> SessionSettings:
        """How episodes are written."""
        total = self.queue_mb * _MB
        return SessionSettings(
            WriterSettings(compression=self.compression, split_after_s=self.split_after_s),
            QueueLimits(total, min(QueueLimits.small_reserve_bytes, total // 4)),
        )

    @property
    def folder(self) -> Path:
        """Of the bags, absolute."""
        return Path(self.bags).expanduser().absolute()
