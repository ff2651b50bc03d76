"""Static scenes of mock homes with captions, questions and boxes: pictures without rollouts."""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pi05_ros.cameras.rotation import upright
from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.errors import did_you_mean
from pi05_ros.evaluation.collection.arrangements import Arrangements
from pi05_ros.evaluation.collection.collect import UNDER_WAY, disk_error, exclusive
from pi05_ros.evaluation.collection.descriptions import SeenFurniture, SeenItem, entries
from pi05_ros.evaluation.collection.furniture import fixture_states
from pi05_ros.evaluation.collection.hands import HandsAtWork
from pi05_ros.evaluation.collection.labels import absent_furniture, labels_in
from pi05_ros.evaluation.collection.settings import (
    CollectError,
    check_homes,
    check_room,
    claim_folder,
    random_for,
)
from pi05_ros.evaluation.collection.visibility import ItemView, Visibility
from pi05_ros.foundation.parallel import finished_in_processes
from pi05_ros.platforms.parts import Camera
from pi05_ros.platforms.platform import Platform, load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.homes.difficulty import Difficulty
from pi05_ros.sim.homes.rooms import TRAINING_ROOMS
from pi05_ros.sim.world import World

_USE = 2  # Of the random numbers of the scenes; see random_for.
_ROOM_USE = 3  # Of those of the room.
_HANDS_USE = 8  # Of those of the hands.
ALL = "all"  # Stands for one of TRAINING_ROOMS, which the seed draws for each home.


@dataclass(frozen=True)
class SceneSettings:
    """Settings that all scenes of a folder share."""

    platform: str  # Name, or path of a YAML file.
    sets: int = 8  # Sets of pictures of each home.
    quality: int = 90  # Of the JPEG pictures, 1 to 100.
    room: str = ALL  # Kind of the room, or ALL.
    difficulty: str = "ideal"  # Of the homes; see `sim.homes.difficulty`.
    cameras: str = ""  # Names of those that are rendered, separated by commas; "": all.

    def __post_init__(self) -> None:
        Difficulty.parse(self.difficulty)
        if self.sets < 1:
            raise ValueError(f"sets: wanted at least 1, got {self.sets}")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality: wanted a JPEG quality from 1 to 100, got {self.quality}")

    def cameras_of(self, platform: Platform) -> tuple[Camera, ...]:
        """Return the cameras of a platform that are rendered.

        Raises:
            CollectError: It has none of a name.
        """
        if not self.cameras:
            return platform.cameras
        names = [name.strip() for name in self.cameras.split(",")]
        for name in names:
            if name not in platform.camera_names:
                raise CollectError(
                    f"{platform.name} has no camera '{name}'"
                    f"{did_you_mean(name, platform.camera_names)} "
                    f"(valid: {', '.join(platform.camera_names)})"
                )
        return tuple(camera for camera in platform.cameras if camera.name in names)


@dataclass(frozen=True)
class SceneJob:
    """The scenes of one home."""

    out: Path
    settings: SceneSettings
    home: int
    seed: int

    @property
    def room(self) -> str:
        """Kind of the home's room."""
        if self.settings.room != ALL:
            return self.settings.room
        random = random_for(self.home, self.seed, _ROOM_USE)
        return str(random.choice(TRAINING_ROOMS))

    @property
    def name(self) -> str:
        """Name of the folder of pictures, and of the file of lines."""
        return f"home{self.home:05d}_seed{self.seed}"


@dataclass
class CollectedScenes:
    """Result of a collection of scenes."""

    present: int = 0  # Homes that were there already.
    homes: int = 0  # Homes that were written.
    counts: dict[str, int] = field(default_factory=dict)  # Written: "pictures", kind -> entries.


