"""Targets of encoded samples."""

import numpy as np
import torch

from pi05_ros.checkpoints.checkpoint import make_tokenizer
from pi05_ros.model.config import load_preset
from pi05_ros.model.normalization import NormStats
from pi05_ros.training.recipes.recipe import AugmentationRecipe
from pi05_ros.training.sources.encoding import Encoder, RobotVectors

PLAIN = AugmentationRecipe()


def encode(valid, augmentation=PLAIN, draw=None):
    config = load_preset("tiny")
    stats = NormStats.from_limits(("a", "b"), ("rad", "rad"), np.full(2, -1.0), np.full(2, 1.0))
    vectors = RobotVectors(stats, np.zeros(2), np.full((config.horizon, 2), 0.5), valid)
    side = config.vision.image_size
    pictures = {"front": np.zeros((side, side, 3), np.uint8)}
    encoder = Encoder(config, make_tokenizer(config), None, augmentation)
    return encoder.low_level(pictures, ("front",), "turn", vectors, {"flow"}, draw)


def test_padded_entries_are_trained_to_be_0_and_rows_behind_the_end_are_not_trained():
    valid = np.arange(50) < 3
    sample = encode(valid)
    assert torch.allclose(sample.actions[:, :2], torch.tensor(0.5), atol=1e-5)
    assert (sample.actions[:, 2:] == 0.0).all()
    # Inference samples all entries, so all have a weight; rows behind the end have none.
    assert (sample.action_weights[:3] == 1.0).all()
    assert (sample.action_weights[3:] == 0.0).all()


def test_noise_changes_the_state_in_the_prompt_and_not_the_actions():
    valid = np.ones(50, bool)
    noisy = AugmentationRecipe(state_noise=0.1)
    clean = encode(valid)
    assert encode(valid, PLAIN, np.random.default_rng(0)).prompt == clean.prompt
    assert encode(valid, noisy).prompt == clean.prompt  # Validation: no augmentation.
    sample = encode(valid, noisy, np.random.default_rng(0))
    assert sample.prompt != clean.prompt
    assert torch.equal(sample.actions, clean.actions)
