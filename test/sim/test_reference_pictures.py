"""Pictures of the renderer against MuJoCo's plain path: all geoms, in the order of the model."""

import dataclasses

import mujoco
import numpy as np
import pytest

from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer, pose_data
from pi05_ros.sim.robot import camera_name
from pi05_ros.sim.world import Snapshot, World

PLATFORM = load_platform("mobile_18dof")


def plain_pictures(snapshots: list[Snapshot]) -> list[np.ndarray]:
    """Render all cameras of some states of one home: nothing is left out and nothing reordered."""
    model = snapshots[0].model
    gl = mujoco.GLContext(model.vis.global_.offwidth, model.vis.global_.offheight)
    gl.make_current()
    context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, context)
    scene, data = mujoco.MjvScene(model, maxgeom=model.ngeom + 100), mujoco.MjData(model)
    scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
    scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
    option, view = mujoco.MjvOption(), mujoco.MjvCamera()
    option.geomgroup[:] = (0, 1, 1, 0, 0, 0)
    view.type = mujoco.mjtCamera.mjCAMERA_FIXED
    every, pictures = mujoco.mjtCatBit.mjCAT_ALL, []
    try:
        for snapshot in snapshots:
            pose_data(snapshot, data)
            for camera in PLATFORM.cameras:
                view.fixedcamid = model.camera(camera_name(camera.name)).id
                mujoco.mjv_updateScene(model, data, option, None, view, every, scene)
                viewport = mujoco.MjrRect(0, 0, camera.width, camera.height)
                mujoco.mjr_render(viewport, scene, context)
                picture = np.empty((camera.height, camera.width, 3), dtype=np.uint8)
                mujoco.mjr_readPixels(picture, None, viewport, context)
                pictures.append(picture[::-1])
    finally:
        context.free()
        gl.free()
    return pictures


def states(world: World, random: np.random.Generator) -> list[Snapshot]:
    """Return the start, and states with the items thrown before the cameras and the floor seen."""
    found = [world.snapshot()]
    model = world.model
    items = [j for j in range(model.njnt) if model.joint(j).name.startswith("item/")]
    world.set_base_command(0.1, -0.1, 0.9)
    for _ in range(3):
        world.step(0.5)
        snapshot = world.snapshot()
        qpos = snapshot.qpos.copy()
        for joint in items:
            place = int(model.jnt_qposadr[joint])
            qpos[place : place + 3] = random.uniform((0.3, -0.6, 0.0), (1.2, 0.6, 1.2))
        found.append(dataclasses.replace(snapshot, qpos=qpos))
    return found


@pytest.mark.parametrize("home", [3, 5, 10011])  # 3 has a transparent glass.
def test_every_pixel_of_every_camera_is_that_of_the_plain_path(home):
    world = World(PLATFORM, home)
    shown = states(world, np.random.default_rng(home))
    plain = plain_pictures(shown)
    renderer = CameraRenderer(world)
    try:
        pictures = [renderer.render(c.name, s) for s in shown for c in PLATFORM.cameras]
    finally:
        renderer.close()
    names = [f"{c.name} at {s.time:g} s" for s in shown for c in PLATFORM.cameras]
    for name, picture, reference in zip(names, pictures, plain, strict=True):
        assert picture.std() > 1, name
        assert np.array_equal(picture, reference), name


def test_the_floor_is_drawn_after_all_that_may_hide_it(monkeypatch):
    """Only so does nothing have to be coloured that is hidden in the end."""
    world, orders = World(PLATFORM, 3), []
    render = mujoco.mjr_render

    def record(viewport, scene, context):
        orders.append([geom.objid for geom in scene.geoms[: scene.ngeom]])
        render(viewport, scene, context)

    monkeypatch.setattr(mujoco, "mjr_render", record)
    renderer = CameraRenderer(world)
    try:
        renderer.render("front", world.snapshot())
    finally:
        renderer.close()
    (order,) = orders
    assert order[-1] == world.model.geom("room/0").id
    assert order[:-1] == sorted(order[:-1]) and len(order) > 40
