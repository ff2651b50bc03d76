"""Cameras are fitted to the size of the weights that the graph runs."""

import json

import pytest
from fakes.compact_model import SIZE, compact_checkpoint

from pi05_ros.bringup.graph import graph
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.picture_size import picture_size
from pi05_ros.checkpoints.checkpoint import save_checkpoint
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import load_platform


def test_of_random_weights(shipped_folder):
    assert picture_size("") == (144, 192)
    assert picture_size("random:tiny?seed=3") == picture_size("random:tiny") == (28, 28)
    assert picture_size("random:base") == (224, 224)
    with pytest.raises(ConfigError, match="did you mean 'nano'"):
        picture_size("random:nani")


def test_of_shipped_weights(shipped_folder):
    save_checkpoint(shipped_folder / "nano", compact_checkpoint())
    assert picture_size("") == picture_size("nano") == SIZE
    assert picture_size("random:nano") == (144, 192)


def test_of_folders(tmp_path):
    save_checkpoint(tmp_path / "ours", compact_checkpoint())
    assert picture_size(str(tmp_path / "ours")) == SIZE
    (tmp_path / "public").mkdir()
    assert picture_size(str(tmp_path / "public")) == (224, 224)  # openpi's has no config.json.
    config = tmp_path / "public/config.json"
    config.write_text(json.dumps({"type": "pi05"}))
    assert picture_size(str(tmp_path / "public")) == (224, 224)
    config.write_text(json.dumps({"format": "pi05_ros-1", "model": 3}))
    with pytest.raises(ConfigError, match="model: wanted the model's sizes, found 3"):
        picture_size(str(tmp_path / "public"))
    config.write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        picture_size(str(tmp_path / "public"))


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (144, 192)),
        ({"checkpoint": "random:tiny"}, (28, 28)),
        ({"brain": "expert"}, None),  # It uses no pictures; the cameras' own default holds.
    ],
)
def test_camera_ingestion_is_started_with_it(options, size, shipped_folder):
    specs = graph(load_platform("mobile_18dof"), BringupOptions(sim=True, **options), {})
    (ingestion,) = (spec for spec in specs if spec.name == "camera_ingestion")
    found = [ingestion.parameters.get(f"image_{side}_px") for side in ("height", "width")]
    assert found == ([None, None] if size is None else [*size])
