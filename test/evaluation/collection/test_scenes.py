"""Static scenes: what the training source reads, and equality."""

import json

import cv2
import numpy as np
import pytest

from pi05_ros.evaluation.collection.collect import LOCK
from pi05_ros.evaluation.collection.scenes import SceneSettings, collect_scenes
from pi05_ros.evaluation.collection.visibility import Visibility
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.cameras import CameraRenderer
from pi05_ros.sim.home_spec import item_joint
from pi05_ros.sim.world import Snapshot, World
from pi05_ros.training.sources.web import _entries as web_entries

PLATFORM = load_platform("mobile_18dof")
SETTINGS = SceneSettings("mobile_18dof", sets=3)


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
    labels = {item.label for item in kitchen.items}
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
