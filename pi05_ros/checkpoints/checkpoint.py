"""Checkpoints: folders with everything that is required to run a model on a robot.

    model.safetensors    the weights, under our names; or shards and model.safetensors.index.json
    config.json          sizes (ModelConfig), training of the weights, their cameras
    norm_stats.json      statistics of each platform of the weights, by platform name
    tokenizer.json       the vocabulary; for PaliGemma's also as tokenizer.model
    fast_tokenizer.json  the FAST tokenizer, if the weights were trained with one
    manifest.json        size and SHA-256 of each of them

LeRobot's and openpi's folders are read, too (`layouts`). Loading is strict: a checkpoint with a
missing or unexpected part is refused with file, name, wanted and found; there are no defaults for
missing parts. Pickles are not read, since they can run code.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from pi05_ros.checkpoints.layouts.adapter import is_adapter, refuse_adapter
from pi05_ros.checkpoints.layouts.contents import Contents, Training
from pi05_ros.checkpoints.layouts.lerobot import TYPES, is_lerobot, read_lerobot
from pi05_ros.checkpoints.layouts.native import (
    FORMAT,
    SHARD_BYTES,
    ConfigFile,
    is_native,
    read_native,
    write_native,
)
from pi05_ros.checkpoints.layouts.openpi import is_openpi, read_openpi
from pi05_ros.checkpoints.layouts.public_weights import check_tied, has_public_names
from pi05_ros.checkpoints.number_embeddings import order_numbers
from pi05_ros.checkpoints.shipped import existing_folder, named_checkpoint, valid_names
from pi05_ros.checkpoints.storage.files import (
    CheckpointError,
    existing_file,
    new_folder,
    read_mapping,
    readable,
)
from pi05_ros.checkpoints.storage.manifest import ManifestCheck, write_manifest
from pi05_ros.checkpoints.storage.tokenizer_files import read_fast, read_tokenizer, write_tokenizer
from pi05_ros.checkpoints.storage.weights import load_model
from pi05_ros.errors import ConfigError
from pi05_ros.model.config import ModelConfig, load_preset
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.model.text.fast import FAST_FILE, FastTokenizer
from pi05_ros.model.text.tokenizer import ByteTokenizer, Tokenizer

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Training",
    "load_checkpoint",
    "make_tokenizer",
    "open_checkpoint",
    "random_checkpoint",
    "read_contents",
    "save_checkpoint",
]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A model with its tokenizers and statistics."""

    model: Pi05
    tokenizer: Tokenizer
    norm_stats: Mapping[str, NormStats] = field(default_factory=dict)  # By platform name.
    description: str = ""  # Of the weights, for logs and users.
    source: str = ""  # Folder, or `random:<preset>?seed=<seed>`.
    is_random: bool = False  # Whether the weights are random, without training.
    training: Training = field(default_factory=Training)  # Training of the weights.
    policy_cameras: tuple[str, ...] = ()  # In the order of the low level's pictures; (): unknown.
    planner_cameras: tuple[str, ...] = ()  # Of the high level's.
    fast: FastTokenizer | None = None  # None: the weights were not trained with FAST tokens.


