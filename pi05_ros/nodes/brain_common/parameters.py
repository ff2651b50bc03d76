"""Parameters that planner and policy share."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.foundation.settings import setting
from pi05_ros.nodes.brain_common.brains import BRAIN_NAMES


@dataclass(frozen=True)
class BrainParameters:
    """Parameters of every node that runs inference."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    brain: str = setting(
        "model",
        "Source of subtasks and actions: the pi0.5 model, or the scripted expert of a mock home.",
        choices=BRAIN_NAMES,
    )
    checkpoint: str = setting(
        "", "Folder of the model's weights; empty: nano size, initialised at random."
    )
    model: ModelOptions = ModelOptions()
