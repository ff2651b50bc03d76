"""Checkpoints: a folder that holds everything a model needs to think for a robot.

    model.safetensors    the weights, under our names
    config.json          sizes (ModelConfig), and what the weights are, in words
    norm_stats.json      statistics of each platform that the weights know, by its name
    tokenizer.json       the vocabulary

Loading is strict. A checkpoint that lacks something, or holds something else, is refused with
file, name, wanted and found; nothing is ever filled in. Pickles are not read: they can run code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.model.config import ModelConfig, load_preset
from pi05_ros.model.normalization import NormStats
from pi05_ros.model.pi05 import Pi05, draw_weights
from pi05_ros.model.tokenizer import ByteTokenizer, Tokenizer
from pi05_ros.strict import from_mapping

FORMAT = "pi05_ros-1"
WEIGHTS, CONFIG, STATS, VOCABULARY = (
    "model.safetensors",
    "config.json",
    "norm_stats.json",
    "tokenizer.json",
)


class CheckpointError(Pi05Error):
    """A checkpoint cannot be used.

    Args:
        path: The file or folder.
        problem: What is wrong there, as one clause.
    """

    def __init__(self, path: Path | str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}")


@dataclass(frozen=True)
class Checkpoint:
    """A model with its tokenizer and its statistics."""

    model: Pi05
    tokenizer: Tokenizer
    norm_stats: Mapping[str, NormStats] = field(default_factory=dict)  # By platform name.
    description: str = ""  # What the weights are, for logs and people.
    source: str = ""  # Folder, or `random:<preset>?seed=<seed>`.
    is_random: bool = False  # Whether the weights were drawn and never trained.


@dataclass(frozen=True)
class _ConfigFile:
    """What config.json says."""

    format: str
    description: str
    model: ModelConfig

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"wanted format '{FORMAT}', found '{self.format}'")


@dataclass(frozen=True)
class _TokenizerFile:
    """What tokenizer.json says of a ByteTokenizer."""

    kind: str
    size: int
    actions: int
    pieces: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind != "bytes":
            raise ValueError(f"wanted kind 'bytes', found '{self.kind}'")


def random_checkpoint(preset: str, seed: int = 0) -> Checkpoint:
    """A preset with weights drawn at random. It has learned nothing, and says so.

    Raises:
        ConfigError: There is no such preset.
    """
    config = load_preset(preset)
    model = Pi05(config)
    # Open gates (training begins with closed ones), so that the expert hears prompt and pictures.
    draw_weights(model, seed, adaptive_scale=0.1)
    return Checkpoint(
        model.eval(),
        make_tokenizer(config),
        description=f"{preset}, weights drawn at random (seed {seed}): it has learned nothing",
        source=f"random:{preset}?seed={seed}",
        is_random=True,
    )


def make_tokenizer(config: ModelConfig) -> ByteTokenizer:
    """The tokenizer that a fresh model of this config begins with.

    Raises:
        ConfigError: The config's tokenizer does not come with the suite.
    """
    if config.tokenizer != "bytes":
        raise ConfigError(
            f"model '{config.name}'",
            f"the tokenizer '{config.tokenizer}' does not ship with the suite; "
            "use a preset with the tokenizer 'bytes' (nano, tiny)",
        )
    return ByteTokenizer(size=config.language.vocabulary)


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint into `folder`, which is made where it is missing.

    Raises:
        CheckpointError: The folder already holds weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / WEIGHTS).exists():
        raise CheckpointError(folder / WEIGHTS, "is already there; save into another folder")
    if not isinstance(checkpoint.tokenizer, ByteTokenizer):
        raise CheckpointError(folder, f"cannot save a {type(checkpoint.tokenizer).__name__}")
    config = _ConfigFile(FORMAT, checkpoint.description, checkpoint.model.config)
    tokenizer = _TokenizerFile(kind="bytes", **asdict(checkpoint.tokenizer))
    _write_json(folder / CONFIG, asdict(config))
    _write_json(
        folder / STATS, {name: asdict(stats) for name, stats in checkpoint.norm_stats.items()}
    )
    _write_json(folder / VOCABULARY, asdict(tokenizer))
    state = checkpoint.model.state_dict()
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    safetensors.torch.save_file(tensors, folder / WEIGHTS, metadata={"format": FORMAT})


def load_checkpoint(
    folder: Path, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Checkpoint:
    """Reads a checkpoint that `save_checkpoint` wrote.

    Args:
        folder: The checkpoint.
        dtype: Floating-point type of the weights in memory.
        device: Where they go.

    Raises:
        CheckpointError: A file is missing or broken, or a tensor is not the one wanted.
        ConfigError: A JSON file does not say what it must.
    """
    if not folder.is_dir():
        raise CheckpointError(folder, "is no folder; wanted one with " + ", ".join(_files()))
    for name in _files():
        if not (folder / name).is_file():
            found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
            raise CheckpointError(
                folder, f"{name} is missing (found: {found}); pickles are not read"
            )
    config = from_mapping(_ConfigFile, _read_json(folder / CONFIG), str(folder / CONFIG))
    with torch.device("meta"):
        model = Pi05(config.model)
    tensors = _read_tensors(folder / WEIGHTS, model, dtype, device)
    model.load_state_dict(tensors, assign=True)
    return Checkpoint(
        model.eval(),
        _read_tokenizer(folder / VOCABULARY, config.model),
        _read_stats(folder / STATS),
        config.description,
        str(folder),
    )


def _files() -> tuple[str, ...]:
    return WEIGHTS, CONFIG, STATS, VOCABULARY


def _read_tensors(
    path: Path, model: Pi05, dtype: torch.dtype, device: torch.device | str
) -> dict[str, torch.Tensor]:
    """All tensors of the file, after a check of every name and shape against the model's."""
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    try:
        with safetensors.safe_open(path, framework="pt", device=str(device)) as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
            _compare(path, wanted, found)
            return {name: file.get_tensor(name).to(dtype) for name in found}
    except safetensors.SafetensorError as error:
        raise CheckpointError(path, f"is cut, or is no safetensors file ({error})") from error


