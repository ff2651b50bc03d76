"""High level of the scripted expert: choice of the next subtask, to put things away."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Protocol

from pi05_ros.sim.expert.attempts import Attempts
from pi05_ros.sim.expert.grasps import hand_poses
from pi05_ros.sim.expert.language import Thing, pick_text, place_text
from pi05_ros.sim.expert.moves import Moves
from pi05_ros.sim.expert.skills import off_the_ground
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.homes.room import Container, Item

_LOG = logging.getLogger(__name__)
LIFTED = 0.05  # Height above what it lay on at which an item counts as picked up [m].
_TIDY_TIME = 6.0  # Time to retract the hands after the last dish [s].


@dataclass(frozen=True)
class SubtaskChoice:
    """A subtask and the thing that it is about."""

    text: str
    item: Thing | None = None
    done: bool = False


class TaskPlanner(Protocol):
    """Chooses the next subtask of one task in one room from the present state."""

    def decide(self, robot: RobotState, time: float) -> SubtaskChoice:
        """Choose the subtask at `time` [s], which must not decrease between calls."""


class PutAwayPlanner:
    """Chooses subtasks to put items into a container. Items that take too long are deferred.

    Args:
        moves: Moves in the room.
        items: The items.
        container: Where they belong.
    """

    def __init__(self, moves: Moves, items: tuple[Item, ...], container: Container) -> None:
        self._moves = moves
        self._items = items
        self._container = container
        self._attempts = Attempts([item.name for item in items], moves.workplace.config)
        self._now = SubtaskChoice("")
        self._finished_at: float | None = None

    def decide(self, robot: RobotState, time: float) -> SubtaskChoice:
        """Choose the subtask at `time` [s], which must not decrease between calls."""
        self._now = self._choose(robot, time)
        self._attempts.note(self._now.text, time)
        return self._now

    def _choose(self, robot: RobotState, time: float) -> SubtaskChoice:
        held = [item for item in self._items if robot.holder(item.name) is not None]
        left = [item for item in self._items if item in held or not self._is_in(robot, item)]
        if self._moves.in_reach.is_limited and len(left) < len(self._items):
            # Where something is put away, a robot that cannot drive is done with what it reaches.
            left = [item for item in left if item in held or self._is_in_reach(robot, item)]
        if not left:
            return self._finish(robot, time)
        self._finished_at = None
        if self._now.item in left:
            self._attempts.check(self._now.item.name, time)
        for item in held:
            if self._is_lifted(robot, item) or self._now.text == self._place_text(item):
                return SubtaskChoice(self._place_text(item), item)
            return SubtaskChoice(pick_text(item), item)
        names = self._attempts.next([i.name for i in left if self._is_in_reach(robot, i)])
        options = [item for item in left if item.name in names]
        if not options:
            if self._now.text:
                phrases = ", ".join(item.phrase for item in left)
                _LOG.warning("out of reach, or given up too often: %s", phrases)
            return SubtaskChoice("")
        now = self._now.item
        if now is not None and now in options and self._now.text == pick_text(now):
            return self._now
        item = min(options, key=lambda option: self._driving_distance(robot, option))
        return SubtaskChoice(pick_text(item), item)

    def _finish(self, robot: RobotState, time: float) -> SubtaskChoice:
        """Choose the subtask when all items are put away: retract the hands, then done."""
        if self._finished_at is None:
            self._finished_at = time
        placed = self._now.item
        busy = not self._moves.hands_are_clear(robot)
        if busy and placed in self._items and time - self._finished_at < _TIDY_TIME:
            return SubtaskChoice(self._now.text, placed)
        return SubtaskChoice("", done=True)

    def _place_text(self, item: Item) -> str:
        return place_text(item, self._container.phrase)

    def _is_in(self, robot: RobotState, item: Item) -> bool:
        container = self._moves.workplace.container(self._container.name, robot)
        return container.contains(robot.item(item.name).position)

    def _is_lifted(self, robot: RobotState, item: Item) -> bool:
        position = robot.item(item.name).position
        return bool(position[2] > self._moves.workplace.site_at(position).height + LIFTED)

    def _is_in_reach(self, robot: RobotState, item: Item) -> bool:
        """Check whether a hand reaches an item that fell on the floor; others are tried."""
        if self._moves.in_reach.is_limited:
            return self._moves.in_reach.can_put(item, self._container, robot)
        moves, T_odom_item = self._moves, robot.item(item.name)
        site = moves.workplace.site_at(T_odom_item.position)
        if not site.is_floor or item.grasp is None:
            return True
        top = site.pass_height + moves.workplace.config.fingertip
        for pose in hand_poses(item.grasp, T_odom_item, moves.workplace.facing):
            target = off_the_ground(moves, pose, robot)
            for side in robot.hands:
                stance = site.reaching_stance(side, target, top, robot.base)
                if site.is_free(stance) and site.reaches(side, target, top, stance):
                    return True
        return False

    def _driving_distance(self, robot: RobotState, item: Item) -> float:
        """Return the distance that the base drives for an item, with the better arm [m]."""
        position = robot.item(item.name).position
        site = self._moves.workplace.site_at(position)
        stances = [site.stance(position, side, robot.base) for side in robot.hands]
        return min(math.hypot(s.x - robot.base.x, s.y - robot.base.y) for s in stances)
