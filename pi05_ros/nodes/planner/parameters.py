"""Parameters of planner."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.foundation.settings import setting
from pi05_ros.nodes.brain_common.parameters import BrainParameters
from pi05_ros.planning.ending import EndingSettings
from pi05_ros.planning.replanning import ReplanningSettings


@dataclass(frozen=True)
class PlannerParameters(BrainParameters):
    """Parameters of planner."""

    task: str = setting(
        "", "Task that begins when the planner becomes active; empty: none until one is sent."
    )
    replanning: ReplanningSettings = ReplanningSettings()
    ending: EndingSettings = EndingSettings()
