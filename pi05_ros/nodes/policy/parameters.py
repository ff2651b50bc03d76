"""Parameters of policy."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.brain.options import DESCRIPTIONS
from pi05_ros.chunking.settings import AUTO, CHUNK_MODES, ChunkSettings
from pi05_ros.foundation.settings import setting
from pi05_ros.nodes.brain_common.parameters import BrainParameters


@dataclass(frozen=True)
class PolicyParameters(BrainParameters):
    """Parameters of policy."""

    chunk_mode: str = setting(
        AUTO,
        DESCRIPTIONS["chunk_mode"],
        choices=(AUTO, *CHUNK_MODES),
    )
    inference_limit_s: float = setting(
        3.0,
        "The policy is unfit, and the robot holds, while an inference has not returned for longer "
        "than this [s; simulated with use_sim_time].",
        minimum=0.5,
        maximum=600.0,
    )
    chunks: ChunkSettings = ChunkSettings()
