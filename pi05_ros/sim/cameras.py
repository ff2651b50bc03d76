"""Rendering of a mock home from the cameras of its robot."""

from __future__ import annotations

import copy
import math

import mujoco
import numpy as np

from pi05_ros.errors import Pi05Error, did_you_mean
from pi05_ros.platforms.platform import Camera, Platform
from pi05_ros.sim.robot import camera_name
from pi05_ros.sim.world import Snapshot, World

# Groups of the renderer's own model, in the order in which they are drawn.
_ROOM, _FLOOR, _HIDDEN = 1, 2, 3
_DRAWN_GROUPS = (1, 2)  # Of a home: 0 and 3 only collide, 4 are sites.


def find_camera(platform: Platform, name: str) -> Camera:
    """Return the platform's camera called `name`.

    Raises:
        Pi05Error: There is no such camera.
    """
    if name not in platform.camera_names:
        raise Pi05Error(
            f"{platform.name} has no camera '{name}'{did_you_mean(name, platform.camera_names)} "
            f"(valid: {', '.join(platform.camera_names)})"
        )
    return platform.camera(name)


def pose_data(snapshot: Snapshot, data: mujoco.MjData) -> None:
    """Set `data` to the snapshot's state: poses of bodies, cameras and lights."""
    data.qpos[:] = snapshot.qpos
    mujoco.mj_kinematics(snapshot.model, data)
    mujoco.mj_comPos(snapshot.model, data)
    mujoco.mj_camlight(snapshot.model, data)


def in_view(model: mujoco.MjModel, data: mujoco.MjData, camera: int, aspect: float) -> np.ndarray:
    """Compute which geoms may be visible: their bounding spheres intersect the view frustum.

    OpenGL clips invisible geoms only after processing them; excluding them first saves time.

    Args:
        model: The home.
        data: State with poses computed, as `pose_data` leaves it.
        camera: MuJoCo id of the camera.
        aspect: Width of the picture divided by its height.

    Returns:
        (ngeom,) bool; False only for geoms that are certainly invisible.
    """
    up = math.tan(math.radians(float(model.cam_fovy[camera])) / 2)
    across = up * aspect
    wide, high = math.hypot(1.0, across), math.hypot(1.0, up)
    # The camera looks along -z. Signed distance of each geom's centre to the five planes,
    # (ngeom, 5), positive outside.
    outward = np.array(
        [
            [1 / wide, -1 / wide, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1 / high, -1 / high, 0.0],
            [across / wide, across / wide, up / high, up / high, 1.0],
        ]
    )
    turn = data.cam_xmat[camera].reshape(3, 3)
    outside = (data.geom_xpos - data.cam_xpos[camera]) @ (turn @ outward)
    # A geom without a bounding radius (a plane) is infinite. 1 mm covers rounding.
    radius = np.where(model.geom_rbound > 0, model.geom_rbound + 1e-3, np.inf)
    return outside.max(axis=1) < radius


class CameraRenderer:
    """Renders a world's cameras from snapshots.

    It may be created in any thread, but `render` and `close` must be called from one thread, which
    owns the OpenGL context. The environment variable MUJOCO_GL selects the backend (egl, osmesa,
    glfw). The physics may run in another thread at the same time.
    """

    def __init__(self, world: World) -> None:
        self._platform = world.platform
        self._render_context: _RenderContext | None = None

    def render(self, camera: str, snapshot: Snapshot) -> np.ndarray:
        """Render the picture of a camera of the platform.

        Returns:
            (height, width, 3) uint8 rgb at the camera's own size.

        Raises:
            Pi05Error: The platform has no such camera, or OpenGL does not start.
        """
        settings = find_camera(self._platform, camera)
        view = _fixed_view(camera, snapshot)
        context = self._context_for(snapshot)
        picture = context.draw(snapshot, view, settings.width, settings.height)
        effects = snapshot.effects
        return picture if effects is None else effects.apply(camera, snapshot.time, picture)

    def segment(self, camera: str, snapshot: Snapshot) -> np.ndarray:
        """Render which geom is seen in each pixel of a camera's picture.

        What is transparent hides what is behind it.

        Returns:
            (height, width) int32, MuJoCo ids of geoms; -1: none.

        Raises:
            Pi05Error: The platform has no such camera, or OpenGL does not start.
        """
        settings = find_camera(self._platform, camera)
        view = _fixed_view(camera, snapshot)
        context = self._context_for(snapshot)
        return context.segment(snapshot, view, settings.width, settings.height)

    def render_from(
        self, eye: np.ndarray, target: np.ndarray, snapshot: Snapshot, width: int, height: int
    ) -> np.ndarray:
        """Render the home from `eye` (3,) towards `target` (3,) in odom [m], for overviews.

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
        """Free the OpenGL context. A later `render` creates a new one."""
        if self._render_context is not None:
            self._render_context.close()
            self._render_context = None

    def _context_for(self, snapshot: Snapshot) -> _RenderContext:
        """Return the render context of the snapshot's home; a new one if the home has changed."""
        if self._render_context is None or self._render_context.source is not snapshot.model:
            self.close()
            cameras = self._platform.cameras
            size = (max(c.width for c in cameras), max(c.height for c in cameras))
            self._render_context = _RenderContext(snapshot.model, *size)
        return self._render_context