def collect_scenes(
    out: Path,
    settings: SceneSettings,
    homes: Sequence[int],
    *,
    seed: int = 0,
    jobs: int = 1,
    on_home: Callable[[], None] = lambda: None,
    on_start: Callable[[int], None] = lambda count: None,
) -> CollectedScenes:
    """Render the scenes of homes that a folder lacks.

    The pictures of a home are in a folder of their own; its lines (`training/sources/web`) appear
    last, by one rename. Equal arguments give equal bytes.

    Args:
        out: Folder of the scenes: a new one, or one that was begun with the same settings.
        settings: Of the scenes.
        homes: Seeds of the homes.
        seed: Of the random numbers; another seed adds other scenes.
        jobs: Number of processes.
        on_home: Called when a home is whole.
        on_start: Called with the number of homes to render, if there are any.

    Raises:
        CollectError: The folder is of other settings, is in use, or a home is not for training.
        Pi05Error: A scene cannot be rendered, or the disk is full.
    """
    homes = sorted(set(homes))
    check_homes(homes)
    if settings.room != ALL:
        check_room(settings.room, homes)
        labels_in(settings.room)
    settings.cameras_of(load_platform(settings.platform))
    claim_folder(out, "scenes", settings)
    asked = [SceneJob(out, settings, home, seed) for home in homes]
    whole = all((out / f"{job.name}.jsonl").exists() for job in asked)
    if whole and not (out / UNDER_WAY).exists():
        return CollectedScenes(present=len(homes))
    with exclusive(out):
        todo = [job for job in asked if not (out / f"{job.name}.jsonl").exists()]
        result = CollectedScenes(present=len(homes) - len(todo), homes=len(todo))
        on_start(len(todo))
        for counts in finished_in_processes(_work, todo, jobs):
            for key, count in counts.items():
                result.counts[key] = result.counts.get(key, 0) + count
            on_home()
    return result


def _work(job: SceneJob) -> dict[str, int]:
    """Render the scenes of one home; return the numbers of pictures and of entries by kind."""
    cv2.setNumThreads(1)
    kinematics = _kinematics(job.settings.platform)
    part, folder = job.out / UNDER_WAY / job.name, job.out / job.name
    counts: dict[str, int] = {"pictures": 0}
    lines = []
    try:
        part.mkdir(parents=True)
        for name, jpeg, found in _Scenes(kinematics, job).pictures():
            (part / name).write_bytes(jpeg)
            counts["pictures"] += 1
            for entry in found:
                counts[entry["kind"]] = counts.get(entry["kind"], 0) + 1
                lines.append(json.dumps(entry))
        shutil.rmtree(folder, ignore_errors=True)  # Without its lines it is not whole.
        os.rename(part, folder)
        write_atomically(job.out / f"{job.name}.jsonl", "".join(f"{line}\n" for line in lines))
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise disk_error(job.out, error) from error
    return counts


class _Scenes:
    """Scenes of one home."""

    def __init__(self, kinematics: ArmKinematics, job: SceneJob) -> None:
        self._platform, self._job = kinematics.platform, job
        self._random = random_for(job.home, job.seed, _USE)
        difficulty = Difficulty.parse(job.settings.difficulty)
        self._world = World(self._platform, job.home, job.room, difficulty=difficulty)
        self._room = self._world.room
        self._scenes = Arrangements(self._world, kinematics, self._random)
        random = random_for(job.home, job.seed, _HANDS_USE)
        self._hands = HandsAtWork(self._room, kinematics, self._scenes.place, random)

    def pictures(self) -> list[tuple[str, bytes, list[dict[str, Any]]]]:
        """Return file name, JPEG and entries of each picture of which something can be said."""
        renderer = CameraRenderer(self._world)
        visibility = Visibility(self._platform, renderer)
        kinds, room = labels_in(self._room.kind), self._room.kind.partition("_")[0]
        found = []
        try:
            for number in range(self._job.settings.sets):
                scene = self._scenes.draw(number)
                if number:  # The first one is the home's start.
                    scene = self._hands.place(scene)
                states = fixture_states(self._room, scene.objects)
                for camera in self._job.settings.cameras_of(self._platform):
                    views, pieces = visibility.scene(camera.name, scene.snapshot)
                    items = [self._seen(view, scene.places) for view in views.values()]
                    furniture = [
                        SeenFurniture(label, view.box, states.get(label, ""))
                        for label, view in pieces.items()
                        if view.is_clear
                    ]
                    name = f"set{number}_{camera.name}.jpg"
                    said = entries(
                        f"{self._job.name}/{name}",
                        items,
                        (*kinds, *absent_furniture(self._room.kind, pieces)),
                        self._random,
                        room,
                        furniture,
                    )
                    if said:
                        picture = renderer.render(camera.name, scene.snapshot)
                        found.append((name, self._jpeg(upright(picture, camera.rotate)), said))
        finally:
            renderer.close()
        return found

    def _seen(self, view: ItemView, places: Mapping[str, str]) -> SeenItem:
        item = self._room.item(view.name)
        return SeenItem(
            label=item.label,
            noun=item.noun,
            color=item.design.color_name if item.grasp is not None else "",
            place=places[view.name],
            box=view.box,
            is_clear=view.is_clear,
        )

    def _jpeg(self, picture: np.ndarray) -> bytes:
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._job.settings.quality]
        _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
        return bytes(data)


@functools.lru_cache(maxsize=1)
def _kinematics(platform: str) -> ArmKinematics:
    """Return the kinematics of this process."""
    return ArmKinematics(load_platform(platform))
