"""Draws what the inspector shows of a moment in a mock home, for docs/images.

    ./pi05 run python benchmarks/inspector_pictures.py --out docs/images

`inspector_view.png`: its markers in the room, as RViz would draw them over the robot.
`inspector_front.png`: its markers in the front camera's picture. `inspector_cameras.png`: its
annotated pictures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from views.draw import draw_shapes
from views.eye import Eye, looking
from views.moment import Moment

from pi05_ros.inspection.picture import annotate
from pi05_ros.platforms import load_platform, platform_names
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.preview import overview_from

_ROOM = (1120, 840)  # Width and height of the look into the room [pixel].
_NEARER = 0.7  # How far the eye stands, as a share of the way to the corner of the room.


def main(arguments: list[str] | None = None) -> int:
    """Runs the expert for a while and draws the moment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platform", choices=platform_names(), default="mobile_18dof")
    parser.add_argument("--home", type=int, default=7, help="seed of the home (default 7)")
    parser.add_argument("--seconds", type=float, default=11.04, help="when [s] (default 11.04)")
    parser.add_argument("--out", type=Path, default=Path("docs/images"), help="folder")
    options = parser.parse_args(arguments)
    moment = Moment(load_platform(options.platform), options.home)
    moment.run(options.seconds)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures(moment).items():
        path = options.out / f"inspector_{name}.png"
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        print(path)
    return 0


def pictures(moment: Moment) -> dict[str, np.ndarray]:
    """Name -> (H, W, 3) uint8 rgb of a moment."""
    platform = moment.world.platform
    snapshot, shapes, now_ns = moment.snapshot(), moment.view.shapes(moment.now_ns), moment.now_ns
    renderer = CameraRenderer(moment.world)
    try:
        eye, _ = overview_from(moment.world.kitchen)
        x, y, _ = moment.world.base_pose()
        target = np.array([x + 0.35, y + 0.1, 1.55])
        eye = target + _NEARER * (eye - target)
        room = renderer.render_from(eye, target, snapshot, *_ROOM)
        fov_y = float(snapshot.model.vis.global_.fovy)
        view = draw_shapes(room, shapes, looking(eye, target, *_ROOM, fov_y), moment.frame, now_ns)
        seen = {c.name: renderer.render(c.name, snapshot) for c in platform.cameras}
    finally:
        renderer.close()
    said = moment.subtask
    annotated = [annotate(seen[n], n, now_ns, said, now_ns) for n in platform.camera_names]
    rows = [np.hstack(annotated[k : k + 2]) for k in range(0, len(annotated), 2)]
    return {"view": view, "front": in_camera(moment, "front", seen["front"]),
            "cameras": np.vstack(rows)}  # fmt: skip


def in_camera(moment: Moment, name: str, picture: np.ndarray, factor: int = 2) -> np.ndarray:
    """The markers over a camera's picture (H, W, 3), `factor` times as large."""
    camera = moment.world.platform.camera(name)
    size = (camera.width * factor, camera.height * factor)
    large = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    pose = moment.frame(camera.frame, moment.now_ns)
    eye = Eye(*size, camera.intrinsics[0] * factor, pose)
    shapes = moment.view.shapes(moment.now_ns)
    return draw_shapes(large, shapes, eye, moment.frame, moment.now_ns)


if __name__ == "__main__":
    sys.exit(main())
