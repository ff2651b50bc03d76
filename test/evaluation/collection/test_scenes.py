"""Static scenes: what the training source reads, and equality."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from pi05_ros.evaluation.collection.collect import LOCK
from pi05_ros.evaluation.collection.furniture import furniture_labels
from pi05_ros.evaluation.collection.scenes import SceneJob, SceneSettings, collect_scenes
from pi05_ros.evaluation.collection.settings import CollectError
from pi05_ros.evaluation.collection.visibility import Visibility
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.home_spec import fixture_joint, item_joint
from pi05_ros.sim.homes.geometry import FloorPose
from pi05_ros.sim.projection import CameraGeometry
from pi05_ros.sim.robot import BASE_JOINTS
from pi05_ros.sim.world import Snapshot, World
from pi05_ros.training.sources.web import _entries as web_entries

PLATFORM = load_platform("mobile_18dof")
SETTINGS = SceneSettings("mobile_18dof", sets=3, room="kitchen")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    out = tmp_path_factory.mktemp("scenes") / "out"
    result = collect_scenes(out, SETTINGS, [0, 3])
    assert result.homes == 2 and result.counts["pictures"] >= 6
    return out


def test_the_training_source_reads_them(scenes):
    found = list(web_entries(scenes))
    kinds = {entry.kind for entry in found}
    assert kinds == {"caption", "question", "boxes"}
    for entry in found:
        assert cv2.imread(str(entry.file)).shape == (240, 320, 3)


def test_some_cameras_only(tmp_path):
    front = dataclasses.replace(SETTINGS, sets=2, cameras="front")
    assert collect_scenes(tmp_path / "a", front, [0]).counts["pictures"] == 2
    assert {path.name for path in (tmp_path / "a").glob("*/*.jpg")} == {
        "set0_front.jpg", "set1_front.jpg",
    }  # fmt: skip
    wrong = dataclasses.replace(SETTINGS, cameras="front,left")
    with pytest.raises(CollectError, match="has no camera 'left'.*front, back"):
        collect_scenes(tmp_path / "b", wrong, [0])
    assert not (tmp_path / "b").exists()


def test_two_runs_are_equal_and_a_half_written_home_is_made_again(scenes, tmp_path):
    collect_scenes(tmp_path / "b", SETTINGS, [3])
    (tmp_path / "b" / "home00000_seed0").mkdir()
    (tmp_path / "b" / "home00000_seed0" / "half.jpg").write_bytes(b"half")
    assert collect_scenes(tmp_path / "b", SETTINGS, [0, 3]).present == 1

    def content(folder):
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name != LOCK
        }

    assert content(scenes) == content(tmp_path / "b")


def test_what_is_said_is_where_the_kitchen_has_it(scenes):
    """In the scene at the start every item is on its counter, by the seed's own truth."""
    kitchen = World(PLATFORM, 3).room
    lines = (scenes / "home00003_seed0.jsonl").read_text().splitlines()
    start = [json.loads(line) for line in lines if "set0_front" in line]
    (caption,) = [entry["answer"] for entry in start if entry["kind"] == "caption"]
    assert "in the sink" not in caption
    assert caption.startswith("a kitchen with ")
    labels = {item.label for item in kitchen.items} | set(furniture_labels(kitchen))
    (boxes,) = [entry["boxes"] for entry in start if entry["kind"] == "boxes"]
    assert boxes and {box["label"] for box in boxes} <= labels


