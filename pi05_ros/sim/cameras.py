"""Pictures of a mock home, as its robot's cameras take them."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.platforms import Camera, Platform
from pi05_ros.sim.robot import camera_name
from pi05_ros.sim.world import Snapshot, World


def find_camera(platform: Platform, name: str) -> Camera:
    """The platform's camera called `name`.

    Raises:
        Pi05Error: There is none.
    """
    if name not in platform.camera_names:
        raise Pi05Error(
            f"{platform.name} has no camera '{name}'{did_you_mean(name, platform.camera_names)} "
            f"(valid: {', '.join(platform.camera_names)})"
        )
    return platform.camera(name)


def pose_data(snapshot: Snapshot, data: mujoco.MjData) -> None:
    """Poses everything in `data`, cameras and lamps included, as it is in the snapshot."""
    data.qpos[:] = snapshot.qpos
    mujoco.mj_kinematics(snapshot.model, data)
    mujoco.mj_comPos(snapshot.model, data)
    mujoco.mj_camlight(snapshot.model, data)


class CameraRenderer:
    """Renders a world's cameras from snapshots.

    Make it anywhere, but render and close in one thread: that thread gets the OpenGL context.
    MUJOCO_GL chooses how (egl, osmesa, glfw). The physics may run in another thread meanwhile.
    """

    def __init__(self, world: World) -> None:
        self._platform = world.platform
        self._stage: _Stage | None = None

    def render(self, camera: str, snapshot: Snapshot) -> np.ndarray:
        """What a camera of the platform sees.

        Returns:
            (height, width, 3) uint8 rgb at the camera's own size.

        Raises:
            Pi05Error: The platform has no such camera, or OpenGL does not start.
        """
        settings = find_camera(self._platform, camera)
        view = mujoco.MjvCamera()
        view.type = mujoco.mjtCamera.mjCAMERA_FIXED
        view.fixedcamid = snapshot.model.camera(camera_name(camera)).id
        return self._staged(snapshot).draw(snapshot, view, settings.width, settings.height)

    def render_from(
        self, eye: np.ndarray, target: np.ndarray, snapshot: Snapshot, width: int, height: int
    ) -> np.ndarray:
        """The home seen from `eye` (3,) towards `target` (3,) in odom [m], for people.

        Returns:
            (height, width, 3) uint8 rgb; at most 1280 by 960 pixels.
        """
        view = mujoco.MjvCamera()
        view.type = mujoco.mjtCamera.mjCAMERA_FREE
        x, y, z = np.asarray(target, dtype=np.float64) - np.asarray(eye, dtype=np.float64)
        view.lookat[:] = target
        view.distance = math.hypot(x, y, z)
        view.azimuth = math.degrees(math.atan2(y, x))
        view.elevation = math.degrees(math.asin(z / view.distance))
        return self._staged(snapshot).draw(snapshot, view, width, height)

    def close(self) -> None:
        """Frees the OpenGL context. A later `render` makes a new one."""
        if self._stage is not None:
            self._stage.close()
            self._stage = None

    def _staged(self, snapshot: Snapshot) -> _Stage:
        """The stage for the snapshot's home; a new one when the home has changed."""
        if self._stage is None or self._stage.model is not snapshot.model:
            self.close()
            self._stage = _Stage(snapshot.model)
        return self._stage


class _Stage:
    """One home in one OpenGL context, with a state of its own."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self.model = model
        self._data = mujoco.MjData(model)
        size = model.vis.global_
        try:
            self._gl = mujoco.GLContext(size.offwidth, size.offheight)
            self._gl.make_current()
            self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        except Exception as error:  # Each GL back end raises its own.
            raise Pi05Error(
                f"OpenGL does not start ({error}): install libegl1 or libosmesa6, and set "
                "MUJOCO_GL to egl or osmesa"
            ) from error
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=model.ngeom + 100)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            self._scene.flags[flag] = 0
        self._option = mujoco.MjvOption()
        # Group 0 is the URDF's collision, 3 what is felt but not seen, 4 the sites.
        self._option.geomgroup[:] = (0, 1, 1, 0, 0, 0)

    def draw(
        self, snapshot: Snapshot, view: mujoco.MjvCamera, width: int, height: int
    ) -> np.ndarray:
        """(height, width, 3) uint8 rgb."""
        self._gl.make_current()
        pose_data(snapshot, self._data)
        every = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(
            self.model, self._data, self._option, None, view, every, self._scene
        )
        viewport = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(viewport, self._scene, self._context)
        picture = np.empty((height, width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(picture, None, viewport, self._context)
        return np.ascontiguousarray(picture[::-1])  # OpenGL counts rows from below.

    def close(self) -> None:
        self._context.free()
        self._gl.free()
