"""Parameters that planner and policy share."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.brain.options import BRAIN_NAMES, DESCRIPTIONS
from pi05_ros.foundation.settings import setting


@dataclass(frozen=True)
class BrainParameters:
    """Parameters of every node that runs inference."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    brain: str = setting("model", DESCRIPTIONS["brain"], choices=BRAIN_NAMES)
    checkpoint: str = setting("", DESCRIPTIONS["checkpoint"])
    model: ModelOptions = ModelOptions()
