"""Keys and values of what was read, with room for the text that is written to it."""

from __future__ import annotations

import torch
import torch.nn.functional as functional

from pi05_ros.model.transformer import KVCache

KVCaches = tuple[KVCache, ...]


class TextCache:
    """Keys and values with room for text, of one shape, so that one kernel writes every token.

    Args:
        caches: What its layers look like, (1, K, S, D) each.
        capacity: Positions that it holds.
    """

    def __init__(self, caches: KVCaches, capacity: int) -> None:
        self.capacity = capacity
        room = (0, 0, 0, capacity - caches[0].keys.shape[2])
        self.caches = tuple(
            KVCache(functional.pad(keys, room), functional.pad(values, room))
            for keys, values in caches
        )
        device = caches[0].keys.device
        self.seen = torch.zeros(1, capacity, dtype=torch.bool, device=device)  # Slots in use.

    def fill(self, caches: KVCaches) -> None:
        """Begins anew with what was read."""
        used = caches[0].keys.shape[2]
        for own, read in zip(self.caches, caches, strict=True):
            own.keys[:, :, :used] = read.keys
            own.values[:, :, :used] = read.values
        self.seen[:] = torch.arange(self.capacity, device=self.seen.device) < used
