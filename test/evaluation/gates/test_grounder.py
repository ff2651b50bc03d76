"""Points of heat maps: those of training, whatever pictures stand beside."""

import dataclasses

import numpy as np
import pytest
import torch
from fakes.model_brain import PLATFORMS, saved

from pi05_ros.brain.interface import Box
from pi05_ros.checkpoints.checkpoint import random_checkpoint
from pi05_ros.checkpoints.layouts.contents import Training
from pi05_ros.evaluation.gates.dish import pixels_away
from pi05_ros.evaluation.gates.grounder import Grounder, open_grounder
from pi05_ros.model.text.locations import Answer, Location
from pi05_ros.platforms.platform import load_platform
from pi05_ros.training.objective.batch import collate
from pi05_ros.training.recipes.recipe import AugmentationRecipe
from pi05_ros.training.sources.encoding import Encoder
from pi05_ros.training.validation.points import point_errors

TEXT = "pick up the cup"
CORNERS = (0.2, 0.3, 0.4, 0.6)
CAMERAS = ("front", "left_wrist")


@pytest.fixture(scope="module")
def checkpoint():
    return random_checkpoint("nano", seed=2)


@pytest.fixture(scope="module")
def images(checkpoint):
    draw = np.random.default_rng(0)
    shape = (*checkpoint.model.config.picture_size, 3)
    return {camera: draw.integers(0, 256, shape, np.uint8) for camera in CAMERAS}


def test_points_are_those_of_training(checkpoint, images):
    model = checkpoint.model
    found = Grounder(checkpoint).points(images, TEXT)
    assert tuple(sorted(found)) == CAMERAS
    mine = [
        pixels_away(Box(camera, "cup", *CORNERS), found[camera], model.config.picture_size)
        for camera in CAMERAS
    ]
    encoder = Encoder(model.config, checkpoint.tokenizer, None, AugmentationRecipe())
    answer = Answer(TEXT, tuple(Location(camera, "cup", *CORNERS) for camera in CAMERAS))
    sample = encoder.high_level(images, CAMERAS, "dishes", np.zeros(18), answer, None)
    with torch.no_grad():
        theirs = point_errors(model, collate([sample]))
    assert sorted(mine) == pytest.approx(sorted(theirs), abs=1e-3)
    assert abs(mine[0] - mine[1]) > 0.1


def test_each_camera_gets_its_own_points(checkpoint, images):
    grounder = Grounder(checkpoint)
    both = grounder.points(dict(reversed(images.items())), TEXT)
    for camera in CAMERAS:
        alone = grounder.points({camera: images[camera]}, TEXT)
        assert alone == {camera: pytest.approx(both[camera], abs=1e-5)}
    assert grounder.points({}, TEXT) == {}


def test_checkpoints_without_heat_maps(tmp_path):
    assert open_grounder("random:tiny") is None
    assert open_grounder(saved(tmp_path, load_platform(PLATFORMS[0]), "pi05")) is None
    with pytest.raises(ValueError, match="has no grounding"):
        Grounder(random_checkpoint("tiny"))


def test_weights_of_a_first_stage_only_see(checkpoint):
    assert not Grounder(checkpoint).only_sees  # Drawn at random, it runs every path.
    trained = dataclasses.replace(checkpoint, is_random=False)
    assert Grounder(trained).only_sees
    for what in ("text", "fast", "flow"):
        after = dataclasses.replace(trained, training=Training(**{what: True}))
        assert not Grounder(after).only_sees


def test_a_checkpoint_with_heat_maps_is_opened(images):
    assert set(open_grounder("random:nano?seed=2").points(images, TEXT)) == set(CAMERAS)
