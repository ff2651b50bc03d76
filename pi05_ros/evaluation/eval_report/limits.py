"""What an evaluation did not measure, as sentences of its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pi05_ros.evaluation.trials.modes import MODES

_FEW_HOMES = 10
_FIRST_FOR_EVALUATION = 20_000  # Homes of smaller seeds may be in training or validation.


def not_measured(summary: Mapping[str, Any]) -> list[str]:
    """Return what the figures of a summary do not say, one sentence each."""
    settings, rows = summary["settings"], summary["results"]
    said = [
        "No real robot was used. Grasping in a mock home is a weld, and fingers pass through "
        "things (docs/mock_home.md)."
    ]
    if settings["ros"]:
        said.append(
            "Trials ran through the graph of nodes: their times depend on messages, so two runs "
            "differ a little. No videos were made."
        )
    else:
        said.append(
            "Nodes, messages and ros2_control were left out. Inference time was not measured: "
            f"what follows from an observation comes {settings['delay']:g} s after it."
        )
    brain, modes = settings["brain"], settings["modes"]
    if brain == "expert":
        said.append("The expert knows the state of the home. Its points measure no perception.")
    if brain == "random":
        said.append("The weights are random: the points are what chance reaches.")
    if brain != "expert" and any(MODES[mode].speaks_task for mode in modes):
        said.append(
            "In the modes implicit and no_hl nothing says that the task is done: a trial ends "
            "with all points, a fault or the time limit. How a checkpoint was trained is not "
            "checked: implicit is meant for one trained with subtasks, no_hl for one without."
        )
    if min(settings["homes"]) < _FIRST_FOR_EVALUATION:
        said.append(
            f"Some homes have a seed below {_FIRST_FOR_EVALUATION}: they may have been used for "
            "training or validation, so they are no unseen homes."
        )
    fewest = min((row["homes"] for row in rows), default=0)
    if fewest == 1:
        said.append("There is one home only: the intervals say nothing.")
    elif fewest < _FEW_HOMES:
        said.append(f"There are {fewest} homes: the intervals are rough.")
    if summary["shard"] != "1/1":
        said.append(
            f"This is shard {summary['shard']}: other trials of the evaluation are elsewhere "
            "(./pi05 eval merge)."
        )
    if len(summary["software"]) > 1:
        versions = ", ".join(summary["software"])
        said.append(f"Trials ran with several versions of the software: {versions}.")
    said.append("A share of the points is the mean over homes; intervals resample homes only.")
    return said
