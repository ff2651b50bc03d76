"""Parameters of planner."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.nodes.brain_common.brain_node import BrainParameters
from pi05_ros.nodes.common.parameters import parameter
from pi05_ros.planning.replanning import ReplanningSettings


@dataclass(frozen=True)
class PlannerParameters(BrainParameters):
    """Parameters of planner."""

    task: str = parameter("", "Task to begin with when the planner becomes active; empty: wait.")
    period_s: float = parameter(
        ReplanningSettings.period,
        "Time between two predictions when nothing else calls for one, by the pictures' stamps "
        "[s].",
        minimum=0.05,
        maximum=60,
    )
    confirmations: int = parameter(
        ReplanningSettings.confirmations,
        "So often in a row a model must say another subtask when only the period asked for it.",
        minimum=1,
        maximum=20,
    )
    stall_after_s: float = parameter(
        ReplanningSettings.stall_after,
        "A robot that should move and makes no progress for so long has stalled [s].",
        minimum=0.5,
        maximum=600,
    )
    hold_after_s: float = parameter(
        ReplanningSettings.hold_after,
        "Without a usable answer the last good subtask stands for so long, then the robot holds "
        "[s].",
        minimum=0.5,
        maximum=600,
    )

    def settings(self) -> ReplanningSettings:
        """The policy in numbers."""
        return ReplanningSettings(
            period=self.period_s,
            confirmations=self.confirmations,
            stall_after=self.stall_after_s,
            hold_after=self.hold_after_s,
        )