def _compare(
    path: Path, wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]
) -> None:
    """Raises CheckpointError for the first tensor that is missing, mis-shaped or too many."""
    for name, shape in wanted.items():
        if name not in found:
            missing = len(wanted.keys() - found.keys())
            raise CheckpointError(
                path, f"the tensor '{name}' is missing (wanted {shape}; {missing} missing in all)"
            )
        if found[name] != shape:
            raise CheckpointError(path, f"'{name}': wanted shape {shape}, found {found[name]}")
    extra = sorted(found.keys() - wanted.keys())
    if extra:
        raise CheckpointError(
            path, f"the tensor '{extra[0]}' belongs to no part of the model ({len(extra)} extra)"
        )


def _read_tokenizer(path: Path, config: ModelConfig) -> ByteTokenizer:
    """The tokenizer, after a check of its size against the model's vocabulary."""
    file = from_mapping(_TokenizerFile, _read_json(path), str(path))
    if file.size != config.language.vocabulary:
        raise CheckpointError(
            path, f"wanted a vocabulary of {config.language.vocabulary}, found {file.size}"
        )
    try:
        return ByteTokenizer(file.size, file.actions, file.pieces)
    except ValueError as error:
        raise CheckpointError(path, str(error)) from error


def _read_stats(path: Path) -> dict[str, NormStats]:
    """Statistics by platform name."""
    content = _read_json(path)
    if not isinstance(content, dict):
        raise CheckpointError(path, "wanted a mapping from platform names to statistics")
    return {
        name: from_mapping(NormStats, stats, f"{path}: {name}") for name, stats in content.items()
    }


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(path, f"is no JSON ({error})") from error


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def open_checkpoint(
    spec: str, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Checkpoint:
    """Opens what a `checkpoint` argument names.

    Args:
        spec: A folder, or `random:<preset>` with `?seed=<number>`; empty: `random:nano`.
        dtype: Floating-point type of the weights in memory.
        device: Where they go.

    Raises:
        CheckpointError: The folder is no checkpoint.
        ConfigError: The preset or the seed is none.
    """
    if spec and not spec.startswith("random:"):
        return load_checkpoint(Path(spec).expanduser(), dtype, device)
    match = re.fullmatch(r"(?:random:([^?]+)(?:\?seed=(\d{1,18}))?)?", spec)
    if match is None:
        raise ConfigError(
            f"checkpoint '{spec}'", "wanted a folder, or random:<preset>?seed=<whole number>"
        )
    checkpoint = random_checkpoint(match[1] or "nano", int(match[2] or 0))
    checkpoint.model.to(device=device, dtype=dtype)
    return checkpoint
