"""Gemma (arXiv 2403.08295): the stack that reads pictures, prompt and state, and writes text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.config import LanguageConfig
from pi05_ros.model.transformer import DecoderLayer, LayerMemory, RMSNorm, rotation_of


class LanguageModel(nn.Module):
    """Token embeddings, decoder layers, and logits through the same embeddings (tied)."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.layers = nn.ModuleList(
            DecoderLayer(config.width, config.mlp_width, config, RMSNorm)
            for _ in range(config.depth)
        )
        self.norm = RMSNorm(config.width)

    def embed(self, tokens: Tensor) -> Tensor:
        """Token ids (B, L) → (B, L, W), scaled by √W (Gemma)."""
        return self.embedding(tokens) * math.sqrt(self.config.width)

    def logits(self, hidden: Tensor) -> Tensor:
        """Normed hidden states (B, L, W) → (B, L, vocabulary) float32."""
        return F.linear(hidden, self.embedding.weight).float()

    def forward(
        self,
        x: Tensor,
        positions: Tensor,
        memory: Sequence[LayerMemory] | None = None,
        mask: Tensor | None = None,
        tail: int | None = None,
        slots: Tensor | None = None,
    ) -> tuple[Tensor, tuple[LayerMemory, ...]]:
        """Runs the stack.

        Args:
            x: Embedded tokens, (B, L, W).
            positions: (B, L) or (L,) integers; the same numbers for tokens that padding shifted.
            memory: One a layer, of the tokens before x; None at the beginning.
            mask: From `masks.attention_mask`; None: every token sees all.
            tail: How many of the last tokens' hidden states are wanted; None: all. With 0 the last
                layer stops at its keys and values, which is all that the expert reads.
            slots: Positions (L,) of `memory` that x is written to, in place; None: it is appended.

        Returns:
            Normed hidden states (B, tail, W), and the memory with x in it, one a layer.
        """
        rotation = rotation_of(positions, self.config.head_dim)
        memories: Sequence[LayerMemory | None] = memory or [None] * len(self.layers)
        extended = []
        for index, (layer, past) in enumerate(zip(self.layers, memories, strict=True)):
            is_last = index == len(self.layers) - 1
            own_tail = tail if is_last else None
            x, present = layer(x, rotation, past, mask, tail=own_tail, slots=slots)
            extended.append(present)
        return self.norm(x)[0], tuple(extended)
