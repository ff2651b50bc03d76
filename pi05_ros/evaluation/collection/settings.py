"""What is collected: the settings of episodes, and the names that follow from them."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.sim.homes.difficulty import Difficulty
from pi05_ros.sim.homes.room import Room
from pi05_ros.sim.homes.rooms import ROOMS
from pi05_ros.sim.standing import WithinReach
from pi05_ros.sim.tasks.lab import pick_up, put_thing
from pi05_ros.sim.tasks.registry import DISHES, TASKS, room_of, text_in

ALL = "all"  # Stands for one of TASKS, which the seed draws in each home.
# Stands for "put the … in the sink" with one dish, which the seed draws in each home.
ONE_DISH = "one dish"
# The same with a thing of a laboratory and the container that it belongs in; and "pick up …" with
# one of them.
ONE_THING = "one thing"
PICK_DISH, PICK_THING = "pick up one dish", "pick up one thing"
# Tasks that stand for others, and the kinds of their rooms.
DRAWN = {ONE_DISH: "kitchen", PICK_DISH: "kitchen", ONE_THING: "lab", PICK_THING: "lab"}
FIRST_FOR_VALIDATION = 10_000  # Homes below this seed are for training.
FIRST_FOR_EVALUATION = 20_000  # Homes from this seed on are for evaluation only.
SETTINGS_FILE = "collection.json"
_STREAM = 0x636F6C6C656374  # "collect": random numbers of their own for each home and seed.


class CollectError(Pi05Error):
    """Nothing can be collected as asked: what was wanted, what was found, and what to do."""


@dataclass(frozen=True)
class CollectSettings:
    """Settings that all episodes of a folder share. Times are simulated."""

    platform: str  # Name, or path of a YAML file.
    task: str = DISHES.text  # A task that the expert can do, or one of DRAWN.
    max_seconds: float = 120.0  # An episode that lasts longer is cut and not graded [s].
    # Standard deviation of the disturbance of the drives, as the share of an entry's largest
    # velocity; see disturbance.py. 0: none.
    noise: float = 0.0
    # Chance that wrong chunks follow a chunk of the expert for 0.3 to 1 s; see low_level.py.
    wrong_chunks: float = 0.0
    restarts: bool = False  # Whether episodes begin somewhere in the middle of the work.
    other_tasks: float = 0.0  # Chance of another task at each answer; see other_tasks.py.
    visited: str = ""  # Checkpoint that drives for spans, before the expert takes over.
    verbal: str = ""  # Checkpoint that acts under the subtasks of the expert.
    difficulty: str = "ideal"  # Of the homes; see `sim.homes.difficulty`.
    quality: int = 90  # Of the JPEG pictures, 1 to 100.
    picture_rate: float = 0.0  # Most pictures of a camera a second [Hz]; 0: the cameras' own rate.

    def __post_init__(self) -> None:
        if not 0.0 <= self.picture_rate < math.inf:
            raise ValueError(
                f"picture_rate: wanted a rate of at least 0 [Hz], got {self.picture_rate}"
            )
        if not 0.0 < self.max_seconds < math.inf:
            raise ValueError(f"max_seconds: wanted a time above 0 [s], got {self.max_seconds}")
        Difficulty.parse(self.difficulty)
        if not 0.0 <= self.noise < 1.0:
            raise ValueError(f"noise: wanted a share from 0 to below 1, got {self.noise}")
        for name in ("wrong_chunks", "other_tasks"):
            rate = getattr(self, name)
            if not 0.0 <= rate < 1.0:
                words = name.replace("_", " ")
                raise ValueError(f"{words}: wanted a chance from 0 to below 1, got {rate}")
        if self.verbal and (self.visited or self.wrong_chunks):
            raise ValueError(
                "verbal: the checkpoint acts all the time, so nothing else can drive for spans; "
                "leave out visited and wrong chunks"
            )
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality: wanted a JPEG quality from 1 to 100, got {self.quality}")

    def for_home(self, home: int, seed: int) -> CollectSettings:
        """Return the settings of one episode: with ALL, with the task that is drawn for it."""
        if self.task != ALL:
            return self
        tasks = list(TASKS)
        return dataclasses.replace(
            self, task=tasks[int(random_for(home, seed, 3).integers(len(tasks)))]
        )

    def room(self) -> str:
        """Return the kind of the room in which the task is done.

        Raises:
            Pi05Error: No rubric scores the task.
        """
        return DRAWN[self.task] if self.task in DRAWN else room_of(self.task)

    def task_in(self, room: Room, seed: int, within: WithinReach | None = None) -> str:
        """Return the task of an episode.

        Args:
            room: The room. With one of DRAWN, the task is about one of its things.
            seed: Of the random numbers.
            within: What a robot that cannot drive reaches; None: it drives.

        Raises:
            CollectError: Nothing in this room is in reach.
        """
        if self.task not in DRAWN:
            return text_in(self.task, room)
        things = room.dishes if self.task in (ONE_DISH, PICK_DISH) else room.items
        if self.task in (PICK_DISH, PICK_THING):
            texts = [pick_up(i) for i in things if within is None or i.name in within.items]
        else:
            texts = [
                put_thing(item, item.belongs_in)
                for item in things
                if within is None or (item.name, item.belongs_in) in within.pairs
            ]
        if not texts:
            raise CollectError(
                f"home {room.seed}: nothing in its {room.kind} is in reach for '{self.task}': "
                "leave this home out, or take another task"
            )
        return texts[int(random_for(room.seed, seed, 1).integers(len(texts)))]

    def episode_id(self, home: int, seed: int) -> str:
        """Return the id of an episode, which is also its folder's name."""
        words = "-".join(re.findall(r"[a-z0-9]+", self.task.lower()))[:60]
        return f"home{home:05d}_seed{seed}_{words}"


