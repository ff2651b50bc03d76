"""Contents of a checkpoint folder of any layout, without the values of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pi05_ros.checkpoints.layouts.unnamed_stats import UnnamedStats
from pi05_ros.checkpoints.storage.manifest import FileRecord
from pi05_ros.checkpoints.storage.safetensors_file import StoredTensor
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.normalization import NormStats

MAX_HISTORY = 32  # More do not fit into a prompt of 200 tokens.


@dataclass(frozen=True)
class Training:
    """Training of the weights, as far as it is known. `checkpoint probe` measures the result."""

    text: bool = False  # Boxes and subtasks, by the language model.
    fast: bool = False  # Actions as FAST tokens, by the language model.
    flow: bool = False  # Actions as a flow, by the expert.
    max_prefix: int = 0  # Largest number of prefix actions in training; 0: none.
    step: int | None = None  # Optimiser steps of the last stage; None: not known.
    origin: str = ""  # Origin of the weights, one line.
    history: int = 0  # Past subtasks in the high level's prompts, at most; 0: none. Needs text.

    def __post_init__(self) -> None:
        if not 0 <= self.history <= MAX_HISTORY or (self.history and not self.text):
            raise ValueError(
                f"wanted history 0 or, with text, up to {MAX_HISTORY}; found {self.history} with "
                f"text {self.text}"
            )
        if self.max_prefix < 0 or (self.max_prefix and not self.flow):
            raise ValueError(
                f"wanted max_prefix 0 or, with flow, more; found {self.max_prefix} with flow "
                f"{self.flow}"
            )


@dataclass(frozen=True)
class Contents:
    """A checkpoint without the values of its weights."""

    layout: Literal["pi05_ros", "lerobot", "openpi"]
    folder: Path
    config: ModelConfig
    tensors: Mapping[str, StoredTensor]  # By our names; they fit `config`.
    training: Training
    description: str = ""
    policy_cameras: tuple[str, ...] = ()  # In the order of the low level's pictures; (): unknown.
    planner_cameras: tuple[str, ...] = ()  # Of the high level's.
    norm_stats: Mapping[str, NormStats] = field(default_factory=dict)  # By platform name.
    unnamed_stats: tuple[UnnamedStats, ...] = ()  # Statistics without names of entries.
    tokenizer: Path | None = None  # Its file; None: the folder has none.
    fast: Path | None = None  # The FAST tokenizer's file; None: the folder has none.
    tied: tuple[StoredTensor, StoredTensor] | None = None  # Embedding and head, if both exist.
    records: Mapping[str, FileRecord] = field(default_factory=dict)  # Manifest; empty: none.
