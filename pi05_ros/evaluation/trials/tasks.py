"""Tasks of an evaluation, as a command line names them, with the rooms that they are done in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.room import Room
from pi05_ros.sim.homes.rooms import draw_room
from pi05_ros.sim.tasks.registry import DISHES, TASKS, TESTS, find_task, room_of, scorer

ALL = "all"


@dataclass(frozen=True)
class TrialTask:
    """A task with its room and its time."""

    name: str  # "dishes"; of a task by its text, the words of the text.
    text: str
    room: str  # Kind of the room.
    seconds: float  # Longest trial, simulated [s].

    def draw_room(self, home: int) -> Room:
        """Return the room of a home."""
        return draw_room(self.room, home)

    def text_in(self, home: int) -> str:
        """Return what the robot is told in a home."""
        task = find_task(self.text)
        if task is None or task.draw_text is None:
            return self.text
        return task.draw_text(self.draw_room(home))


def find_tasks(
    words: Sequence[str], seconds: float | None = None, room: str = ""
) -> tuple[TrialTask, ...]:
    """Return the tasks that a command line names, each once.

    Args:
        words: Names of tasks, texts of tasks, or ALL.
        seconds: Longest trial of each [s]; None: that of the task.
        room: Kind of the room of all of them; empty: that of the task.

    Raises:
        Pi05Error: A word is neither a name nor a text.
    """
    found: dict[str, TrialTask] = {}
    for word in words:
        for one in TASKS if word == ALL else (word,):
            task = _find(one, seconds, room)
            found[task.name] = task
    return tuple(found.values())


def _find(word: str, seconds: float | None, room: str) -> TrialTask:
    task = find_task(word)
    if task is not None:
        limit = task.seconds if seconds is None else seconds
        return TrialTask(task.name, task.text, room or task.room, limit)
    if " " not in word:
        valid = [*TASKS, *TESTS, ALL]
        raise Pi05Error(
            f"there is no task '{word}'{did_you_mean(word, valid)} (valid: {', '.join(valid)}, or "
            "the text of a task)"
        )
    name = "-".join(re.findall(r"[a-z0-9]+", word.lower()))[:60]
    limit = DISHES.seconds if seconds is None else seconds
    return TrialTask(name, word, room or room_of(word), limit)


def check_homes(task: TrialTask, homes: Sequence[int]) -> None:
    """Check that a task can be scored in homes.

    Raises:
        Pi05Error: It cannot, in the home that is named.
    """
    for home in homes:
        try:
            scorer(task.text, task.draw_room(home))
        except Pi05Error as error:
            raise Pi05Error(f"home {home}: {error}") from error


def criterion_kind(text: str, room: Room) -> str:
    """Return the words of a criterion without the names of things, which differ between homes.

    "pick up the red plate" becomes "pick up …".
    """
    for phrase in sorted((item.phrase for item in room.items), key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(phrase)}\b", "…", text)
    return text