def _fixed_view(camera: str, snapshot: Snapshot) -> mujoco.MjvCamera:
    """Return MuJoCo's view through a camera of the platform."""
    view = mujoco.MjvCamera()
    view.type = mujoco.mjtCamera.mjCAMERA_FIXED
    view.fixedcamid = snapshot.model.camera(camera_name(camera)).id
    return view


class _RenderContext:
    """OpenGL context of one home, with its own MuJoCo model and data.

    Args:
        source: The home's model, shared with other threads and not modified.
        width: Initial width of the buffer [pixel]; a larger picture enlarges it.
        height: Initial height of the buffer [pixel].
    """

    def __init__(self, source: mujoco.MjModel, width: int, height: int) -> None:
        self.source = source
        # A copy, because geoms outside a camera's view are hidden before each picture.
        self._model = copy.copy(source)
        self._data = mujoco.MjData(self._model)
        self._groups = _drawing_groups(self._model, self._data)
        self._posed: Snapshot | None = None  # Whose state the data has.
        # Each picture clears the whole buffer, so the buffer is no larger than needed.
        self._width, self._height = width, height
        size = self._model.vis.global_
        size.offwidth, size.offheight = width, height
        try:
            self._gl = mujoco.GLContext(width, height)
            self._gl.make_current()
            self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
        except Exception as error:  # Each GL backend raises its own type.
            raise Pi05Error(
                f"OpenGL does not start ({error}): install libegl1 or libosmesa6, and set "
                "MUJOCO_GL to egl or osmesa"
            ) from error
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(self._model, maxgeom=self._model.ngeom + 100)
        self._has_shadows = bool(source.light_castshadow.any())
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = self._has_shadows
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._above, self._floor = mujoco.MjvOption(), mujoco.MjvOption()
        for option, group in ((self._above, _ROOM), (self._floor, _FLOOR)):
            option.geomgroup[:] = 0
            option.geomgroup[group] = 1
        self._undisturbed = mujoco.MjvPerturb()

    def draw(
        self, snapshot: Snapshot, view: mujoco.MjvCamera, width: int, height: int
    ) -> np.ndarray:
        """Render one picture, (height, width, 3) uint8 rgb."""
        self._gl.make_current()
        self._fit(width, height)
        if snapshot is not self._posed:  # All cameras of a set see the same state.
            pose_data(snapshot, self._data)
            self._posed = snapshot
        model, data, scene, groups = self._model, self._data, self._scene, self._groups
        # What is out of view may cast a shadow into it.
        if view.type == mujoco.mjtCamera.mjCAMERA_FIXED and not self._has_shadows:
            visible = in_view(model, data, view.fixedcamid, width / height)
            groups = np.where(visible, groups, _HIDDEN)
        model.geom_group[:] = groups
        every = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(model, data, self._above, None, view, every, scene)
        # The floor comes last: OpenGL computes no colour of what is already hidden.
        mujoco.mjv_addGeoms(model, data, self._floor, self._undisturbed, every, scene)
        viewport = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(viewport, scene, self._context)
        picture = np.empty((height, width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(picture, None, viewport, self._context)
        return np.ascontiguousarray(picture[::-1])  # OpenGL's first row is at the bottom.

    def segment(
        self, snapshot: Snapshot, view: mujoco.MjvCamera, width: int, height: int
    ) -> np.ndarray:
        """Render the id of the geom in each pixel, (height, width) int32; -1: none."""
        flags = (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR)
        for flag in flags:
            self._scene.flags[flag] = 1
        try:
            colors = self.draw(snapshot, view, width, height)
        finally:
            for flag in flags:
                self._scene.flags[flag] = 0
        # A colour is the number of a geom in the scene, from 1; 0 is the background.
        red, green, blue = (colors[..., channel].astype(np.int32) for channel in range(3))
        numbers = red | green << 8 | blue << 16
        ids = np.full(self._scene.ngeom + 1, -1, dtype=np.int32)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                ids[geom.segid + 1] = geom.objid
        return ids[numbers]

    def close(self) -> None:
        self._context.free()
        self._gl.free()

    def _fit(self, width: int, height: int) -> None:
        """Enlarge the buffer if a picture does not fit."""
        if width > self._width or height > self._height:
            self._width, self._height = max(width, self._width), max(height, self._height)
            mujoco.mjr_resizeOffscreen(self._width, self._height, self._context)


def _drawing_groups(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """Return the group in which each geom of a home is drawn, (ngeom,) int32.

    The floor is what nothing of rises above z = 0. `data` is set to the home's first pose.
    """
    mujoco.mj_kinematics(model, data)
    upwards = np.abs(data.geom_xmat.reshape(-1, 3, 3)[:, 2])
    top = data.geom_xpos[:, 2] + (upwards * model.geom_size).sum(axis=1)
    is_floor = (model.geom_type == mujoco.mjtGeom.mjGEOM_BOX) & (top < 1e-6)
    drawn = np.isin(model.geom_group, _DRAWN_GROUPS)
    return np.where(drawn, np.where(is_floor, _FLOOR, _ROOM), _HIDDEN).astype(np.int32)
