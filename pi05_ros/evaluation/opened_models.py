"""Models of a process: opened once, since weights may be large."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pi05_ros.brain.model_options import ModelOptions
from pi05_ros.platforms.platform import Platform, load_platform

if TYPE_CHECKING:
    from pi05_ros.inference.model_brain import ModelBrain


@functools.lru_cache(maxsize=4)
def platform_of(name: str) -> Platform:
    """Return the platform of this process."""
    return load_platform(name)


@functools.lru_cache(maxsize=1)
def opened_model(
    platform: str,
    checkpoint: str,
    device: str = "cpu",
    dtype: str = "auto",
    execution: str = "auto",
) -> ModelBrain:
    """Return the model of this process, warm and on one thread. One at a time is kept.

    Args:
        platform: Name of the platform, or its YAML file.
        checkpoint: See `checkpoints.shipped.named_checkpoint`.
        device: See `ModelOptions`.
        dtype: See `ModelOptions`.
        execution: See `ModelOptions`.

    Raises:
        Pi05Error: The weights cannot be opened, or are of another robot.
    """
    # Imported here: the expert needs no torch, which takes seconds in each process.
    from pi05_ros.inference.model_brain import ModelBrain

    options = ModelOptions(device=device, dtype=dtype, execution=execution, threads=1)
    brain = ModelBrain(platform_of(platform), checkpoint, options)
    brain.warm_up()
    return brain
