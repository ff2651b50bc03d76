"""The suite's nodes with a brain that needs no model: `python -m system.stand_in NAME`.

Everything but the brain is the node as it ships. A model with random weights gives no subtask that
the planner accepts, and its motion is not predictable; this one moves as the fake policy does.

With PI05_FAULTY_CALLBACKS=N in the environment, every N-th message that a node takes raises an
unexpected exception in its callback.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pi05_ros.brain.continuation import CONTINUATION_MODES, Continuation, ContinuationMode
from pi05_ros.brain.interface import BrainInfo, ChunkPrediction, PastSubtask, SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.nodes import executables
from pi05_ros.nodes.brain_common import brains
from pi05_ros.platforms.platform import Platform
from system.source import HORIZON, Motion

FAULTY_VARIABLE = "PI05_FAULTY_CALLBACKS"
INJECTED = "a fault that was put in on purpose"
# A function that the callbacks of a node call for each message, by executable.
_CALLED_IN_CALLBACKS = {
    "camera_ingestion": ("pi05_ros.nodes.camera_ingestion.camera_ingestion", "time_to_ns"),
    "control_bridge": ("pi05_ros.nodes.control_bridge.inputs", "time_to_ns"),
    "planner": ("pi05_ros.nodes.brain_common.observation_inputs", "state_from_message"),
    "policy": ("pi05_ros.nodes.brain_common.observation_inputs", "state_from_message"),
}


class StandIn:
    """A brain with one constant subtask and the fake policy's motion."""

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
        """Do nothing."""

    def begin_task(self, task: str) -> None:
        """Do nothing: no state depends on the task."""

    def predict_subtask(
        self, observation: Observation, task: str, history: Sequence[PastSubtask] = ()
    ) -> SubtaskPrediction:
        """Return the constant subtask."""
        return SubtaskPrediction("wave the arms", score=1.0)

    def predict_chunk(
        self, observation: Observation, subtask: str, continuation: Continuation | None = None
    ) -> ChunkPrediction:
        """Return sines of the observation's time, behind the committed rows."""
        rows = np.arange(HORIZON)
        # Modulo a day, so that float64 resolves a period.
        begin = (observation.stamp_ns % (86_400 * 1_000_000_000)) * 1e-9
        actions = self._motion.rows(self._platform, begin + rows * self._platform.period)
        if continuation is not None:
            actions = np.where(
                rows[:, None] < continuation.committed, continuation.actions, actions
            )
        return ChunkPrediction(actions)

    def close(self) -> None:
        """Do nothing: nothing is to be freed."""


def main() -> None:
    """Run the node that the first argument names, with the stand-in as its brain."""
    name = sys.argv.pop(1)
    brains.open_brain = lambda name, checkpoint, platform, options=None: StandIn(platform)
    every = int(os.environ.get(FAULTY_VARIABLE, "0"))
    if every:
        module_name, function = _CALLED_IN_CALLBACKS[name]
        module = importlib.import_module(module_name)
        setattr(module, function, _faulty(getattr(module, function), every))
    executables.run(name)


def _faulty(function: Callable[..., Any], every: int) -> Callable[..., Any]:
    """Return the function, raising at every `every`-th call."""
    calls = itertools.count(1)

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        if next(calls) % every == 0:
            raise RuntimeError(INJECTED)
        return function(*arguments, **keywords)

    return call


if __name__ == "__main__":
    main()
