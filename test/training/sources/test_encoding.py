"""Targets of encoded samples."""

import numpy as np
import torch

from pi05_ros.checkpoints.checkpoint import make_tokenizer
from pi05_ros.model.config import load_preset
from pi05_ros.model.normalization import NormStats
from pi05_ros.training.recipes.recipe import AugmentationRecipe
from pi05_ros.training.sources.encoding import Encoder, RobotVectors


def encode(valid):
    config = load_preset("tiny")
    stats = NormStats.from_limits(("a", "b"), ("rad", "rad"), np.full(2, -1.0), np.full(2, 1.0))
    vectors = RobotVectors(stats, np.zeros(2), np.full((config.horizon, 2), 0.5), valid)
    side = config.vision.image_size
    pictures = {"front": np.zeros((side, side, 3), np.uint8)}
    encoder = Encoder(config, make_tokenizer(config), None, AugmentationRecipe())
    return encoder.low_level(pictures, ("front",), "turn", vectors, {"flow"}, None)


def test_padded_entries_are_trained_to_be_0_and_rows_behind_the_end_are_not_trained():
    valid = np.arange(50) < 3
    sample = encode(valid)
    assert torch.allclose(sample.actions[:, :2], torch.tensor(0.5), atol=1e-5)
    assert (sample.actions[:, 2:] == 0.0).all()
    # Inference samples all entries, so all have a weight; rows behind the end have none.
    assert (sample.action_weights[:3] == 1.0).all()
    assert (sample.action_weights[3:] == 0.0).all()
