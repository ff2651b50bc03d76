"""Keys and values of what was read, with room for the text that is written to it."""

from __future__ import annotations

import torch
import torch.nn.functional as functional

from pi05_ros.model.transformer import LayerMemory

Memory = tuple[LayerMemory, ...]


class TextCache:
    """Keys and values with room for text, of one shape, so that one kernel writes every token.

    Args:
        memory: What its layers look like, (1, K, S, D) each.
        capacity: Positions that it holds.
    """

    def __init__(self, memory: Memory, capacity: int) -> None:
        self.capacity = capacity
        room = (0, 0, 0, capacity - memory[0].keys.shape[2])
        self.memory = tuple(
            LayerMemory(functional.pad(keys, room), functional.pad(values, room))
            for keys, values in memory
        )
        device = memory[0].keys.device
        self.seen = torch.zeros(1, capacity, dtype=torch.bool, device=device)  # Slots in use.

    def fill(self, memory: Memory) -> None:
        """Begins anew with what was read."""
        used = memory[0].keys.shape[2]
        for own, read in zip(self.memory, memory, strict=True):
            own.keys[:, :, :used] = read.keys
            own.values[:, :, :used] = read.values
        self.seen[:] = torch.arange(self.capacity, device=self.seen.device) < used
