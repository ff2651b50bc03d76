"""The suite's nodes with a brain that needs no model: `python -m system.stand_in NAME`.

Everything but the brain is the node as it ships. A model drawn at random says nothing that the
planner would believe, and what it does cannot be foreseen; this one's motion is the fake policy's.

With PI05_FAULTY_CALLBACKS=N in the environment, every N-th message that a node takes raises an
exception in its callback that no node expects.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from pi05_ros.brain.continuation import CONTINUATION_MODES, Continuation, ContinuationMode
from pi05_ros.brain.interface import BrainInfo, ChunkPrediction, SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.nodes import executables
from pi05_ros.nodes.brain_common import brains
from pi05_ros.platforms.platform import Platform
from system.source import HORIZON, Motion

FAULTY_VARIABLE = "PI05_FAULTY_CALLBACKS"
INJECTED = "a fault that was put in on purpose"
# Where the messages of a node's callbacks pass through, by executable.
_CALLED_IN_CALLBACKS = {
    "camera_ingestion": ("pi05_ros.nodes.camera_ingestion.camera_ingestion", "time_to_ns"),
    "control_bridge": ("pi05_ros.nodes.control_bridge.inputs", "time_to_ns"),
    "planner": ("pi05_ros.nodes.brain_common.observation_inputs", "state_from_message"),
    "policy": ("pi05_ros.nodes.brain_common.observation_inputs", "state_from_message"),
}


class StandIn:
    """A brain that always has the same subtask, and the fake policy's motion."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._motion = Motion()
        self.info = BrainInfo(
            name="stand-in",
            checkpoint="",
            description="stand-in: slow sines, no model",
            subtask_source="external",
            image_size=None,
            needs_scene=False,
            horizon=HORIZON,
            period=platform.period,
            continuations=CONTINUATION_MODES,
            max_prefix=HORIZON - 1,
        )

    def warm_up(self, continuation: ContinuationMode | None = None) -> None:
        """Nothing to do."""

    def begin_task(self, task: str) -> None:
        """Nothing to forget."""

    def predict_subtask(self, observation: Observation, task: str) -> SubtaskPrediction:
        """The same each time."""
        return SubtaskPrediction("wave the arms", score=1.0)

    def predict_chunk(
        self, observation: Observation, subtask: str, continuation: Continuation | None = None
    ) -> ChunkPrediction:
        """Sines of the observation's time."""
        rows = np.arange(HORIZON)
        # Of a day: enough digits are left for a period.
        begin = (observation.stamp_ns % (86_400 * 1_000_000_000)) * 1e-9
        actions = self._motion.rows(self._platform, begin + rows * self._platform.period)
        if continuation is not None:
            actions = np.where(
                rows[:, None] < continuation.committed, continuation.actions, actions
            )
        return ChunkPrediction(actions)

    def close(self) -> None:
        """Nothing to free."""


def main() -> None:
    """Runs the node that the first argument names, with the stand-in for its brain."""
    name = sys.argv.pop(1)
    brains.open_brain = lambda name, checkpoint, platform, options=None: StandIn(platform)
    every = int(os.environ.get(FAULTY_VARIABLE, "0"))
    if every:
        module_name, function = _CALLED_IN_CALLBACKS[name]
        module = importlib.import_module(module_name)
        setattr(module, function, _faulty(getattr(module, function), every))
    executables.run(name)


def _faulty(function: Callable[..., Any], every: int) -> Callable[..., Any]:
    """The function, raising at every `every`-th call."""
    calls = itertools.count(1)

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        if next(calls) % every == 0:
            raise RuntimeError(INJECTED)
        return function(*arguments, **keywords)

    return call


if __name__ == "__main__":
    main()
