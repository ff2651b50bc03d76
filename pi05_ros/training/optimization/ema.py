"""Exponential moving average of the trained weights, which is what a checkpoint holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Moving average of a module's trainable parameters.

    During the first steps the decay is (1 + step) / (10 + step) at most, so that the average does
    not hold the drawn weights for long.

    Args:
        module: With its first weights.
        decay: Share of the average that stays at each step; 0: the average is the weights.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._decay = decay
        self.tensors: dict[str, Tensor] = {
            name: parameter.detach().clone()
            for name, parameter in module.named_parameters()
            if parameter.requires_grad and decay
        }

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take the weights after a step, counted from 0."""
        if not self.tensors:
            return
        decay = min(self._decay, (1.0 + step) / (10.0 + step))
        for name, parameter in module.named_parameters():
            average = self.tensors.get(name)
            if average is not None:
                average.lerp_(parameter.detach(), 1.0 - decay)

    @contextmanager
    def applied(self, module: nn.Module) -> Iterator[None]:
        """Let the module have the average for the duration of a `with` block."""
        kept = {
            name: parameter.detach().clone()
            for name, parameter in module.named_parameters()
            if name in self.tensors
        }
        self._assign(module, self.tensors)
        try:
            yield
        finally:
            self._assign(module, kept)

    @torch.no_grad()
    def _assign(self, module: nn.Module, tensors: dict[str, Tensor]) -> None:
        for name, parameter in module.named_parameters():
            if name in tensors:
                parameter.copy_(tensors[name])
