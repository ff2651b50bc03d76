"""Draws what the inspector shows of a moment in a mock home, for docs/images.

    ./pi05 run python benchmarks/inspector_pictures.py --out docs/images

`inspector_view.png`: its markers in the room, as RViz would draw them over the robot, on its way
to an object. A little later, `inspector_front.png`: its markers in the front camera's picture, and
`inspector_cameras.png`: its annotated pictures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from views.draw import draw_shapes
from views.moment import Moment
from views.viewpoint import Viewpoint, look_at

from pi05_ros.inspection.picture import annotate
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.preview import overview_from

_ROOM = (1120, 840)  # Width and height of the look into the room [pixel].
_NEARER = 0.66  # How far the eye stands, as a share of the way to the corner of the room.


def main(arguments: list[str] | None = None) -> int:
    """Runs the expert for a while and draws the moment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platform", choices=platform_names(), default="mobile_18dof")
    parser.add_argument("--home", type=int, default=7, help="seed of the home (default 7)")
    parser.add_argument("--room", type=float, default=10.2, help="when [s] (default 10.2)")
    parser.add_argument("--cameras", type=float, default=11.04, help="when [s] (default 11.04)")
    parser.add_argument("--out", type=Path, default=Path("docs/images"), help="folder")
    options = parser.parse_args(arguments)
    moment = Moment(load_platform(options.platform), options.home)
    moment.run(options.room)
    pictures = {"view": in_the_room(moment)}
    moment.run(options.cameras - options.room)
    pictures |= by_cameras(moment)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        path = options.out / f"inspector_{name}.png"
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        print(path)
    return 0


def in_the_room(moment: Moment) -> np.ndarray:
    """The markers of a moment, seen from a corner of the room, (H, W, 3) uint8 rgb."""
    snapshot, shapes, now_ns = moment.snapshot(), moment.view.shapes(moment.now_ns), moment.now_ns
    eye, _ = overview_from(moment.world.room)
    x, y, _ = moment.world.base_pose()
    target = np.array([x + 0.4, y + 0.1, 1.56])
    eye = target + _NEARER * (eye - target)
    renderer = CameraRenderer(moment.world)
    try:
        room = renderer.render_from(eye, target, snapshot, *_ROOM)
    finally:
        renderer.close()
    fov_y = float(snapshot.model.vis.global_.fovy)
    return draw_shapes(room, shapes, look_at(eye, target, *_ROOM, fov_y), moment.frame, now_ns)


def by_cameras(moment: Moment) -> dict[str, np.ndarray]:
    """`front`: the markers in its picture; `cameras`: all annotated. (H, W, 3) uint8 rgb."""
    platform, now_ns, snapshot = moment.world.platform, moment.now_ns, moment.snapshot()
    renderer = CameraRenderer(moment.world)
    try:
        seen = {name: renderer.render(name, snapshot) for name in platform.camera_names}
    finally:
        renderer.close()
    said = moment.subtask
    annotated = [annotate(seen[n], n, now_ns, said, now_ns) for n in platform.camera_names]
    rows = [np.hstack(annotated[k : k + 2]) for k in range(0, len(annotated), 2)]
    return {"front": in_camera(moment, "front", seen["front"]), "cameras": np.vstack(rows)}


def in_camera(moment: Moment, name: str, picture: np.ndarray, factor: int = 2) -> np.ndarray:
    """The markers over a camera's picture (H, W, 3), `factor` times as large."""
    camera = moment.world.platform.camera(name)
    size = (camera.width * factor, camera.height * factor)
    large = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    pose = moment.frame(camera.frame, moment.now_ns)
    viewpoint = Viewpoint(*size, camera.intrinsics[0] * factor, pose)
    shapes = moment.view.shapes(moment.now_ns)
    return draw_shapes(large, shapes, viewpoint, moment.frame, moment.now_ns)


if __name__ == "__main__":
    sys.exit(main())
