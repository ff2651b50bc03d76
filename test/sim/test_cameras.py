"""Rendered pictures against projections. Needs EGL or OSMesa."""

import threading

import mujoco
import numpy as np
import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.platforms.platform import Camera, load_platform
from pi05_ros.sim.cameras import CameraRenderer, in_view, pose_data
from pi05_ros.sim.home_spec import item_joint
from pi05_ros.sim.projection import CameraGeometry
from pi05_ros.sim.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return World(load_platform("mobile_18dof"), 5)


@pytest.fixture
def renderer(world):
    world.reset(5)
    renderer = CameraRenderer(world)
    yield renderer
    renderer.close()


def move(world: World, item: str, position) -> None:
    joint = world.data.joint(item_joint(item))
    joint.qpos[:3] = position
    mujoco.mj_forward(world.model, world.data)


def marked(world: World, position) -> list[str]:
    """Move all items but one far below, put that one at a position and return its name."""
    for item in world.room.items[1:]:
        move(world, item.name, (0.0, 0.0, -5.0))
    move(world, world.room.items[0].name, position)
    return world.room.items[0].name


def test_intrinsics_of_a_square_pinhole():
    camera = Camera("c", "/c/image_raw", "f", width=320, height=240, fov_y_deg=90)
    assert camera.intrinsics == pytest.approx((120.0, 120.0, 159.5, 119.5))


def test_each_camera_renders_at_its_own_size_and_shows_something(world, renderer):
    snapshot = world.snapshot()
    for camera in world.platform.cameras:
        picture = renderer.render(camera.name, snapshot)
        assert picture.shape == (camera.height, camera.width, 3)
        assert picture.dtype == np.uint8
        assert picture.flags["C_CONTIGUOUS"]
        assert picture.std() > 5, camera.name
        assert np.array_equal(picture, renderer.render(camera.name, snapshot)), "no noise"


def test_leaving_out_what_is_out_of_view_changes_no_pixel(world, renderer, monkeypatch):
    rng = np.random.default_rng(0)
    world.set_base_command(0.2, -0.1, 0.9)
    for _ in range(4):
        world.step(0.5)
        for dish in world.room.dishes:  # Many lie across a picture's edge.
            move(world, dish.name, rng.uniform((0.3, -0.6, 0.6), (1.2, 0.6, 1.2)))
        snapshot, names = world.snapshot(), world.platform.camera_names
        pictures = [renderer.render(name, snapshot) for name in names]
        with monkeypatch.context() as all_drawn:
            all_drawn.setattr("pi05_ros.sim.cameras.in_view", lambda *_: True)
            for name, picture in zip(names, pictures, strict=True):
                assert np.array_equal(picture, renderer.render(name, snapshot)), name


def test_most_of_a_home_is_out_of_a_wrist_cameras_view(world):
    world.reset(5)
    data = mujoco.MjData(world.model)
    pose_data(world.snapshot(), data)
    camera = world.model.camera("camera/left_wrist").id
    seen = in_view(world.model, data, camera, 4 / 3)
    assert seen[world.model.geom("room/0").id], "it looks down at the floor"
    assert seen.mean() < 0.5


def test_a_larger_picture_for_people_leaves_the_cameras_pictures_as_they_are(world, renderer):
    snapshot = world.snapshot()
    before = renderer.render("front", snapshot)
    eye, target = np.array([-0.5, 0.3, 1.8]), np.array([1.0, 0.0, 0.8])
    large = renderer.render_from(eye, target, snapshot, 1280, 960)
    assert large.shape == (960, 1280, 3)
    assert large[:240].std() > 5 and large[:, :320].std() > 5, "drawn up to its edges"
    assert np.array_equal(before, renderer.render("front", snapshot))


def test_pixels_change_inside_an_items_box_and_nowhere_else_when_it_goes(world, renderer):
    geometry = CameraGeometry(world.platform)
    snapshot = world.snapshot()
    boxes = geometry.object_boxes(snapshot, "front")
    seen = [dish.name for dish in world.room.dishes if dish.name in boxes]
    assert len(seen) >= 2, "home 5 starts with dishes in view"
    before = renderer.render("front", snapshot).astype(int)
    height, width = before.shape[:2]
    for name in seen:
        world.reset()
        move(world, name, (0.0, 0.0, -5.0))
        after = renderer.render("front", world.snapshot()).astype(int)
        rows, columns = np.nonzero(np.abs(after - before).max(axis=2) > 12)
        x_min, y_min, x_max, y_max = boxes[name]
        assert rows.size > 20, f"{name} is not visible"
        assert columns.min() >= x_min * width - 1.5 and columns.max() <= x_max * width + 0.5
        assert rows.min() >= y_min * height - 1.5 and rows.max() <= y_max * height + 0.5
        # The box is of the item's bounding box: a little generous, not more.
        assert (columns.max() - columns.min() + 1) > 0.6 * (x_max - x_min) * width, name
        assert (rows.max() - rows.min() + 1) > 0.4 * (y_max - y_min) * height, name


