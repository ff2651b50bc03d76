"""The Gemma language model (arXiv 2403.08295): pictures, prompt and state in, text out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.config import LanguageConfig
from pi05_ros.model.transformer import DecoderLayer, KVCache, KVCaches, RMSNorm, rotation_of


class LanguageModel(nn.Module):
    """Token embeddings, decoder layers, and logits through the same embeddings (tied).

    Args:
        config: Sizes of the stack.
    """

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
        """Embed token ids (B, L) as (B, L, W), scaled by √W (Gemma)."""
        return self.embedding(tokens) * math.sqrt(self.config.width)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits (..., vocabulary) float32 of normed hidden states (..., W)."""
        return F.linear(hidden, self.embedding.weight).float()

    def forward(
        self,
        x: Tensor,
        positions: Tensor,
        caches: Sequence[KVCache] | None = None,
        mask: Tensor | None = None,
        tail: int | None = None,
        slots: Tensor | None = None,
    ) -> tuple[Tensor, KVCaches]:
        """Run the stack.

        Args:
            x: Embedded tokens, (B, L, W).
            positions: (B, L) or (L,) integers, not counting padding.
            caches: KV caches of the tokens before x, one per layer; None: there are none.
            mask: From `masks.attention_mask`; None: every token attends to all.
            tail: Number of last hidden states to return; None: all. With 0 the last layer stops at
                its keys and values, which is all that the expert reads.
            slots: (L,) positions of `caches` that x overwrites in place; None: x is appended.

        Returns:
            Normed hidden states (B, tail, W), and the KV caches with x appended.
        """
        rotation = rotation_of(positions, self.config.head_dim)
        layer_caches: Sequence[KVCache | None] = caches or [None] * len(self.layers)
        extended: list[KVCache] = []
        for index, (layer, past) in enumerate(zip(self.layers, layer_caches, strict=True)):
            is_last = index == len(self.layers) - 1
            own_tail = tail if is_last else None
            x, extended_cache = layer(x, rotation, past, mask, tail=own_tail, slots=slots)
            extended.append(extended_cache)
        return self.norm(x)[0], tuple(extended)
