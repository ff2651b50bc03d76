"""Planners of tasks that are one subtask, or one task after the other."""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.sim.expert.attempts import Attempts
from pi05_ros.sim.expert.language import pick_text
from pi05_ros.sim.expert.moves import Moves
from pi05_ros.sim.expert.planner import LIFTED, SubtaskChoice, TaskPlanner
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.homes.room import Item


class PickUpPlanner:
    """Chooses the subtask to pick up one item; it is done while a hand holds the item up.

    Args:
        moves: Moves in the room.
        item: The item.
    """

    def __init__(self, moves: Moves, item: Item) -> None:
        self._moves = moves
        self._item = item
        self._attempts = Attempts([item.name], moves.workplace.config)
        self._text = ""

    def decide(self, robot: RobotState, time: float) -> SubtaskChoice:
        """See `TaskPlanner`."""
        choice = self._choose(robot, time)
        self._text = choice.text
        self._attempts.note(choice.text, time)
        return choice

    def _choose(self, robot: RobotState, time: float) -> SubtaskChoice:
        item, reach = self._item, self._moves.in_reach
        position = robot.item(item.name).position
        if robot.holder(item.name) is not None:
            if position[2] > self._moves.workplace.site_at(position).height + LIFTED:
                return SubtaskChoice("", done=True)
            return SubtaskChoice(pick_text(item), item)
        if reach.is_limited and not reach.arms_for(item, robot):
            return SubtaskChoice("")
        if self._text:
            self._attempts.check(item.name, time)
        if not self._attempts.next([item.name]):
            return SubtaskChoice("")
        return SubtaskChoice(pick_text(item), item)


class InTurnPlanner:
    """Does one task after the other; what is undone is done again.

    Args:
        planners: Planners of the tasks, in their order.
    """

    def __init__(self, planners: Sequence[TaskPlanner]) -> None:
        self._planners = tuple(planners)

    def decide(self, robot: RobotState, time: float) -> SubtaskChoice:
        """See `TaskPlanner`."""
        choice = SubtaskChoice("", done=True)
        for planner in self._planners:
            choice = planner.decide(robot, time)
            if not choice.done:
                break
        return choice
