"""High level of the scripted expert for a drawer: pick, open, place, close."""

from __future__ import annotations

from typing import Literal

from pi05_ros.sim.expert.attempts import Attempts
from pi05_ros.sim.expert.drawers import SHUT, floor_area, is_open, opening
from pi05_ros.sim.expert.language import move_text, pick_text
from pi05_ros.sim.expert.moves import Moves
from pi05_ros.sim.expert.planner import PutAwayPlanner, SubtaskChoice
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.homes.room import Container, Item

_TIDY_TIME = 6.0  # Time to retract the hands after the drawer is shut [s].


class DrawerPlanner(PutAwayPlanner):
    """Chooses subtasks to put items into a drawer and to shut it.

    One hand picks an item up while the drawer is shut, so that the base can stand at the counter;
    the other one opens the drawer. A drawer that is open where the base must stand is shut first.
    A robot with one hand opens the drawer before it picks the item up.

    Args:
        moves: Moves in the room.
        items: The items.
        container: The drawer's box.
    """

    def __init__(self, moves: Moves, items: tuple[Item, ...], container: Container) -> None:
        super().__init__(moves, items, container)
        self._drawer = moves.workplace.room.fixture(container.fixture)
        names = [*(item.name for item in items), self._drawer.name]
        self._attempts = Attempts(names, moves.workplace.config)
        self._shut_at: float | None = None

    def _choose(self, robot: RobotState, time: float) -> SubtaskChoice:
        choice = super()._choose(robot, time)
        if self._now.item is self._drawer:
            self._attempts.check(self._drawer.name, time)
        if choice.done:
            return self._close(robot, time)
        self._shut_at = None
        item = choice.item
        if not isinstance(item, Item) or not self._attempts.next([self._drawer.name]):
            return choice
        if choice.text == self._place_text(item):
            if robot.holder(item.name) is None or self._is_ready(robot):
                return choice
            return self._move("open")
        is_held = robot.holder(item.name) is not None
        if choice.text != pick_text(item) or is_held:
            return choice
        if len(robot.hands) == 1:
            return choice if is_open(robot, self._drawer) else self._move("open")
        if robot.holder(self._drawer.name) is not None or self._stands_in_the_way(robot, item):
            return self._move("close")
        return choice

    def _close(self, robot: RobotState, time: float) -> SubtaskChoice:
        """Choose the subtask when all items are inside: shut the drawer, retract, then done."""
        held = robot.holder(self._drawer.name) is not None
        if held or opening(robot, self._drawer) > SHUT:
            self._shut_at = None
            if self._attempts.next([self._drawer.name]):
                return self._move("close")
            return SubtaskChoice("")
        if self._shut_at is None:
            self._shut_at = time
        busy = not self._moves.hands_are_clear(robot)
        if busy and self._now.item is self._drawer and time - self._shut_at < _TIDY_TIME:
            return self._now
        return SubtaskChoice("", done=True)

    def _is_ready(self, robot: RobotState) -> bool:
        """Check whether the drawer is open and no hand holds it."""
        return is_open(robot, self._drawer) and robot.holder(self._drawer.name) is None

    def _move(self, verb: Literal["open", "close"]) -> SubtaskChoice:
        return SubtaskChoice(move_text(verb, self._drawer), self._drawer)

    def _stands_in_the_way(self, robot: RobotState, item: Item) -> bool:
        """Check whether the base would hit the open drawer where it stands to pick an item up."""
        if opening(robot, self._drawer) <= SHUT:
            return False
        place = self._moves.workplace
        position = robot.item(item.name).position
        site = place.site_at(position)
        low, high = floor_area(robot, self._drawer, site.frame)
        half = place.config.footprint[1] + place.config.gap
        for side in robot.hands:
            stance = site.stance(position, side, robot.base)
            x, y = site.frame.local((stance.x, stance.y))
            in_line = low[1] - half < y < high[1] + half
            if in_line and x + place.config.footprint[0] > low[0]:
                return True
        return False
