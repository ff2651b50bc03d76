"""The closed loop of the skill: real bridge and chunk scheduler, and whoever gives the chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from facing.scene import TASK, MarkedHome
from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.chunking.scheduler import ChunkScheduler
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.control.bridge import Tick
from pi05_ros.evaluation.bridged_robot import BridgedRobot
from pi05_ros.evaluation.closed_loop import ClosedLoop, LoopHooks, LoopTiming
from pi05_ros.evaluation.world_robot import WorldRobot

HORIZON = 50  # Rows of a chunk.
FRAME = 0.1  # Between two pictures [s].
_DELAY = 0.08  # Of a chunk's computation [s].
_INTERVAL = 5  # Rows between the observations of two chunks: a chunk for each picture.

Chunks = Callable[[Observation], np.ndarray]  # (HORIZON, D) float64.


def facing_loop(
    home: MarkedHome,
    chunks: Chunks,
    images: Callable[[], Mapping[str, np.ndarray]],
    on_tick: Callable[[Tick, int], None] | None = None,
) -> ClosedLoop:
    """Return a loop over a home; the subtask is the task, and never changes.

    Args:
        home: Begun.
        chunks: The low level.
        images: Takes the pictures of an observation.
        on_tick: See LoopHooks.
    """
    platform = home.world.platform
    return ClosedLoop(
        BridgedRobot(platform, WorldRobot(platform, home.world)),
        ChunkScheduler(ChunkSettings("async", _INTERVAL), platform.period, HORIZON, None),
        lambda observation, request: chunks(observation),
        lambda: _DELAY,
        planner=lambda observation: SubtaskPrediction(text=TASK),
        task=TASK,
        timing=LoopTiming(frame=FRAME, tick_phase=0.0),
        hooks=LoopHooks(on_tick, images),
    )
