"""High level of the scripted expert for a bed: blanket first, then pillows."""

from __future__ import annotations

import logging

from pi05_ros.sim.expert.attempts import Attempts
from pi05_ros.sim.expert.drag import STRAIGHT, Tolerance, drag_error
from pi05_ros.sim.expert.language import lay_text, move_text, pick_text
from pi05_ros.sim.expert.lay import free_place, pillow_error
from pi05_ros.sim.expert.moves import Moves
from pi05_ros.sim.expert.planner import LIFTED, SubtaskChoice
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.homes.room import Bedroom, Item

_LOG = logging.getLogger(__name__)
_ON_BED = 0.05  # Largest height of a pillow above the mattress on which it lies [m].
_TIDY_TIME = 6.0  # Time to retract the hands after the last thing [s].
# A pillow farther than this from its place is moved again. The task's rubric accepts 7 cm as neat.
PILLOW_NEAT = Tolerance(0.06, 0.15)


class BedPlanner:
    """Chooses subtasks to make a bed. What takes too long is deferred.

    Args:
        moves: Moves in the room.
        room: Its bedroom.
    """

    def __init__(self, moves: Moves, room: Bedroom) -> None:
        self._moves = moves
        self._room = room
        self._blanket = room.fixture("blanket")
        self._things = (self._blanket.name, *(pillow.name for pillow in room.pillows))
        self._attempts = Attempts(self._things, moves.workplace.config)
        self._now = SubtaskChoice("")
        self._finished_at: float | None = None

    def decide(self, robot: RobotState, time: float) -> SubtaskChoice:
        """Choose the subtask at `time` [s], which must not decrease between calls."""
        self._now = self._choose(robot, time)
        self._attempts.note(self._now.text, time)
        return self._now

    def _choose(self, robot: RobotState, time: float) -> SubtaskChoice:
        held = [name for name in self._things if robot.holder(name) is not None]
        left = [name for name in self._things if name in held or not self._is_made(robot, name)]
        if not left:
            return self._finish(robot, time)
        self._finished_at = None
        now = self._now.item.name if self._now.item is not None else None
        if now in left:
            self._attempts.check(now, time)
        if held:
            return self._work(robot, held[0])
        options = self._attempts.next(left)
        if not options:
            if self._now.text:
                _LOG.warning("out of reach, or given up too often: %s", ", ".join(left))
            return SubtaskChoice("")
        if now in options and now != self._blanket.name and self._blanket.name not in options:
            return self._work(robot, str(now))
        return self._work(robot, options[0])

    def _work(self, robot: RobotState, name: str) -> SubtaskChoice:
        """Choose the subtask that brings one thing to its place."""
        if name == self._blanket.name:
            return SubtaskChoice(move_text("straighten", self._blanket), self._blanket)
        pillow = self._room.item(name)
        position = robot.item(name).position
        lifted = position[2] > self._moves.workplace.site_at(position).height + LIFTED
        is_held = robot.holder(name) is not None
        if is_held and (lifted or self._now.text == lay_text(pillow)):
            return SubtaskChoice(lay_text(pillow), pillow)
        return SubtaskChoice(pick_text(pillow), pillow)

    def _finish(self, robot: RobotState, time: float) -> SubtaskChoice:
        """Choose the subtask when the bed is made: retract the hands, then done."""
        if self._finished_at is None:
            self._finished_at = time
        busy = not self._moves.hands_are_clear(robot)
        if busy and self._now.text and time - self._finished_at < _TIDY_TIME:
            return self._now
        return SubtaskChoice("", done=True)

    def _is_made(self, robot: RobotState, name: str) -> bool:
        if name == self._blanket.name:
            distance, angle = drag_error(robot, self._blanket, self._blanket.pose)
            return distance < STRAIGHT.distance and angle < STRAIGHT.angle
        return self._is_neat(robot, self._room.item(name))

    def _is_neat(self, robot: RobotState, pillow: Item) -> bool:
        above = robot.item(pillow.name).position[2] - self._room.bed.height
        distance, angle = pillow_error(pillow, free_place(self._room, pillow, robot), robot)
        near = distance < PILLOW_NEAT.distance and angle < PILLOW_NEAT.angle
        return near and abs(above) < _ON_BED
