"""High level of the scripted expert: choice of the next subtask."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from pi05_ros.sim.expert.language import parse_task, pick_text, place_text
from pi05_ros.sim.expert.moves import Moves
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.homes.room import Item

_LOG = logging.getLogger(__name__)
_LIFTED = 0.05  # Height above the worktop at which an item counts as picked up [m].
_FALLEN = 0.25  # Depth below the worktop, outside the sink, at which it is out of reach [m].
_TIDY_TIME = 6.0  # Time to retract the hands after the last dish [s].


@dataclass(frozen=True)
class SubtaskChoice:
    """A subtask and its item."""

    text: str
    item: Item | None = None
    done: bool = False


class SubtaskPlanner:
    """Chooses subtasks for one task in one kitchen. Items that take too long are deferred.

    Args:
        moves: Moves in the kitchen.
        task: Text of the task.

    Raises:
        UnknownText: The expert does not support the task.
    """

    def __init__(self, moves: Moves, task: str) -> None:
        self._moves = moves
        self._kitchen = moves.workplace.room
        self._items = parse_task(task, self._kitchen)
        self._config = moves.workplace.config
        self._now = SubtaskChoice("")
        self._since = 0.0
        self._given_up = {item.name: 0 for item in self._items}
        self._finished_at: float | None = None

    def decide(self, robot: RobotState, time: float) -> SubtaskChoice:
        """Choose the subtask at `time` [s], which must not decrease between calls."""
        decision = self._choose(robot, time)
        if decision.text != self._now.text:
            self._since = time
        self._now = decision
        return decision

    def _choose(self, robot: RobotState, time: float) -> SubtaskChoice:
        held = [item for item in self._items if robot.holder(item.name) is not None]
        left = [item for item in self._items if item in held or not self._is_in(robot, item)]
        if not left:
            return self._finish(robot, time)
        self._finished_at = None
        if time - self._since > self._config.give_up and self._now.item in left:
            self._given_up[self._now.item.name] += 1
            self._since = time
            _LOG.warning("'%s' took too long: others come first", self._now.text)
        for item in held:
            if self._is_lifted(robot, item) or self._now.text == place_text(item):
                return SubtaskChoice(place_text(item), item)
            return SubtaskChoice(pick_text(item), item)
        options = [item for item in left if self._can_try(robot, item)]
        if not options:
            if self._now.text:
                names = ", ".join(item.phrase for item in left)
                _LOG.warning("out of reach, or given up too often: %s", names)
            return SubtaskChoice("")
        tries = min(self._given_up[item.name] for item in options)
        options = [item for item in options if self._given_up[item.name] == tries]
        now = self._now.item
        if now is not None and now in options and self._now.text == pick_text(now):
            return self._now
        item = min(options, key=lambda option: self._driving_distance(robot, option))
        return SubtaskChoice(pick_text(item), item)

    def _finish(self, robot: RobotState, time: float) -> SubtaskChoice:
        """Choose the subtask when all items are in the sink: retract the hands, then done."""
        if self._finished_at is None:
            self._finished_at = time
        placed = self._now.item
        busy = not self._moves.hands_are_clear(robot)
        if busy and placed is not None and time - self._finished_at < _TIDY_TIME:
            return SubtaskChoice(place_text(placed), placed)
        return SubtaskChoice("", done=True)

    def _is_in(self, robot: RobotState, item: Item) -> bool:
        return self._kitchen.container("sink").contains(robot.item(item.name).position)

    def _is_lifted(self, robot: RobotState, item: Item) -> bool:
        counter = self._moves.workplace.counter
        return bool(robot.item(item.name).position[2] > counter.height + _LIFTED)

    def _can_try(self, robot: RobotState, item: Item) -> bool:
        counter = self._moves.workplace.counter
        on_floor = robot.item(item.name).position[2] < counter.height - _FALLEN
        return not on_floor and self._given_up[item.name] < self._config.rounds

    def _driving_distance(self, robot: RobotState, item: Item) -> float:
        """Return the distance that the base drives for an item, with the better arm [m]."""
        place = self._moves.workplace
        position = robot.item(item.name).position
        stances = [place.stance(position, side, robot.base) for side in robot.hands]
        return min(math.hypot(s.x - robot.base.x, s.y - robot.base.y) for s in stances)
