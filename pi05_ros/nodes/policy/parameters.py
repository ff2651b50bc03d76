"""Parameters of policy."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.chunking.settings import AUTO, CHUNK_MODES, ChunkSettings
from pi05_ros.foundation.settings import setting
from pi05_ros.nodes.brain_common.parameters import BrainParameters


@dataclass(frozen=True)
class PolicyParameters(BrainParameters):
    """Parameters of policy."""

    chunk_mode: str = setting(
        AUTO,
        "Transition between chunks. sync: the robot stands and waits for each chunk; async: the "
        "next chunk is computed while one is executed; rtc: as async, and continues the running "
        "chunk by guidance of the flow; trained_rtc: as async, and continues it as trained. auto: "
        "trained_rtc if the checkpoint was trained for it, else async.",
        choices=(AUTO, *CHUNK_MODES),
    )
    chunks: ChunkSettings = ChunkSettings()
