"""Pictures of a mock home: what the robot's cameras see, and where things are in them."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.platforms import Camera, Platform
from pi05_ros.sim.geometry import rotate
from pi05_ros.sim.home_spec import item_body
from pi05_ros.sim.robot import camera_name
from pi05_ros.sim.world import Snapshot, World

FractionBox = tuple[float, float, float, float]  # x_min, y_min, x_max, y_max; 0 to 1, y down.


def intrinsics(camera: Camera) -> tuple[float, float, float, float]:
    """Focal lengths and principal point fx, fy, cx, cy [pixel] of an ideal pinhole camera.

    Pixels are square. The middle of the picture is at ((width - 1) / 2, (height - 1) / 2), with
    (0, 0) the middle of the first pixel, as in OpenCV and sensor_msgs/CameraInfo.
    """
    focal = camera.height / 2 / math.tan(math.radians(camera.fov_y_deg) / 2)
    return focal, focal, (camera.width - 1) / 2, (camera.height - 1) / 2


class CameraRenderer:
    """Renders a world's cameras from snapshots.

    Make it anywhere, but render and close in one thread: that thread gets the OpenGL context.
    MUJOCO_GL chooses how (egl, osmesa, glfw). The physics may run in another thread meanwhile.
    """

    def __init__(self, world: World) -> None:
        self._platform = world.platform
        self._gl: mujoco.GLContext | None = None
        self._model: mujoco.MjModel | None = None
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = (0, 1, 1, 0, 0, 0)  # 0: the URDF's collision; 3: felt only.

    def render(self, camera: str, snapshot: Snapshot) -> np.ndarray:
        """What a camera of the platform sees.

        Returns:
            (height, width, 3) uint8 rgb at the camera's own size.

        Raises:
            Pi05Error: The platform has no such camera.
        """
        settings = _camera(self._platform, camera)
        self._show(snapshot)
        view = mujoco.MjvCamera()
        view.type = mujoco.mjtCamera.mjCAMERA_FIXED
        view.fixedcamid = self._model.camera(camera_name(camera)).id
        return self._draw(view, settings.width, settings.height)

    def render_from(
        self, eye: np.ndarray, target: np.ndarray, snapshot: Snapshot, width: int, height: int
    ) -> np.ndarray:
        """The home seen from `eye` (3,) towards `target` (3,) in odom [m]; for people."""
        self._show(snapshot)
        view = mujoco.MjvCamera()
        view.type = mujoco.mjtCamera.mjCAMERA_FREE
        offset = np.asarray(target, dtype=np.float64) - np.asarray(eye, dtype=np.float64)
        view.lookat[:] = target
        view.distance = float(np.linalg.norm(offset))
        view.azimuth = math.degrees(math.atan2(offset[1], offset[0]))
        view.elevation = math.degrees(math.asin(offset[2] / view.distance))
        return self._draw(view, width, height)

    def close(self) -> None:
        """Frees the OpenGL context. A later `render` makes a new one."""
        if self._gl is not None:
            self._context.free()
            self._gl.free()
            self._gl = self._model = None

    def _show(self, snapshot: Snapshot) -> None:
        """Makes this thread's copy of the state equal to the snapshot."""
        if snapshot.model is not self._model:
            self._prepare(snapshot.model)
        self._gl.make_current()
        self._data.qpos[:] = snapshot.qpos
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)

    def _prepare(self, model: mujoco.MjModel) -> None:
        self.close()
        self._model = model
        self._data = mujoco.MjData(model)
        size = model.vis.global_
        self._gl = mujoco.GLContext(size.offwidth, size.offheight)
        self._gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZERONEAR
        self._scene = mujoco.MjvScene(model, maxgeom=2 * model.ngeom + 100)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = 0

    def _draw(self, view: mujoco.MjvCamera, width: int, height: int) -> np.ndarray:
        mujoco.mjv_updateScene(
            self._model, self._data, self._option, None, view,
            mujoco.mjtCatBit.mjCAT_ALL, self._scene,
        )  # fmt: skip
        viewport = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(viewport, self._scene, self._context)
        picture = np.empty((height, width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(picture, None, viewport, self._context)
        return np.ascontiguousarray(picture[::-1])


class CameraGeometry:
    """Where points and items appear in the cameras of a platform. Needs no OpenGL."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._model: mujoco.MjModel | None = None

    def project(self, camera: str, points: np.ndarray, snapshot: Snapshot) -> np.ndarray:
        """Pixels (N, 2) float64, x right and y down, of points (N, 3) in odom [m].

        A point behind the camera gives NaN. Pixels may lie outside the picture.

        Raises:
            Pi05Error: The platform has no such camera.
        """
        settings = _camera(self._platform, camera)
        self._show(snapshot)
        return self._project(settings, np.asarray(points, dtype=np.float64))

    def object_boxes(self, snapshot: Snapshot, camera: str) -> dict[str, FractionBox]:
        """Boxes around the items in view, as fractions of the picture, clipped to it.

        A box bounds the projected corners of the item's bounding box. An item is left out when any
        corner is behind the camera or its middle is outside the picture. Nothing is said about
        what stands in front: an item hidden by an arm still has its box.

        Raises:
            Pi05Error: The platform has no such camera.
        """
        settings = _camera(self._platform, camera)
        self._show(snapshot)
        scale = np.array([settings.width, settings.height])
        boxes = {}
        for item in snapshot.kitchen.items:
            body = self._data.body(item_body(item.name))
            x, y, z = item.design.size
            corners = np.array(
                [[i * x / 2, j * y / 2, k * z] for i in (-1, 1) for j in (-1, 1) for k in (0, 1)]
            )
            points = body.xpos + rotate(body.xquat[None], corners)
            # Edges of pixels, not middles: a fraction of 0 is the picture's left border.
            pixels = (self._project(settings, points) + 0.5) / scale
            if not np.isfinite(pixels).all():
                continue
            low, high = pixels.min(axis=0), pixels.max(axis=0)
            middle = (low + high) / 2
            if (middle < 0).any() or (middle > 1).any():
                continue
            low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
            boxes[item.name] = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        return boxes

    def _show(self, snapshot: Snapshot) -> None:
        if snapshot.model is not self._model:
            self._model = snapshot.model
            self._data = mujoco.MjData(snapshot.model)
        self._data.qpos[:] = snapshot.qpos
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)

    def _project(self, camera: Camera, points: np.ndarray) -> np.ndarray:
        fx, fy, cx, cy = intrinsics(camera)
        view = self._data.camera(camera_name(camera.name))
        # MuJoCo's camera frame: x right, y up, looking along -z.
        local = (points - view.xpos) @ view.xmat.reshape(3, 3)
        depth = np.where(local[:, 2] < -1e-3, -local[:, 2], np.nan)
        return np.stack([cx + fx * local[:, 0] / depth, cy - fy * local[:, 1] / depth], axis=1)


def _camera(platform: Platform, name: str) -> Camera:
    if name not in platform.camera_names:
        raise Pi05Error(
            f"{platform.name} has no camera '{name}'{did_you_mean(name, platform.camera_names)} "
            f"(valid: {', '.join(platform.camera_names)})"
        )
    return platform.camera(name)
