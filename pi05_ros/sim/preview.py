"""Preview image of mock homes: `python -m pi05_ros.sim.preview --home 0 1 2 --out homes.png`.

One row per home: an overview of the kitchen, and the picture of each camera at the start.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from pi05_ros.cameras.rotation import upright
from pi05_ros.errors import Pi05Error
from pi05_ros.inspection.lettering import label, paste
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.homes.room import Room
from pi05_ros.sim.world import World

_ROW = 240  # Height of a row [pixel].


def overview_from(kitchen: Room) -> tuple[np.ndarray, np.ndarray]:
    """Return eye and target points (3,) in odom [m] of an overview of the main counter.

    The eye is in the room's corner behind the robot, the one farther from it.
    """
    room = kitchen.walls
    _, y = room.pose.local((0.0, 0.0))
    left, right = room.y[1] - 0.3, room.y[0] + 0.3
    corner = left if abs(left - y) > abs(right - y) else right
    eye = room.pose.point((max(room.x[0] + 0.3, -2.6), corner, 2.35))
    return eye, room.pose.point((0.2, -0.12 * corner, 0.75))


def contact_row(world: World, renderer: CameraRenderer) -> np.ndarray:
    """Render the row of one home, (240, W, 3) uint8 rgb: overview, then each camera, labelled."""
    snapshot = world.snapshot()
    eye, target = overview_from(world.room)
    pictures = [renderer.render_from(eye, target, snapshot, 2 * _ROW, _ROW)]
    labels = [f"home {world.home}", *world.platform.camera_names]
    for camera in world.platform.cameras:
        picture = upright(renderer.render(camera.name, snapshot), camera.rotate)
        width = round(picture.shape[1] * _ROW / picture.shape[0])
        pictures.append(cv2.resize(picture, (width, _ROW), interpolation=cv2.INTER_AREA))
    for picture, text in zip(pictures, labels, strict=True):
        paste(picture, label(text), 0, 0)
    return np.concatenate(pictures, axis=1)


def main(arguments: list[str] | None = None) -> int:
    """Render the homes and write one image."""
    parser = argparse.ArgumentParser(prog="preview", description=main.__doc__)
    parser.add_argument("--platform", default="mobile_18dof", help="name, or a YAML file")
    parser.add_argument("--home", type=int, nargs="+", default=[0, 1, 2], help="seeds, one a row")
    parser.add_argument("--out", type=Path, default=Path("homes.png"), help="a .png or .jpg file")
    options = parser.parse_args(arguments)
    try:
        world = World(load_platform(options.platform), options.home[0])
        renderer, rows = CameraRenderer(world), []
        for home in options.home:
            world.reset(home)
            rows.append(contact_row(world, renderer))
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
