"""Which brain drives a mock home when none is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pi05_ros.checkpoints.shipped import DEFAULT, platforms_of, shipped_checkpoints

# For help.
DEFAULT_TEXT = "model, with the shipped checkpoint; expert where none knows the platform"


@dataclass(frozen=True)
class BrainChoice:
    """The options `brain` and `checkpoint` of a mock home."""

    brain: str
    checkpoint: str
    note: str = ""  # Why the expert drives, as a sentence; empty: it was asked for.


def default_brain(platform: str, texts: Mapping[str, str | None]) -> BrainChoice:
    """Choose the brain of a mock home.

    Args:
        platform: Name of the robot.
        texts: Options as they were given; None or absent: not given. A checkpoint without a
            brain is the model's.

    Raises:
        CheckpointError: The shipped checkpoint cannot be read.
    """
    brain, checkpoint = texts.get("brain"), texts.get("checkpoint") or ""
    if brain is not None:
        return BrainChoice(brain, checkpoint)
    if checkpoint:
        return BrainChoice("model", checkpoint)
    shipped = shipped_checkpoints()
    if DEFAULT not in shipped:
        return BrainChoice("expert", "", "the scripted expert drives: no checkpoint is shipped")
    known = platforms_of(shipped[DEFAULT])
    if platform in known:
        return BrainChoice("model", DEFAULT)
    return BrainChoice(
        "expert",
        "",
        f"the scripted expert drives: the shipped checkpoint {DEFAULT} does not know {platform} "
        f"(it knows: {', '.join(known) or 'none'})",
    )