def test_project_is_the_pinhole_of_the_optical_frame(world):
    """Points in the optical frame (x right, y down, z forward) project as in OpenCV."""
    geometry, snapshot = CameraGeometry(world.platform), world.snapshot()
    for camera in world.platform.cameras:
        fx, fy, cx, cy = camera.intrinsics
        frame = world.data.body(camera.frame)
        local = np.array([[0.0, 0.0, 1.0], [0.3, -0.1, 2.0], [-0.2, 0.4, 0.9], [0.1, 0.1, -1.0]])
        points = local @ frame.xmat.reshape(3, 3).T + frame.xpos
        pixels = geometry.project(camera.name, points, snapshot)
        expected = np.stack(
            [cx + fx * local[:, 0] / local[:, 2], cy + fy * local[:, 1] / local[:, 2]], axis=1
        )
        assert pixels[:3] == pytest.approx(expected[:3], abs=1e-6), camera.name
        assert np.isnan(pixels[3]).all(), "behind the camera"


def test_boxes_are_clipped_and_leave_out_what_is_out_of_view(world):
    geometry = CameraGeometry(world.platform)
    world.reset(5)
    frame = world.data.body("front_camera_optical_frame")

    def ahead(x: float, y: float, z: float) -> np.ndarray:
        return frame.xmat.reshape(3, 3) @ [x, y, z] + frame.xpos

    name = marked(world, ahead(0.0, 0.0, 1.0))
    assert set(geometry.object_boxes(world.snapshot(), "front")) == {name, "drawer_1"}
    box = geometry.object_boxes(world.snapshot(), "front")[name]
    assert box[0] < 0.5 < box[2]
    marked(world, ahead(0.9, 0.0, 1.0))  # The picture ends at tan(35°)·4/3 = 0.934.
    box = geometry.object_boxes(world.snapshot(), "front")[name]
    assert box[2] == 1.0 and box[0] < 1.0
    marked(world, ahead(1.3, 0.0, 1.0))
    assert set(geometry.object_boxes(world.snapshot(), "front")) == {"drawer_1"}
    marked(world, ahead(0.0, 0.0, -1.0))
    assert set(geometry.object_boxes(world.snapshot(), "front")) == {"drawer_1"}


def test_rendering_in_another_thread_while_the_physics_runs(world):
    """Pictures of one snapshot must not depend on later steps of the world."""
    world.reset(5)
    snapshot, pictures, failures = world.snapshot(), [], []

    def render():
        renderer = CameraRenderer(world)
        try:
            pictures.extend(renderer.render("front", snapshot) for _ in range(12))
        except Exception as error:
            failures.append(error)
        finally:
            renderer.close()

    thread = threading.Thread(target=render)
    thread.start()
    world.set_base_command(0.4, 0.0, 0.3)
    while thread.is_alive():
        world.step(0.02)
    thread.join()
    assert failures == []
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    renderer = CameraRenderer(world)
    moved = renderer.render("front", world.snapshot())
    renderer.close()
    assert not np.array_equal(moved, pictures[0])


def test_a_reset_to_another_home_shows_that_home(world, renderer):
    here = renderer.render("front", world.snapshot())
    world.reset(6)
    there = renderer.render("front", world.snapshot())
    assert np.abs(here.astype(int) - there.astype(int)).mean() > 5
    world.reset(5)
    assert np.array_equal(renderer.render("front", world.snapshot()), here)


def test_an_unknown_camera_is_named(world, renderer):
    with pytest.raises(Pi05Error, match="no camera 'fornt'; did you mean 'front'"):
        renderer.render("fornt", world.snapshot())
    with pytest.raises(Pi05Error, match="no camera 'left'; did you mean 'left_wrist'"):
        CameraGeometry(world.platform).object_boxes(world.snapshot(), "left")


def test_a_segmentation_names_the_geom_of_each_pixel_and_changes_no_picture():
    world = World(load_platform("mobile_18dof"), 3)
    renderer, snapshot = CameraRenderer(world), world.snapshot()
    try:
        before = renderer.render("front", snapshot)
        geoms = renderer.segment("front", snapshot)
        assert geoms.shape == before.shape[:2] and geoms.dtype == np.int32
        names = {world.model.geom(int(geom)).name for geom in np.unique(geoms) if geom >= 0}
        assert {"room/0", "plate_1/0", "glass_1/0"} <= names  # The glass is transparent.
        plate = before[geoms == world.model.geom("plate_1/0").id]
        assert plate[:, 0].mean() > plate[:, 1:].mean() + 50  # It is red.
        assert np.array_equal(renderer.render("front", snapshot), before)
    finally:
        renderer.close()
