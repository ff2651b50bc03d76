"""Static scenes of mock homes with captions, questions and boxes: pictures without rollouts."""

from __future__ import annotations

import functools
import json
import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pi05_ros.cameras.rotation import upright
from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.evaluation.collection.collect import UNDER_WAY, disk_error, exclusive
from pi05_ros.evaluation.collection.descriptions import SeenItem, entries
from pi05_ros.evaluation.collection.settings import (
    check_homes,
    claim_folder,
    random_for,
)
from pi05_ros.evaluation.collection.visibility import Visibility
from pi05_ros.foundation.parallel import finished_in_processes
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.home_spec import item_joint
from pi05_ros.sim.homes.clutter import CLUTTER
from pi05_ros.sim.homes.dishes import DISHES
from pi05_ros.sim.homes.geometry import FloorPose, yaw_quaternion
from pi05_ros.sim.homes.room import Item, Room
from pi05_ros.sim.robot import BASE_JOINTS, home_positions, set_joint_positions
from pi05_ros.sim.world import Snapshot, World

_USE = 2  # Of the random numbers; see random_for.
_BACK = (0.0, 0.6)  # Distance behind the working stance [m].
_TURN = 0.25  # Largest turn from facing the counter [rad].
_IN_SINK = (0, 0, 1, 2, 3)  # Numbers of dishes in the sink, drawn with equal chances.
_SPOTS = ((-0.09, -0.11), (0.09, -0.11), (-0.09, 0.11), (0.09, 0.11))  # In the sink's frame [m].
# Labels that are asked for; a cereal box is called so in the pictures' words.
_KINDS = tuple(sorted({*DISHES, *CLUTTER} - {"cereal"} | {"cereal box"}))


@dataclass(frozen=True)
class SceneSettings:
    """Settings that all scenes of a folder share."""

    platform: str  # Name, or path of a YAML file.
    sets: int = 8  # Sets of pictures of each home.
    quality: int = 90  # Of the JPEG pictures, 1 to 100.

    def __post_init__(self) -> None:
        if self.sets < 1:
            raise ValueError(f"sets: wanted at least 1, got {self.sets}")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality: wanted a JPEG quality from 1 to 100, got {self.quality}")


@dataclass(frozen=True)
class SceneJob:
    """The scenes of one home."""

    out: Path
    settings: SceneSettings
    home: int
    seed: int

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
    load_platform(settings.platform)
    claim_folder(
        out, "scenes", {"platform": settings.platform, "sets": settings.sets,
                        "quality": settings.quality}
    )  # fmt: skip
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
        platform = kinematics.platform
        self._platform, self._job = platform, job
        self._world = World(platform, job.home)
        self._kitchen = self._world.room
        self._place = Workplace(kinematics, self._kitchen, ScriptedExpertConfig())
        self._random = random_for(job.home, job.seed, _USE)
        self._start = self._world.snapshot()

    def pictures(self) -> list[tuple[str, bytes, list[dict[str, Any]]]]:
        """Return file name, JPEG and entries of each picture of which something can be said."""
        renderer = CameraRenderer(self._world)
        visibility = Visibility(self._platform, renderer)
        found = []
        try:
            for number in range(self._job.settings.sets):
                snapshot, places = self._scene(number)
                for camera in self._platform.cameras:
                    views = visibility.items(camera.name, snapshot).values()
                    seen = [
                        SeenItem(
                            label=(item := self._kitchen.item(view.name)).label,
                            color=item.design.color_name if item.is_dish else "",
                            place=places[view.name],
                            box=view.box,
                            is_clear=view.is_clear,
                        )
                        for view in views
                    ]
                    name = f"set{number}_{camera.name}.jpg"
                    said = entries(f"{self._job.name}/{name}", seen, _KINDS, self._random)
                    if said:
                        picture = upright(renderer.render(camera.name, snapshot), camera.rotate)
                        found.append((name, self._jpeg(picture), said))
        finally:
            renderer.close()
        return found

    def _jpeg(self, picture: np.ndarray) -> bytes:
        quality = [cv2.IMWRITE_JPEG_QUALITY, self._job.settings.quality]
        _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
        return bytes(data)

    def _scene(self, number: int) -> tuple[Snapshot, dict[str, str]]:
        """Return a scene, and the place of each item in words.

        The first scene of a home is its start. In the others the robot stands at the counter, as
        when it works there or a little behind, and some dishes are in the sink.
        """
        qpos = self._start.qpos.copy()
        model, random = self._start.model, self._random
        places = {item.name: _on_counter(item) for item in self._kitchen.items}
        if number:
            along = self._kitchen.surfaces[0].length / 2 - 0.4
            config = self._place.config
            back = config.standoff + random.uniform(*_BACK)
            base = self._place.at(-back, float(random.uniform(-along, along)))
            yaw = base.yaw + float(random.uniform(-_TURN, _TURN))
            set_joint_positions(model, qpos, self._posture())
            for joint, value in zip(BASE_JOINTS, (base.x, base.y, yaw), strict=True):
                qpos[model.joint(joint).qposadr[0]] = value
            for item, pose in _dishes_in_sink(self._kitchen, random):
                address = model.joint(item_joint(item.name)).qposadr[0]
                x, y = self._kitchen.container("sink").pose.point((pose.x, pose.y))
                turned = yaw_quaternion(self._kitchen.container("sink").pose.yaw + pose.yaw)
                qpos[address : address + 3] = x, y, self._kitchen.container("sink").floor
                qpos[address + 3 : address + 7] = turned
                places[item.name] = "in the sink"
        return Snapshot(0.0, qpos, model, self._kitchen, {}), places

    def _posture(self) -> dict[str, float]:
        """Return joint positions with the torso raised and the hands above the dishes."""
        place, platform = self._place, self._platform
        vector = place.posture.copy()
        for arm in place.kinematics.layout.arms:
            height = place.pass_height + float(self._random.uniform(0.01, 0.12))
            vector[arm.joints] = place.ready_joints(arm.side, height)
        positions = home_positions(platform)
        for group in platform.groups_of("joint_trajectory"):
            values = vector[platform.slices[group.name]]
            for dimension, value in zip(group.dimensions, values, strict=True):
                positions[dimension.joint_name] = float(value)
        return positions


def _on_counter(item: Item) -> str:
    return "on the counter" if item.surface == "counter" else "on the side counter"


def _dishes_in_sink(kitchen: Room, random: np.random.Generator) -> list[tuple[Item, FloorPose]]:
    """Draw dishes for the sink, each flat in a quarter of its own, in the sink's frame."""
    fitting = [item for item in kitchen.dishes if item.design.footprint < 0.12]
    count = min(int(random.choice(_IN_SINK)), len(fitting))
    chosen = random.permutation(len(fitting))[:count]
    spots = random.permutation(len(_SPOTS))[:count]
    found = []
    for index, spot in zip(chosen, spots, strict=True):
        item, (x, y) = fitting[index], _SPOTS[spot]
        # Long items lie along the sink's longer side.
        yaw = math.pi / 2 if item.design.is_long else float(random.uniform(-math.pi, math.pi))
        found.append((item, FloorPose(x, y, yaw)))
    return found


@functools.lru_cache(maxsize=1)
def _kinematics(platform: str) -> ArmKinematics:
    """Return the kinematics of this process."""
    return ArmKinematics(load_platform(platform))
