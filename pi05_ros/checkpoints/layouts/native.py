"""Our own layout; see `checkpoint` for its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pi05_ros.checkpoints.layouts.contents import Contents, Training
from pi05_ros.checkpoints.storage.files import (
    CheckpointError,
    existing_file,
    read_mapping,
    write_json,
)
from pi05_ros.checkpoints.storage.manifest import read_manifest
from pi05_ros.checkpoints.storage.safetensors_file import StoredTensor, write_safetensors
from pi05_ros.checkpoints.storage.tokenizer_files import TOKENIZERS, tokenizer_file
from pi05_ros.checkpoints.storage.weights import (
    INDEX,
    WEIGHTS,
    compare,
    stored_tensors,
    wanted_shapes,
    weight_files,
)
from pi05_ros.foundation.strict_yaml import from_mapping
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.text.fast import FAST_FILE

FORMAT = "pi05_ros-1"
CONFIG, STATS = "config.json", "norm_stats.json"
# Sizes that the first releases do not know, and their values in a model that does not use them.
_NEWER_SIZES = {"compact_vision": None, "grounding": None, "noise_scale": 1.0}
SHARD_BYTES = 5 << 30  # Largest file of weights; `base` takes two in bfloat16.


@dataclass(frozen=True)
class ConfigFile:
    """Contents of config.json."""

    format: str
    description: str
    model: ModelConfig
    training: Training = field(default_factory=Training)
    policy_cameras: tuple[str, ...] = ()
    planner_cameras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"wanted format '{FORMAT}', found '{self.format}'")
        if self.training.max_prefix >= self.model.horizon:
            raise ValueError(
                f"wanted training.max_prefix below the horizon {self.model.horizon}, found "
                f"{self.training.max_prefix}"
            )


def is_native(folder: Path) -> bool:
    """Check whether the folder is of our layout, complete or not."""
    if (folder / "manifest.json").exists():
        return True
    config = folder / CONFIG
    return config.is_file() and "format" in read_mapping(config)


def read_native(folder: Path) -> Contents:
    """Read a folder without the values of its weights.

    Raises:
        CheckpointError: A file is missing, is not in the manifest, or does not fit.
        ConfigError: A JSON file has the wrong contents.
    """
    records = read_manifest(folder)
    tokenizer = tokenizer_file(folder)
    if tokenizer is None:
        raise CheckpointError(folder, f"{TOKENIZERS[0]} is missing, and so is {TOKENIZERS[1]}")
    files = [*weight_files(folder), folder / CONFIG, folder / STATS, tokenizer]
    files += [folder / name for name in (INDEX, FAST_FILE) if (folder / name).exists()]
    for path in files:
        existing_file(path)
        if not path.resolve().is_relative_to(folder.resolve()):
            raise CheckpointError(
                path, f"is a link out of the folder, to {os.readlink(path)}; copy the file here"
            )
        if path.name not in records:
            raise CheckpointError(path, "is not in manifest.json; it was added by hand")
    config = from_mapping(ConfigFile, read_mapping(folder / CONFIG), str(folder / CONFIG))
    tensors = stored_tensors(folder)
    compare(files[0], wanted_shapes(config.model), tensors)
    return Contents(
        layout="pi05_ros",
        folder=folder,
        config=config.model,
        tensors=tensors,
        training=config.training,
        description=config.description,
        policy_cameras=config.policy_cameras,
        planner_cameras=config.planner_cameras,
        norm_stats=read_norm_stats(folder / STATS),
        tokenizer=tokenizer,
        fast=folder / FAST_FILE if (folder / FAST_FILE).exists() else None,
        records=records,
    )


def read_norm_stats(path: Path) -> dict[str, NormStats]:
    """Read statistics by platform name."""
    return {
        name: from_mapping(NormStats, stats, f"{path}: {name}")
        for name, stats in read_mapping(path).items()
    }


def norm_stats_json(norm_stats: Mapping[str, NormStats]) -> dict[str, Any]:
    """Convert statistics to the contents of norm_stats.json; the inverse of `read_norm_stats`."""
    return {name: asdict(stats) for name, stats in norm_stats.items()}


def _config_json(config: ConfigFile) -> dict[str, Any]:
    """Contents of config.json; releases that do not know an option read what does not use it."""
    written = asdict(config)
    if not config.training.history:
        del written["training"]["history"]
    for option, unused in _NEWER_SIZES.items():
        if written["model"][option] == unused:
            del written["model"][option]
    return written


def write_native(
    folder: Path,
    config: ConfigFile,
    tensors: Mapping[str, Tensor | StoredTensor],
    norm_stats: Mapping[str, NormStats],
    dtype: torch.dtype | None = None,
    progress: Callable[[int], None] | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write config, statistics and weights into a new folder, without tokenizer and manifest.

    Args:
        folder: From `new_folder`.
        config: Contents of config.json.
        tensors: By our names, in memory or in other files.
        norm_stats: By platform name.
        dtype: Of the weights in the file; None: unchanged.
        progress: Called with the number of bytes just written.
        shard_bytes: Maximum size of a file of weights [byte].
    """
    write_json(folder / CONFIG, _config_json(config))
    write_json(folder / STATS, norm_stats_json(norm_stats))
    shards = _split(tensors, dtype, shard_bytes)
    names = [WEIGHTS]
    if len(shards) > 1:
        names = [f"model-{i + 1:05}-of-{len(shards):05}.safetensors" for i in range(len(shards))]
        weight_map = {t: name for name, shard in zip(names, shards, strict=True) for t in shard}
        write_json(folder / INDEX, {"metadata": {}, "weight_map": weight_map})
    for name, shard in zip(names, shards, strict=True):
        write_safetensors(folder / name, shard, dtype, {"format": "pt"}, progress)


def _split(
    tensors: Mapping[str, Tensor | StoredTensor], dtype: torch.dtype | None, shard_bytes: int
) -> list[dict[str, Tensor | StoredTensor]]:
    """Split the tensors into files of at most `shard_bytes`, unless one tensor is larger."""
    shards: list[dict[str, Tensor | StoredTensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        own = bytes_of(tensor, dtype)
        if shards[-1] and size + own > shard_bytes:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += own
    return shards


def bytes_of(tensor: Tensor | StoredTensor, dtype: torch.dtype | None) -> int:
    """Size of a tensor written in `dtype`, or its own if None [byte]."""
    if isinstance(tensor, StoredTensor):
        return tensor.elements * dtype.itemsize if dtype else tensor.end - tensor.begin
    return tensor.numel() * (dtype or tensor.dtype).itemsize
