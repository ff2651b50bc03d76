"""Scenes of a probe: pictures and a state, the same each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.cameras.model_input import fit_driver_picture
from pi05_ros.platforms.platform import Platform

HOMES = (20_000, 20_001)  # Mock homes for evaluation; no weights were trained on them.
TASKS = (
    "put the dishes in the sink",
    "put the items in the drawer",
    "put the laundry in the basket",
    "make the bed",
)
SUBTASK = "pick up the plate"


@dataclass(frozen=True)
class Scene:
    """Pictures and state at one moment."""

    name: str
    images: Mapping[str, np.ndarray]  # Camera → (height, width, 3) uint8 rgb, in platform order.
    state: np.ndarray  # (D,) float64, platform units.


def mock_home_scenes(
    platform: Platform, size: tuple[int, int], homes: Sequence[int] = HOMES
) -> list[Scene]:
    """Pictures of the robot at the start of some mock homes.

    Args:
        platform: The robot.
        size: (height, width) of the pictures.
        homes: Seeds.

    Raises:
        ImportError: MuJoCo is not installed.
    """
    from pi05_ros.sim.cameras import CameraRenderer
    from pi05_ros.sim.world import World

    world = World(platform, homes[0])
    renderer, scenes = CameraRenderer(world), []
    try:
        for home in homes:
            world.reset(home)
            snapshot = world.snapshot()
            pictures = {
                camera.name: _fitted(renderer.render(camera.name, snapshot), camera.rotate, size)
                for camera in platform.cameras
            }
            scenes.append(Scene(f"mock home {home}", pictures, platform.home))
    finally:
        renderer.close()
    return scenes


def drawn_scenes(platform: Platform, size: tuple[int, int]) -> list[Scene]:
    """Pictures (height, width) of coloured squares, for a machine without MuJoCo."""
    height, width = size
    scenes = []
    for seed in range(len(HOMES)):
        random = np.random.default_rng(seed)
        pictures = {
            camera: random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
            .repeat(-(-height // 4), axis=0)
            .repeat(-(-width // 4), axis=1)[:height, :width]
            .copy()
            for camera in platform.camera_names
        }
        scenes.append(Scene(f"coloured squares {seed}", pictures, platform.home))
    return scenes


def _fitted(picture: np.ndarray, rotate: int, size: tuple[int, int]) -> np.ndarray:
    canvas = np.empty((*size, 3), dtype=np.uint8)
    fit_driver_picture(picture, rotate, canvas)
    return canvas
