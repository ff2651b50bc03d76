"""Parameters of policy."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.brain.options import DESCRIPTIONS
from pi05_ros.chunking.settings import AUTO, CHUNK_MODES, ChunkSettings
from pi05_ros.nodes.brain_common.brain_node import BrainParameters
from pi05_ros.nodes.common.parameters import parameter


@dataclass(frozen=True)
class PolicyParameters(BrainParameters):
    """Parameters of policy."""

    chunk_mode: str = parameter(
        AUTO,
        DESCRIPTIONS["chunk_mode"],
        choices=(AUTO, *CHUNK_MODES),
    )
    execution_horizon: int = parameter(
        ChunkSettings.execution_horizon,
        "Rows from one chunk's observation to the next one's, at least; in sync, rows that are "
        "executed of each.",
        minimum=1,
        maximum=1000,
    )
    chunk_margin: int = parameter(
        ChunkSettings.margin,
        "Rows that must be left of a chunk when the next one is there.",
        minimum=0,
        maximum=1000,
    )
    initial_delay: int = parameter(
        ChunkSettings.initial_delay,
        "Rows that a chunk is taken to be late by, until it was measured.",
        minimum=0,
        maximum=1000,
    )

    def chunk_settings(self, mode: str) -> ChunkSettings:
        """How chunks follow each other in a mode that is settled."""
        return ChunkSettings(
            mode=mode,
            execution_horizon=self.execution_horizon,
            margin=self.chunk_margin,
            initial_delay=self.initial_delay,
        )
