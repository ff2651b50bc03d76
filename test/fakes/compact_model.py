"""A model with a compact tower and heat maps, small enough for tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pi05_ros.checkpoints.checkpoint import Checkpoint, make_tokenizer
from pi05_ros.model.config import (
    CompactVisionConfig,
    GroundingConfig,
    ModelConfig,
    load_preset,
)
from pi05_ros.model.pi05 import Pi05, draw_weights

CAMERAS = ("front", "back", "left_wrist", "right_wrist")
SIZE = (48, 96)  # 8 tokens of the front camera, 2 of each other.


def compact_config(**changes) -> ModelConfig:
    """The one-layer model, with a compact tower and heat maps."""
    reductions = {"front": 1, "back": 2, "left_wrist": 2, "right_wrist": 2}
    tower = CompactVisionConfig(*SIZE, reductions, channels=(4, 8, 8))
    config = replace(load_preset("tiny"), compact_vision=tower, grounding=GroundingConfig(8))
    return replace(config, name="compact", **changes)


def compact_checkpoint(config: ModelConfig | None = None, seed: int = 0, **facts) -> Checkpoint:
    """Random weights of which every one has an effect."""
    config = config or compact_config()
    model = Pi05(config)
    draw_weights(model, seed, adaptive_scale=1.0)
    return Checkpoint(model.eval(), make_tokenizer(config), **facts)


def compact_pictures(*cameras: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Noise of the size that the model is given."""
    draw = np.random.default_rng(seed)
    return {camera: draw.integers(0, 256, (*SIZE, 3), np.uint8) for camera in cameras}
