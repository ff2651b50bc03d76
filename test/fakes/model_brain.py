"""What a ModelBrain is tested with: observations of nothing, checkpoints of untrained weights."""

from __future__ import annotations

import dataclasses

import numpy as np

from pi05_ros.brain.observation import Observation
from pi05_ros.checkpoints.checkpoint import Checkpoint, random_checkpoint, save_checkpoint
from pi05_ros.model.config import load_preset
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.platforms.platform import Platform

TINY = "random:tiny?seed=3"
PLATFORMS = ("mobile_18dof", "mobile_19dof")


def observe(platform: Platform, size: int | tuple[int, int] = 28, seed: int = 0) -> Observation:
    """Noise in every camera, of a side or of (height, width)."""
    draw = np.random.default_rng(seed)
    shape = (*((size, size) if isinstance(size, int) else size), 3)
    images = {name: draw.integers(0, 256, shape, np.uint8) for name in platform.camera_names}
    nothing = np.full(platform.size, np.nan)
    return Observation(10**9, platform.names, platform.home.copy(), nothing, images)


def stats_of(platform: Platform, relative: bool = False) -> NormStats:
    """Half of the limits; `relative`: of all that is no velocity."""
    units = [dimension.unit for dimension in platform.dimensions]
    stats = NormStats.from_limits(platform.names, units, platform.lower / 2, platform.upper / 2)
    if not relative:
        return stats
    return NormStats(
        tuple(
            dataclasses.replace(dimension, relative=not velocity)
            for dimension, velocity in zip(stats.dimensions, platform.is_velocity, strict=True)
        )
    )


def saved(folder, platform: Platform, variant: str, relative: bool = False, **facts) -> str:
    """A checkpoint folder of an untrained one-layer model that claims to have been trained."""
    model = Pi05(dataclasses.replace(load_preset("tiny"), variant=variant))
    draw_weights(model, seed=1, adaptive_scale=1.0)
    tokenizer = random_checkpoint("tiny").tokenizer
    stats = stats_of(platform, relative)
    checkpoint = Checkpoint(model, tokenizer, {platform.name: stats}, **facts)
    save_checkpoint(folder / "c", checkpoint)
    return str(folder / "c")
