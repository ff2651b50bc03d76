"""Preview image of mock homes: `python -m pi05_ros.sim.preview --home 0 1 2 --out homes.png`.

One row per home: an overview of the room, and the picture of each camera at the start. With
`--open` its drawers are open, and a picture of the first one is added.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import cv2
import numpy as np

from pi05_ros.cameras.rotation import upright
from pi05_ros.errors import Pi05Error
from pi05_ros.inspection.lettering import label, paste
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.home_spec import fixture_joint
from pi05_ros.sim.homes.difficulty import Difficulty
from pi05_ros.sim.homes.room import Room
from pi05_ros.sim.homes.rooms import ROOMS
from pi05_ros.sim.world import Snapshot, World

_ROW = 240  # Height of a row [pixel].


def overview_from(room: Room) -> tuple[np.ndarray, np.ndarray]:
    """Return eye and target points (3,) in odom [m] of an overview of the main surface.

    The eye is in the room's corner behind the robot, the one farther from it.
    """
    walls = room.walls
    _, y = walls.pose.local((0.0, 0.0))
    left, right = walls.y[1] - 0.3, walls.y[0] + 0.3
    corner = left if abs(left - y) > abs(right - y) else right
    eye = walls.pose.point((max(walls.x[0] + 0.3, -2.6), corner, 2.35))
    height = 0.85 * room.surfaces[0].height
    return eye, walls.pose.point((0.2, -0.12 * corner, height))


def drawer_from(room: Room) -> tuple[np.ndarray, np.ndarray]:
    """Return eye and target points (3,) in odom [m] of a picture of the room's first drawer.

    Raises:
        Pi05Error: The room has none.
    """
    drawers = [container for container in room.containers if container.fixture]
    if not drawers:
        raise Pi05Error(f"the {room.kind} of home {room.seed} has no drawer to open")
    surface = room.surface(drawers[0].surface)
    _, y = surface.pose.local((drawers[0].pose.x, drawers[0].pose.y))
    side = -np.sign(y) or 1.0  # From the middle of the counter, where no wall is near.
    eye = surface.pose.point((-1.15, y + 0.55 * side, 1.55))
    return eye, surface.pose.point((0.1, y + 0.15 * side, surface.height - 0.15))


def opened(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with all drawers open as far as they go."""
    qpos, room = snapshot.qpos.copy(), snapshot.room
    for container in room.containers:
        if container.fixture:
            joint = snapshot.model.joint(fixture_joint(container.fixture, 0))
            qpos[joint.qposadr[0]] = joint.range[1]
    return dataclasses.replace(snapshot, qpos=qpos)


def contact_row(world: World, renderer: CameraRenderer, *, is_open: bool = False) -> np.ndarray:
    """Render the row of one home, (240, W, 3) uint8 rgb: overview, then each camera, labelled.

    Args:
        world: The home.
        renderer: Its renderer.
        is_open: Whether the drawers are open; a picture of the first one follows the overview.

    Raises:
        Pi05Error: The room has no drawer to open.
    """
    snapshot = opened(world.snapshot()) if is_open else world.snapshot()
    eye, target = overview_from(world.room)
    pictures = [renderer.render_from(eye, target, snapshot, 2 * _ROW, _ROW)]
    labels = [f"home {world.home}"]
    if is_open:
        eye, target = drawer_from(world.room)
        pictures.append(renderer.render_from(eye, target, snapshot, 4 * _ROW // 3, _ROW))
        labels.append("drawer")
    labels += world.platform.camera_names
    for camera in world.platform.cameras:
        picture = upright(renderer.render(camera.name, snapshot), camera.rotate)
        width = round(picture.shape[1] * _ROW / picture.shape[0])
        pictures.append(cv2.resize(picture, (width, _ROW), interpolation=cv2.INTER_AREA))
    for picture, text in zip(pictures, labels, strict=True):
        paste(picture, label(text), 0, 0)
    return np.concatenate(pictures, axis=1)


def main(arguments: list[str] | None = None) -> int:
    """Render rooms of homes and write one image."""
    parser = argparse.ArgumentParser(prog="preview", description=main.__doc__)
    parser.add_argument("--platform", default="mobile_18dof", help="name, or a YAML file")
    parser.add_argument("--home", type=int, nargs="+", default=[0, 1, 2], help="seeds, one a row")
    parser.add_argument("--room", choices=ROOMS, default="kitchen", help="kind of the room")
    parser.add_argument("--difficulty", default="ideal", help="ideal, normal or hard")
    parser.add_argument("--open", action="store_true", help="open the drawers")
    parser.add_argument("--out", type=Path, default=Path("homes.png"), help="a .png or .jpg file")
    options = parser.parse_args(arguments)
    try:
        difficulty = Difficulty.parse(options.difficulty)
        platform = load_platform(options.platform)
        world = World(platform, options.home[0], options.room, difficulty=difficulty)
        renderer, rows = CameraRenderer(world), []
        for home in options.home:
            world.reset(home)
            rows.append(contact_row(world, renderer, is_open=options.open))
        renderer.close()
    except Pi05Error as error:
        print(error, file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(options.out), np.concatenate(rows)[..., ::-1]):
        print(f"{options.out} cannot be written", file=sys.stderr)
        return 1
    print(f"wrote {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