def random_for(home: int, seed: int, use: int) -> np.random.Generator:
    """Return the random numbers of one use in one home: the same on every machine."""
    return np.random.Generator(np.random.PCG64([seed, home, use, _STREAM]))


def check_homes(homes: list[int]) -> None:
    """Check that homes may be trained on.

    Raises:
        CollectError: There are none, one is negative, or one is for evaluation only.
    """
    if not homes:
        raise CollectError("wanted at least one home")
    if min(homes) < 0 or max(homes) >= FIRST_FOR_EVALUATION:
        wrong = next(h for h in homes if not 0 <= h < FIRST_FOR_EVALUATION)
        raise CollectError(
            f"home {wrong}: wanted homes from 0 to {FIRST_FOR_EVALUATION - 1}; those from "
            f"{FIRST_FOR_EVALUATION} on are for evaluation, and no data may come from them"
        )


def check_room(kind: str, homes: Sequence[int]) -> None:
    """Check that data may come from a kind of room: held-out things are not for training homes.

    Raises:
        CollectError: The room has such things, and a home is for training; or there is no such
            room.
    """
    if kind not in ROOMS:
        raise CollectError(
            f"no home has a room '{kind}'{did_you_mean(kind, ROOMS)} (valid: {', '.join(ROOMS)})"
        )
    if kind.endswith("_unseen") and min(homes) < FIRST_FOR_VALIDATION:
        raise CollectError(
            f"home {min(homes)}: wanted homes from {FIRST_FOR_VALIDATION} on, since a {kind} has "
            "things that are held out from training"
        )


def claim_folder(folder: Path, what: str, settings: Any) -> None:
    """Make a folder for data with these settings, or check that it holds such data.

    A setting that the folder's file does not name had its default: it is younger than the data.

    Args:
        folder: The folder.
        what: What is collected ("episodes").
        settings: A dataclass of JSON types.

    Raises:
        CollectError: The folder holds other data, or data of other settings.
        OSError: The disk is full, or the folder cannot be made.
    """
    wanted = {"collected": what, **dataclasses.asdict(settings)}
    file = folder / SETTINGS_FILE
    if file.exists():
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CollectError(f"{file} cannot be read ({error}): take another folder") from error
        if not isinstance(found, dict):
            raise CollectError(f"{file} cannot be read: take another folder")
        found = _defaults(settings) | found
        different = [key for key in wanted | found if found.get(key) != wanted.get(key)]
        if different:
            key = different[0]
            raise CollectError(
                f"{folder} was collected with {key} {found.get(key)!r}, and {wanted.get(key)!r} "
                "is wanted: take another folder, or the same settings"
            )
        return
    if folder.exists() and any(path.name[0] != "." for path in folder.iterdir()):
        raise CollectError(f"{folder} holds other files: wanted a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(file, json.dumps(wanted, indent=1) + "\n")


def _defaults(settings: Any) -> dict[str, object]:
    """Return the settings that have a default value, with it."""
    fields = dataclasses.fields(settings)
    return {f.name: f.default for f in fields if f.default is not dataclasses.MISSING}
