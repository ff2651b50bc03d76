"""KV caches of a fixed size, for decoding text with kernels of fixed shapes."""

from __future__ import annotations

import torch
import torch.nn.functional as functional

from pi05_ros.model.transformer import KVCache, KVCaches


class TextCache:
    """KV caches with free positions for text; shapes are the same for every token.

    Args:
        caches: KV caches that set layers, shapes and dtype, (1, K, S, D) each.
        capacity: Number of positions; S or more.
    """

    def __init__(self, caches: KVCaches, capacity: int) -> None:
        self.capacity = capacity
        free = (0, 0, 0, capacity - caches[0].keys.shape[2])
        self.caches = tuple(
            KVCache(functional.pad(keys, free), functional.pad(values, free))
            for keys, values in caches
        )
        device = caches[0].keys.device
        self.valid = torch.zeros(1, capacity, dtype=torch.bool, device=device)  # Used positions.

    def fill(self, caches: KVCaches) -> None:
        """Overwrite the contents with those of other KV caches; the rest becomes free."""
        used = caches[0].keys.shape[2]
        for own, new in zip(self.caches, caches, strict=True):
            own.keys[:, :, :used] = new.keys
            own.values[:, :, :used] = new.values
        self.valid[:] = torch.arange(self.capacity, device=self.valid.device) < used