def test_an_item_behind_another_is_not_clear():
    world = World(PLATFORM, 3)
    renderer = CameraRenderer(world)
    visibility = Visibility(PLATFORM, renderer)
    snapshot = world.snapshot()
    try:
        before = visibility.items("front", snapshot)
        assert before["plate_1"].is_clear and before["cup_1"].is_clear
        assert visibility.item("plate_1", "front", snapshot) == before["plate_1"]
        assert visibility.item("plate_1", "back", snapshot) is None
        # The pan is put between the camera and the plate.
        qpos = snapshot.qpos.copy()
        plate, pan = (
            int(world.model.joint(item_joint(name)).qposadr[0]) for name in ("plate_1", "pan_1")
        )
        eye = world.data.camera("camera/front").xpos
        towards = eye - qpos[plate : plate + 3]
        qpos[pan : pan + 3] = qpos[plate : plate + 3] + 0.25 * towards
        hidden = visibility.items("front", Snapshot(0.0, qpos, world.model, world.room, {}))
        assert hidden["pan_1"].pixels > 0
        plate_now = hidden.get("plate_1")
        assert plate_now is None or plate_now.pixels < before["plate_1"].pixels
    finally:
        renderer.close()


@pytest.mark.parametrize("opening", [0.0, 0.25])
def test_a_drawer_is_seen_where_it_is_and_is_no_item(opening):
    world = World(PLATFORM, 3)
    renderer = CameraRenderer(world)
    drawer = world.room.fixture("drawer_1")
    before = drawer.pose.compose(FloorPose(-0.9, -0.2, 0.0))
    for joint, value in zip(BASE_JOINTS, (before.x, before.y, before.yaw), strict=True):
        world.data.joint(joint).qpos[0] = value
    world.data.joint(fixture_joint("drawer_1", 0)).qpos[0] = opening
    snapshot = world.snapshot()
    try:
        visibility = Visibility(PLATFORM, renderer)
        view = visibility.item("drawer_1", "front", snapshot)
        assert view is not None and view.is_clear
        assert "drawer_1" not in visibility.items("front", snapshot)
        assert visibility.item("drawer_1", "back", snapshot) is None
    finally:
        renderer.close()
    # The middle of its panel's visible front, projected without any segmentation.
    x, y = drawer.pose.point((-opening, 0.0))
    point = np.array([[x, y, drawer.height + 0.06]])
    u, v = CameraGeometry(PLATFORM).project("front", point, snapshot)[0] / (320, 240)
    assert view.box[0] < u < view.box[2] and view.box[1] < v < view.box[3]


def test_a_box_encloses_the_pixels_that_moving_the_item_changes():
    """Independent of the segmentation: the pictures with and without the item differ there."""
    world = World(PLATFORM, 3)
    renderer = CameraRenderer(world)
    try:
        snapshot = world.snapshot()
        view = Visibility(PLATFORM, renderer).items("front", snapshot)["plate_1"]
        qpos = snapshot.qpos.copy()
        qpos[int(world.model.joint(item_joint("plate_1")).qposadr[0]) + 2] = -5.0
        without = Snapshot(0.0, qpos, world.model, world.room, {})
        changed = (renderer.render("front", snapshot) != renderer.render("front", without)).any(
            axis=2
        )
        rows, columns = np.nonzero(changed)
        found = (columns.min() / 320, rows.min() / 240, (columns.max() + 1) / 320,
                 (rows.max() + 1) / 240)  # fmt: skip
        assert np.allclose(found, view.box, atol=1.01 / 240)
    finally:
        renderer.close()


def test_the_seed_draws_the_room_of_a_home_among_those_for_training():
    settings = SceneSettings("mobile_18dof")
    rooms = [SceneJob(None, settings, home, 0).room for home in range(200)]
    assert set(rooms) == {"kitchen", "bedroom"} and 70 < rooms.count("bedroom") < 130
    assert rooms != [SceneJob(None, settings, home, 1).room for home in range(200)]


@pytest.mark.parametrize(
    ("room", "homes", "sentence"),
    [
        ("kitchn", [0], "no home has a room 'kitchn'; did you mean 'kitchen'"),
        ("bedroom_unseen", [10001, 7], "home 7: wanted homes from 10000 on, since a bedroom_un"),
    ],
)
def test_rooms_that_may_not_be_trained_on_are_refused(tmp_path, room, homes, sentence):
    settings = SceneSettings("mobile_18dof", room=room)
    with pytest.raises(CollectError, match=sentence):
        collect_scenes(tmp_path / "out", settings, homes)
