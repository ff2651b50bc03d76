"""What every implementation must be able to do, and ours: the engine that the nodes run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from pi05_ros.brain.model_options import Execution
from pi05_ros.brain.timings import Times
from pi05_ros.checkpoints.checkpoint import Checkpoint
from pi05_ros.inference.engine import Pi05Engine
from pi05_ros.model.pi05 import Pi05

from .timing import Laps
from .workload import FixedTokenizer, Workload

Pictures = Mapping[str, np.ndarray]  # Camera → (image_size, image_size, 3) uint8 rgb.


@dataclass(frozen=True)
class ChunkRun:
    """A chunk of actions."""

    actions: torch.Tensor  # (horizon, action_dim) float32 on the CPU.
    laps: Laps


@dataclass(frozen=True)
class TextRun:
    """Greedy text."""

    tokens: tuple[int, ...]
    score: float | None  # Mean probability of the tokens, 0 to 1; None: was not worked out.
    laps: Laps
    logits: torch.Tensor | None = None  # (tokens, vocabulary) float32 on the CPU, where asked for.

    @classmethod
    def of_logits(cls, tokens: list[int], laps: Laps, kept: list[torch.Tensor]) -> TextRun:
        """A run that kept the logits (vocabulary,) of every token, or of none."""
        if not kept:
            return cls(tuple(tokens), None, laps)
        logits = torch.stack(kept)
        chosen = logits.softmax(dim=-1)[torch.arange(len(tokens)), tokens]
        return cls(tuple(tokens), float(chosen.mean()), laps, logits)


class Contestant(Protocol):
    """An implementation of π0.5 on the weights, prompt and noise of one workload."""

    name: str

    def chunk(self, pictures: Pictures) -> ChunkRun:
        """Reads pictures and prompt, draws a chunk from the workload's noise."""

    def text(self, pictures: Pictures, keep_logits: bool = False) -> TextRun:
        """Reads pictures and prompt, writes the workload's number of tokens."""


class Ours:
    """`Pi05Engine` through its public methods: locks, checks, digests and caches included.

    Args:
        model: The weights.
        workload: The request.
        execution: See Pi05Engine.

    Raises:
        ConfigError: The device cannot do what `execution` wants.
    """

    def __init__(self, model: Pi05, workload: Workload, execution: Execution = "eager") -> None:
        self.name = f"ours, {execution}"
        config = model.config
        tokenizer = FixedTokenizer(config.language.vocabulary, workload.ids[1:])
        self._workload = workload
        self._engine = Pi05Engine(Checkpoint(model, tokenizer), execution=execution)
        self._engine.warm_up(workload.cameras, workload.cameras)

    def chunk(self, pictures: Pictures) -> ChunkRun:
        """See Contestant."""
        result = self._engine.sample_actions(pictures, "a task", self._workload.noise)
        return ChunkRun(torch.from_numpy(result.actions), _laps(result.times))

    def text(self, pictures: Pictures, keep_logits: bool = False) -> TextRun:
        """See Contestant; the engine shows no logits."""
        result = self._engine.generate_text(pictures, "a task")
        return TextRun(result.decoded.tokens, result.decoded.score, _laps(result.times))


def _laps(times: Times) -> Laps:
    """The engine's own times."""
    return Laps(times.vision, times.prefix, times.generation, times.total)
