"""Ships a checkpoint: compact weights, statistics, tokenizers, manifest and model card."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pi05_ros.checkpoints.checkpoint import read_contents
from pi05_ros.checkpoints.conversion import bytes_to_write, convert
from pi05_ros.checkpoints.layouts.contents import Contents
from pi05_ros.checkpoints.shipped import existing_folder, named_checkpoint
from pi05_ros.checkpoints.storage.files import CheckpointError
from pi05_ros.checkpoints.storage.manifest import MANIFEST
from pi05_ros.evaluation.shipping.card import model_card
from pi05_ros.evaluation.shipping.lineage import Stage, checkpoint_and_run, stages_of

CARD = "README.md"
MAX_BYTES = 25_000_000  # Of the weights: a repository keeps each version of them for ever.


@dataclass(frozen=True)
class Shipped:
    """A shipped checkpoint."""

    folder: Path
    source: Path  # The checkpoint that it was made from.
    size: int  # Of the weights [byte].


def ship(
    source: str, target: Path, dtype: torch.dtype = torch.float16, figures: Sequence[Path] = ()
) -> Shipped:
    """Write a checkpoint that can be shipped into a new folder. States of optimisers are left out.

    Args:
        source: Folder of a run, whose `best` is taken, or of a checkpoint.
        target: New folder; its name is that of the checkpoint.
        dtype: Of the weights in the file. float16 keeps 10 bits of a value where bfloat16 keeps 7.
        figures: Files for the model card: gates.json and summary.json.

    Raises:
        CheckpointError: The weights are random or untrained, have no statistics, are too large,
            or cannot be read; or the folder cannot be written.
    """
    folder, _ = checkpoint_and_run(existing_folder(named_checkpoint(source)))
    contents = read_contents(folder)
    training = contents.training
    if not (training.text or training.fast or training.flow):
        raise CheckpointError(
            folder,
            "states no training: its weights are random, and random weights are not shipped",
        )
    if not contents.norm_stats:
        raise CheckpointError(folder, "has no statistics of any platform: no robot could run it")
    size = bytes_to_write(contents, "pi05_ros", dtype)
    if size > MAX_BYTES:
        raise CheckpointError(
            folder,
            f"wanted at most {MAX_BYTES / 1e6:.0f} MB of weights, found {size / 1e6:.1f} MB in "
            f"{dtype}; ship a smaller model, or a smaller dtype",
        )
    stages = stages_of(folder)
    contents = _without_paths(contents, stages)
    manifest = folder / MANIFEST
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""
    card = model_card(target.name, contents, dtype, size, stages, digest, figures)
    convert(contents, target, dtype=dtype, documents={CARD: card})
    return Shipped(target, folder, size)


def _without_paths(contents: Contents, stages: Sequence[Stage]) -> Contents:
    """Return contents whose origin names recipes in place of folders of one machine."""
    if not stages:
        return contents
    last, step = stages[-1], contents.training.step
    names = [f"recipe {stage.recipe} ({stage.hash})" for stage in stages]
    description = contents.description or (
        f"{contents.config.name}, trained by recipe {last.recipe} ({last.hash}), step {step}"
    )
    training = replace(contents.training, origin=", from ".join(reversed(names)))
    return replace(contents, description=description, training=training)
