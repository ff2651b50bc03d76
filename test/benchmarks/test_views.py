"""Pictures of the inspector in a mock home: fan on the gripper, box on the object."""

import numpy as np
import pytest

pytest.importorskip("pinocchio", reason="./pi05 and rosdep bring it")

from views.draw import draw_shapes
from views.moment import Moment
from views.viewpoint import Viewpoint, look_at

from pi05_ros.inspection.shapes import Shape, ShapeKind
from pi05_ros.platforms.platform import load_platform, robot_names
from pi05_ros.sim.projection import CameraGeometry
from pi05_ros.sim.robot import tcp_site


@pytest.fixture(scope="module", params=robot_names())
def moment(request):
    found = Moment(load_platform(request.param), 7)
    found.run(4.2)
    return found


def shape_of(moment, namespace, id):
    shapes = {s.key: s for s in moment.view.shapes(moment.now_ns)}
    return shapes[namespace, id]


def real_tools(moment):
    """Return tool centre points in odom, as MuJoCo has them."""
    groups = moment.world.platform.groups_of("parallel_gripper")
    return np.array([moment.world.data.site(tcp_site(g.name)).xpos for g in groups])


def test_the_trail_ends_and_the_command_stands_at_the_real_grippers(moment):
    for k, tool in enumerate(real_tools(moment)):
        trail = shape_of(moment, "measured", k)
        age = moment.now_ns - trail.stamp_ns
        assert age == 0
        assert np.linalg.norm(shape_of(moment, "executed", k).points[0] - tool) < 0.03
        # The last point that was kept is at most 0.1 s old, and arms move at about 0.3 m/s.
        assert np.linalg.norm(trail.points[-1] - tool) < 0.06


def test_the_fan_passes_the_real_grippers_at_the_row_that_is_due(moment):
    for k, tool in enumerate(real_tools(moment)):
        fan = shape_of(moment, "chunk", k)
        row = int((fan.colours[:, 3] <= 0.25 + 1e-9).sum())  # Rows before it are faint.
        assert 0 < row < 50
        assert np.linalg.norm(fan.points[row] - tool) < 0.05
    hands = range(len(real_tools(moment)))
    assert max(np.ptp(shape_of(moment, "chunk", k).points, axis=0).max() for k in hands) > 0.05


def test_the_committed_rows_are_where_the_grippers_have_really_been(moment):
    """They repeat what was executed while the chunk was computed."""
    for k in range(len(real_tools(moment))):
        beads, fan = shape_of(moment, "chunk_committed", k), shape_of(moment, "chunk", k)
        rows = len(beads.points)
        assert rows >= 4 and beads.points == pytest.approx(fan.points[:rows])
        trail = shape_of(moment, "measured", k).points
        pieces = zip(trail[:-1], trail[1:], strict=True)
        fine = np.concatenate([np.linspace(a, b, 10) for a, b in pieces])
        apart = np.linalg.norm(beads.points[:, None] - fine[None], axis=2).min(axis=1)
        assert apart.max() < 0.03


def test_chunks_that_were_replaced_are_still_shown(moment):
    ages = [moment.now_ns - shape_of(moment, "chunk_earlier", 2 * k).stamp_ns for k in range(3)]
    assert 0 < ages[0] < ages[1] < ages[2] < 3 * 10**9


def test_a_cameras_frame_is_where_the_mock_homes_camera_is(moment):
    """And what is drawn over its picture lies where the renderer would put it."""
    platform, points = moment.world.platform, real_tools(moment)
    geometry = CameraGeometry(platform)
    for camera in platform.cameras[:2]:
        pose = moment.frame(camera.frame, moment.now_ns)
        viewpoint = Viewpoint(camera.width, camera.height, camera.intrinsics[0], pose)
        pixels, _ = viewpoint.project(points)
        wanted = geometry.project(camera.name, points, moment.snapshot())
        assert np.isfinite(pixels).all() == np.isfinite(wanted).all()
        assert pixels == pytest.approx(wanted, abs=0.5, nan_ok=True)


def test_the_pyramid_of_a_box_holds_its_object(moment):
    """Seen from the camera at the time of the observation, the object lies inside the corners."""
    platform, subtask = moment.world.platform, moment.subtask
    boxes = [box for box in subtask.boxes if box.camera == "front"]
    assert boxes and subtask.stamp_ns > moment.now_ns - 10**9
    camera = platform.camera("front")
    pose = moment.frame(camera.frame, subtask.stamp_ns)
    viewpoint = Viewpoint(camera.width, camera.height, camera.intrinsics[0], pose)
    number = subtask.boxes.index(boxes[0])
    corners = shape_of(moment, "boxes", number).points.reshape(-1, 2, 3)[:4, 1]
    pixels, _ = viewpoint.project(corners @ pose[:3, :3].T + pose[:3, 3])
    items = [i.name for i in moment.world.room.items if boxes[0].label in i.name]
    assert items
    held = moment.world.held()
    bodies = moment.world.scene_state().objects
    middles = [bodies[name].position + (0, 0, 0.02) for name in items if name not in held]
    seen, _ = viewpoint.project(np.array(middles))
    low, high = pixels.min(axis=0) - 2, pixels.max(axis=0) + 2
    assert ((seen > low) & (seen < high)).all(axis=1).any()


def test_shapes_are_drawn_where_they_project_and_words_are_legible():
    viewpoint = look_at(np.array([-4.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]), 400, 300, 45.0)
    red, white = np.array([1.0, 0, 0, 1]), np.ones(4)
    shapes = [
        Shape("executed", 0, ShapeKind.BALLS, "odom", 1, np.array([0, 1.0, 1.0]), red, 0.2),
        Shape("chunk", 0, ShapeKind.STRIP, "odom", 1, np.array([[0, 0, 0.5], [0, -1, 0.5]]), red,
              0.05),
        Shape("subtask", 0, ShapeKind.TEXT, "odom", 1, np.array([0, 0, 1.6]), white, 0.12, "HEX"),
    ]  # fmt: skip
    picture = draw_shapes(
        np.zeros((300, 400, 3), np.uint8), shapes, viewpoint, lambda *_: np.eye(4), 1
    )
    is_red = (picture[..., 0] > 200) & (picture[..., 1] < 60)
    rows, columns = np.nonzero(is_red[:170])
    assert (columns.mean(), rows.mean()) == pytest.approx(
        (199.5 - viewpoint.focal / 4, 149.5), abs=2
    )
    rows, columns = np.nonzero(is_red[170:])
    assert columns.min() == pytest.approx(199.5, abs=3)
    assert columns.max() == pytest.approx(199.5 + viewpoint.focal / 4, abs=3)
    letters = np.nonzero((picture > 110).all(axis=2).any(axis=1))[0]
    height = letters.max() - letters.min() + 1
    assert height == pytest.approx(
        0.12 * viewpoint.focal / 4, abs=2
    )  # As RViz counts: of a capital.