def open_checkpoint(
    spec: str, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Checkpoint:
    """Load the checkpoint that a `checkpoint` argument names.

    Args:
        spec: See `shipped.named_checkpoint`.
        dtype: Floating-point type of the weights in memory.
        device: Of the weights.

    Raises:
        CheckpointError: The folder is no checkpoint.
        ConfigError: The preset or the seed is not valid, or the home directory is unknown.
    """
    named = named_checkpoint(spec)
    if named.folder is not None:
        return load_checkpoint(existing_folder(named), dtype, device)
    match = re.fullmatch(r"random:([^?]+)(?:\?seed=(\d{1,18}))?", named.name)
    if match is None:
        raise ConfigError(f"checkpoint '{spec}'", f"wanted {valid_names()}")
    checkpoint = random_checkpoint(match[1], int(match[2] or 0))
    checkpoint.model.to(device=device, dtype=dtype)
    return checkpoint


def random_checkpoint(preset: str, seed: int = 0) -> Checkpoint:
    """Make a model of a preset with random weights, described as such.

    Raises:
        ConfigError: There is no such preset.
    """
    config = load_preset(preset)
    model = Pi05(config)
    # Gates that are not 0 (training begins with 0), so that actions depend on prompt and pictures.
    draw_weights(model, seed, adaptive_scale=0.1)
    tokenizer = make_tokenizer(config)
    if config.compact_vision is not None:
        order_numbers(model, tokenizer, seed)
    return Checkpoint(
        model.eval(),
        tokenizer,
        description=f"{preset}, weights drawn at random (seed {seed}): it has learned nothing",
        source=f"random:{preset}?seed={seed}",
        is_random=True,
    )


def make_tokenizer(config: ModelConfig) -> ByteTokenizer:
    """Make the tokenizer of a new model of this config.

    Raises:
        ConfigError: The config's tokenizer does not ship with the suite.
    """
    if config.tokenizer != "bytes":
        raise ConfigError(
            f"model '{config.name}'",
            f"the tokenizer '{config.tokenizer}' does not ship with the suite; "
            "use a preset with the tokenizer 'bytes' (nano, tiny)",
        )
    return ByteTokenizer(size=config.language.vocabulary)


def read_contents(folder: Path, model_config: ModelConfig | None = None) -> Contents:
    """Read a folder of any layout, without the values of its weights.

    Args:
        folder: Of our layout, LeRobot's or openpi's.
        model_config: Sizes, for a public checkpoint that does not state them.

    Raises:
        CheckpointError: It is no checkpoint, its parts do not fit, or it cannot be read.
        ConfigError: A JSON file has the wrong contents.
    """
    with readable(folder):
        return _read_contents(folder, model_config)


def _read_contents(folder: Path, model_config: ModelConfig | None) -> Contents:
    if not folder.is_dir():
        raise CheckpointError(folder, "is no folder; wanted a checkpoint's")
    if is_adapter(folder):
        refuse_adapter(folder)
    if is_native(folder):
        return read_native(folder)
    config = read_mapping(folder / "config.json") if (folder / "config.json").exists() else {}
    if is_lerobot(config):
        return read_lerobot(folder, model_config)
    if is_openpi(config) or (not config and has_public_names(folder)):
        return read_openpi(folder, model_config)
    if not config:
        existing_file(folder / "config.json")
    raise CheckpointError(
        folder / "config.json",
        f"is of no known layout: wanted 'format' '{FORMAT}' (ours), 'type' {', '.join(TYPES)} "
        f"(LeRobot) or 'paligemma_variant' (openpi), found the keys {', '.join(config)}",
    )


def load_checkpoint(
    folder: Path,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    *,
    check_hashes: bool = True,
    tokenizer: Path | None = None,
    model_config: ModelConfig | None = None,
) -> Checkpoint:
    """Load a checkpoint, tensor by tensor, directly into its dtype and device.

    Args:
        folder: Of our layout, LeRobot's or openpi's.
        dtype: Floating-point type of the weights in memory.
        device: Of the weights.
        check_hashes: Whether each file's SHA-256 is compared with the manifest; computed in
            parallel with the loading. False saves some seconds on a slow CPU; sizes are always
            checked.
        tokenizer: Tokenizer file, if the folder has none.
        model_config: Sizes, for a public checkpoint that does not state them.

    Raises:
        CheckpointError: A file is missing or broken, or a tensor has a wrong name, shape or type.
        ConfigError: A JSON file has the wrong contents.
    """
    contents = read_contents(folder, model_config)
    path = contents.tokenizer or tokenizer
    if path is None:
        raise CheckpointError(
            folder,
            "holds no tokenizer: put PaliGemma's tokenizer.json or tokenizer.model into it, or "
            "give it to `./pi05 checkpoint convert --tokenizer`",
        )
    vocabulary = read_tokenizer(path, contents.config)
    fast = read_fast(contents.fast, vocabulary) if contents.fast else None
    if note := check_tied(contents.tied, contents.config):
        _log.warning("%s: %s", folder, note)
    check = ManifestCheck(folder, contents.records, check_hashes)
    try:
        checkpoint = Checkpoint(
            load_model(contents.config, contents.tensors, dtype, device),
            vocabulary,
            contents.norm_stats,
            contents.description,
            str(folder),
            training=contents.training,
            policy_cameras=contents.policy_cameras,
            planner_cameras=contents.planner_cameras,
            fast=fast,
        )
        check.finish()
    finally:
        check.close()
    return checkpoint


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint into a new folder, which appears only when it is complete on the disk.

    Raises:
        CheckpointError: The folder exists and is not empty, or cannot be written.
    """
    config = ConfigFile(
        FORMAT,
        checkpoint.description,
        checkpoint.model.config,
        checkpoint.training,
        checkpoint.policy_cameras,
        checkpoint.planner_cameras,
    )
    with new_folder(folder) as unfinished:
        write_native(
            unfinished,
            config,
            checkpoint.model.state_dict(),
            checkpoint.norm_stats,
            shard_bytes=SHARD_BYTES,
        )
        write_tokenizer(unfinished, checkpoint.tokenizer)
        if checkpoint.fast:
            checkpoint.fast.save(unfinished / FAST_FILE)
        write_manifest(unfinished)
