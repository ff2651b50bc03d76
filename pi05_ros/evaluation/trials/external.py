"""Planners that are not part of the suite: a Python callable, or one that is registered.

A callable takes an observation and the task, and returns the subtask as text, "done" when the
task is done, or a SubtaskPrediction. A class is called without arguments, once a process; its
instance is the callable, and may have a method `begin_task(task)` and an attribute
`image_size`, the (height, width) of the pictures that it wants.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pi05_ros.brain.interface import PastSubtask, SubtaskPrediction
from pi05_ros.brain.observation import Observation
from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.evaluation.trials.fixed_list import FixedList

_PICTURES = (224, 224)  # Of a planner that asks for no size [pixel].
_DONE = "done"
ORACLE = "oracle"
FIXED_LIST = "fixed_list"
# Names that stand for planners of the suite, beside FILE:NAME.
REGISTERED = (ORACLE, FIXED_LIST)


class ExternalPlanner:
    """A callable as a HighLevel. What it raises counts as no answer.

    Args:
        function: The callable; see the module's docstring.
        name: Its name, for messages.
    """

    source = "external"
    history = 0

    def __init__(self, function: Callable[[Observation, str], Any], name: str) -> None:
        self._function, self._name = function, name
        self.image_size: tuple[int, int] | None = getattr(function, "image_size", _PICTURES)

    def begin_task(self, task: str) -> None:
        """Tell the callable that a task begins, if it wants to know."""
        begin = getattr(self._function, "begin_task", None)
        if begin is not None:
            begin(task)

    def predict(
        self, observation: Observation, task: str, history: Sequence[PastSubtask]
    ) -> SubtaskPrediction:
        """Call it.

        Raises:
            Pi05Error: It raised, or returned neither text nor a prediction.
        """
        try:
            answer = self._function(observation, task)
        except Exception as error:
            raise Pi05Error(f"{self._name}: {type(error).__name__}: {error}") from error
        if isinstance(answer, SubtaskPrediction):
            return answer
        if not isinstance(answer, str):
            raise Pi05Error(
                f"{self._name}: wanted the subtask as text, or a SubtaskPrediction, found "
                f"{type(answer).__name__}"
            )
        done = answer.strip().casefold() == _DONE
        return SubtaskPrediction("" if done else answer, done=done)


def load_planner(spec: str) -> ExternalPlanner:
    """Load a planner from `FILE:NAME`, or the one that `fixed_list` stands for.

    Raises:
        Pi05Error: The file or the name is missing, or the file cannot be imported.
    """
    if spec == FIXED_LIST:
        return ExternalPlanner(FixedList(), spec)
    file, _, name = spec.rpartition(":")
    if not file or not name.isidentifier():
        known = did_you_mean(spec, REGISTERED)
        raise Pi05Error(
            f"planner '{spec}': wanted FILE:NAME, or one of {', '.join(REGISTERED)}{known}"
        )
    path = Path(file).expanduser()
    if not path.is_file():
        raise Pi05Error(f"planner '{spec}': {path} is not a file")
    module_spec = importlib.util.spec_from_file_location(f"pi05_planner_{path.stem}", path)
    if module_spec is None or module_spec.loader is None:
        raise Pi05Error(f"planner '{spec}': {path} is not a Python file")
    module = importlib.util.module_from_spec(module_spec)
    try:
        module_spec.loader.exec_module(module)
    except Exception as error:
        raise Pi05Error(f"planner '{spec}': {type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if isinstance(function, type):
        function = function()
    if not callable(function):
        raise Pi05Error(f"planner '{spec}': {path} defines no function or class '{name}'")
    return ExternalPlanner(function, name)
