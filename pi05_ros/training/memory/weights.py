"""Bytes of the weights, and of what the optimiser keeps for each of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import nn

from pi05_ros.model.config import ModelConfig
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.vision import VisionTower
from pi05_ros.training.optimization.lora import is_trained_beside_lora

_FLOAT32 = 4  # [byte]
# Of both states of AdamW in 8 bits: a byte each, and a float32 scale for each block of 256.
_EIGHT_BIT = 2 * (1 + 4 / 256)


@dataclass(frozen=True)
class ParameterCounts:
    """Numbers of parameters."""

    all: int  # Low-rank updates included.
    trained: int
    products: int  # In matrix products; under autocast each has a copy of 2 bytes.
    widest_layer: int  # Of the language model and the SigLIP tower.
    resident: int  # Outside of these layers: gathered in every process for the whole pass.


@dataclass(frozen=True)
class WeightBytes:
    """Bytes in one process."""

    weights: int  # float32.
    gradients: int
    states: int  # Of AdamW.
    average: int  # Moving average of the trained weights.
    gathered: int  # Whole layers beside the process's own shares.
    copies: int  # bfloat16 copies that the pass keeps.

    @property
    def total(self) -> int:
        """Sum of the parts."""
        return (
            self.weights
            + self.gradients
            + self.states
            + self.average
            + self.gathered
            + self.copies
        )


@functools.lru_cache(maxsize=16)
def count_parameters(config: ModelConfig, lora_rank: int) -> ParameterCounts:
    """Count the parameters of a model without making it.

    Args:
        config: Of the model.
        lora_rank: Rank of the low-rank updates; 0: all weights are trained.
    """
    with torch.device("meta"):
        model = Pi05(config)
    whole = sum(parameter.numel() for parameter in model.parameters())
    products = sum(
        module.weight.numel()
        for module in model.modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    ) + _size(model.language.embedding)
    layers: list[nn.Module] = [*model.language.layers]
    if isinstance(model.vision, VisionTower):  # A compact tower is one unit (`prepare`).
        layers += model.vision.layers
    resident = whole - sum(_size(layer) for layer in layers)
    widest = max(_size(layer) for layer in layers)
    if not lora_rank:
        return ParameterCounts(whole, whole, products, widest, resident)
    stacks = [model.language.layers, *([model.expert.layers] if config.has_expert else [])]
    updates = sum(
        lora_rank * (module.in_features + module.out_features)
        for stack in stacks
        for name, module in stack.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] != "modulation"
    )
    ends = sum(
        parameter.numel()
        for name, parameter in model.named_parameters()
        if is_trained_beside_lora(name)
    )
    return ParameterCounts(whole + updates, ends + updates, products + updates, widest, resident)


def weight_bytes(
    counts: ParameterCounts,
    *,
    processes: int,
    eight_bit: bool,
    has_average: bool,
    is_float32: bool,
    recomputes: bool,
) -> WeightBytes:
    """Return the bytes of one of `processes` that share everything evenly (FSDP2).

    Args:
        counts: Of the model.
        processes: Number of GPUs.
        eight_bit: States of 8 bits.
        has_average: Whether there is a moving average.
        is_float32: False: autocast to bfloat16.
        recomputes: Whether layers are recomputed, which frees their copies.
    """
    trained = counts.trained
    gathered = 0
    if processes > 1:
        # The layer in use and the next one; and what has no layer.
        gathered = _FLOAT32 * (2 * counts.widest_layer + counts.resident)
    copied = min(counts.products, counts.resident + counts.widest_layer)
    copies = 0 if is_float32 else 2 * (copied if recomputes else counts.products)
    return WeightBytes(
        _FLOAT32 * counts.all // processes,
        _FLOAT32 * trained // processes,
        round(trained * (_EIGHT_BIT if eight_bit else 2 * _FLOAT32)) // processes,
        _FLOAT32 * trained * has_average // processes,
        gathered,
        copies,
    )


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
