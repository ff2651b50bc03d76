"""Pictures of a mock home, as its robot's cameras take them."""

from __future__ import annotations

import copy
import math

import mujoco
import numpy as np

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.platforms.platform import Camera, Platform
from pi05_ros.sim.robot import camera_name
from pi05_ros.sim.world import Snapshot, World

_HIDDEN_GROUP = 3  # One that is not drawn.


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


def in_view(model: mujoco.MjModel, data: mujoco.MjData, camera: int, aspect: float) -> np.ndarray:
    """Which geoms may be in a camera's picture: their bounding spheres reach into its pyramid.

    OpenGL would find out itself, but only after the work of drawing each.

    Args:
        model: The home.
        data: As `pose_data` leaves it.
        camera: MuJoCo's id of the camera.
        aspect: Width of the picture by its height.

    Returns:
        (ngeom,) bool; False only where nothing of a geom can be seen.
    """
    up = math.tan(math.radians(float(model.cam_fovy[camera])) / 2)
    across = up * aspect
    wide, high = math.hypot(1.0, across), math.hypot(1.0, up)
    # The camera looks along -z. Distance of each middle outside the five planes, (ngeom, 5).
    outward = np.array(
        [
            [1 / wide, -1 / wide, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1 / high, -1 / high, 0.0],
            [across / wide, across / wide, up / high, up / high, 1.0],
        ]
    )
    turn = data.cam_xmat[camera].reshape(3, 3)
    outside = (data.geom_xpos - data.cam_xpos[camera]) @ (turn @ outward)
    # Without a radius a geom has no end. 1 mm covers rounding.
    radius = np.where(model.geom_rbound > 0, model.geom_rbound + 1e-3, np.inf)
    return outside.max(axis=1) < radius


class CameraRenderer:
    """Renders a world's cameras from snapshots.

    Make it anywhere, but render and close in one thread: that thread gets the OpenGL context.
    MUJOCO_GL chooses how (egl, osmesa, glfw). The physics may run in another thread meanwhile.
    """

    def __init__(self, world: World) -> None:
        self._platform = world.platform
        self._render_context: _RenderContext | None = None

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
        return self._context_for(snapshot).draw(snapshot, view, settings.width, settings.height)

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
        return self._context_for(snapshot).draw(snapshot, view, width, height)

    def close(self) -> None:
        """Frees the OpenGL context. A later `render` makes a new one."""
        if self._render_context is not None:
            self._render_context.close()
            self._render_context = None

    def _context_for(self, snapshot: Snapshot) -> _RenderContext:
        """The stage for the snapshot's home; a new one when the home has changed."""
        if self._render_context is None or self._render_context.source is not snapshot.model:
            self.close()
            cameras = self._platform.cameras
            size = (max(c.width for c in cameras), max(c.height for c in cameras))
            self._render_context = _RenderContext(snapshot.model, *size)
        return self._render_context


class _RenderContext:
    """One home in one OpenGL context, with a state of its own.

    Args:
        source: The home's model, which others read too.
        width: Of most pictures [pixel]; a larger one makes the buffer grow.
        height: Likewise.
    """

    def __init__(self, source: mujoco.MjModel, width: int, height: int) -> None:
        self.source = source
        # A copy, because what a camera cannot see is taken out of it before each picture.
        self._model = copy.copy(source)
        self._groups = source.geom_group.copy()
        self._data = mujoco.MjData(self._model)
        # Each picture begins with clearing the whole buffer, however small the picture is.
        self._width, self._height = width, height
        size = self._model.vis.global_
        size.offwidth, size.offheight = width, height
        try:
            self._gl = mujoco.GLContext(width, height)
            self._gl.make_current()
            self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
        except Exception as error:  # Each GL back end raises its own.
            raise Pi05Error(
                f"OpenGL does not start ({error}): install libegl1 or libosmesa6, and set "
                "MUJOCO_GL to egl or osmesa"
            ) from error
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(self._model, maxgeom=self._model.ngeom + 100)
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
        self._fit(width, height)
        pose_data(snapshot, self._data)
        model, groups = self._model, self._groups
        if view.type == mujoco.mjtCamera.mjCAMERA_FIXED:
            visible = in_view(model, self._data, view.fixedcamid, width / height)
            groups = np.where(visible, groups, _HIDDEN_GROUP)
        model.geom_group[:] = groups
        every = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(model, self._data, self._option, None, view, every, self._scene)
        viewport = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(viewport, self._scene, self._context)
        picture = np.empty((height, width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(picture, None, viewport, self._context)
        return np.ascontiguousarray(picture[::-1])  # OpenGL counts rows from below.

    def close(self) -> None:
        self._context.free()
        self._gl.free()

    def _fit(self, width: int, height: int) -> None:
        """Makes the buffer large enough for a picture."""
        if width > self._width or height > self._height:
            self._width, self._height = max(width, self._width), max(height, self._height)
            mujoco.mjr_resizeOffscreen(self._width, self._height, self._context)
