"""Interface of the compared implementations, and ours: the engine that the nodes run."""

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

Pictures = Mapping[str, np.ndarray]  # Camera → (height, width, 3) uint8 rgb.


@dataclass(frozen=True)
class ChunkRun:
    """A chunk of actions."""

    actions: torch.Tensor  # (horizon, action_dim) float32 on the CPU.
    laps: Laps


@dataclass(frozen=True)
class TextRun:
    """Greedy text."""

    tokens: tuple[int, ...]
    score: float | None  # Mean probability of the tokens, 0 to 1; None: not computed.
    laps: Laps
    logits: torch.Tensor | None = None  # (tokens, vocabulary) float32 on the CPU; None: not kept.

    @classmethod
    def of_logits(cls, tokens: list[int], laps: Laps, kept: list[torch.Tensor]) -> TextRun:
        """Make a run with the logits (vocabulary,) of every token, or without any."""
        if not kept:
            return cls(tuple(tokens), None, laps)
        logits = torch.stack(kept)
        chosen = logits.softmax(dim=-1)[torch.arange(len(tokens)), tokens]
        return cls(tuple(tokens), float(chosen.mean()), laps, logits)


class Implementation(Protocol):
    """An implementation of π0.5, with the weights, prompt and noise of one workload."""

    name: str

    def chunk(self, pictures: Pictures) -> ChunkRun:
        """Prefill pictures and prompt, sample a chunk from the workload's noise."""

    def text(self, pictures: Pictures, keep_logits: bool = False) -> TextRun:
        """Prefill pictures and prompt, decode the workload's number of tokens."""


class Ours:
    """`Pi05Engine` through its public methods: locks, checks, digests and caches included.

    Args:
        model: The weights.
        workload: The request.
        execution: See Pi05Engine.

    Raises:
        ConfigError: The device does not support `execution`.
    """

    def __init__(self, model: Pi05, workload: Workload, execution: Execution = "eager") -> None:
        self.name = f"ours, {execution}"
        config = model.config
        tokenizer = FixedTokenizer(config.language.vocabulary, workload.ids[1:])
        self._workload = workload
        self._engine = Pi05Engine(Checkpoint(model, tokenizer), execution=execution)
        self._engine.warm_up(workload.cameras, workload.cameras)

    def chunk(self, pictures: Pictures) -> ChunkRun:
        """See Implementation."""
        result = self._engine.sample_actions(
            pictures, "a task", self._workload.noise, query="a subtask"
        )
        return ChunkRun(torch.from_numpy(result.actions), _laps(result.times))

    def text(self, pictures: Pictures, keep_logits: bool = False) -> TextRun:
        """See Implementation; the engine does not return logits."""
        result = self._engine.generate_text(pictures, "a task")
        return TextRun(result.decoded.tokens, result.decoded.score, _laps(result.times))


def _laps(times: Times) -> Laps:
    """Convert the engine's times."""
    return Laps(times.vision, times.prefix, times.generation, times.total)
