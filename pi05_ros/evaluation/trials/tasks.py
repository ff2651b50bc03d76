"""Tasks of an evaluation: names on the command line, homes and rubrics that belong to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.homes.kitchen import draw_kitchen
from pi05_ros.sim.scoring import ALL_DISHES, scorer
from pi05_ros.sim.world import World

ALL = "all"
# Of the physics [s], as in the graph's simulation.
TIMESTEP = 0.005


@dataclass(frozen=True)
class TrialTask:
    """A task with its home and its time."""

    name: str  # "dishes"; of a task by its text, the words of the text.
    text: str
    seconds: float  # Longest trial, simulated [s].


NAMED = {"dishes": TrialTask("dishes", ALL_DISHES, 120.0)}


def find_tasks(words: Sequence[str], seconds: float | None = None) -> tuple[TrialTask, ...]:
    """Return the tasks that a command line names, each once.

    Args:
        words: Names of tasks, texts of tasks, or ALL.
        seconds: Longest trial of each [s]; None: that of the task.

    Raises:
        Pi05Error: A word is neither a name nor a text.
    """
    found: dict[str, TrialTask] = {}
    for word in words:
        some = NAMED.values() if word == ALL else [_find(word)]
        for task in some:
            limit = task.seconds if seconds is None else seconds
            found[task.name] = TrialTask(task.name, task.text, limit)
    return tuple(found.values())


def _find(word: str) -> TrialTask:
    for task in NAMED.values():
        if word in (task.name, task.text):
            return task
    if " " not in word:
        valid = [*NAMED, ALL]
        raise Pi05Error(
            f"there is no task '{word}'{did_you_mean(word, valid)} (valid: {', '.join(valid)}, or "
            "the text of a task)"
        )
    name = "-".join(re.findall(r"[a-z0-9]+", word.lower()))[:60]
    return TrialTask(name, word, NAMED["dishes"].seconds)


def check_homes(task: TrialTask, homes: Sequence[int]) -> None:
    """Check that a task can be scored in homes.

    Raises:
        Pi05Error: It cannot, in the home that is named.
    """
    for home in homes:
        try:
            scorer(task.text, room_of(task, home))
        except Pi05Error as error:
            raise Pi05Error(f"home {home}: {error}") from error


def room_of(task: TrialTask, home: int) -> Any:
    """Return the room of a home in which the task is done."""
    return draw_kitchen(home)


def make_world(platform: Platform, task: TrialTask, home: int) -> World:
    """Make the home of a trial."""
    return World(platform, home, timestep=TIMESTEP)


def make_rubric(task: TrialTask, world: World) -> Any:
    """Return the rubric of a task in a world."""
    return scorer(task.text, world.kitchen)


def criterion_kind(text: str, room: Any) -> str:
    """Return the words of a criterion without the names of things, which differ between homes.

    "pick up the red plate" becomes "pick up …".
    """
    phrases = sorted((item.phrase for item in room.items), key=len, reverse=True)
    for phrase in phrases:
        text = re.sub(rf"\b{re.escape(phrase)}\b", "…", text)
    return text
