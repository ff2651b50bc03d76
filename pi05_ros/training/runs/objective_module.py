"""The objective as one module, which is what is sharded, and its division over processes."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.utils.checkpoint import checkpoint

from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.vision import VisionTower
from pi05_ros.training.loading.loader import FlowDraws
from pi05_ros.training.objective.batch import Batch
from pi05_ros.training.objective.losses import LossConfig, Losses, losses
from pi05_ros.training.recipes.recipe import BatchRecipe
from pi05_ros.training.runs.processes import Processes


class Objective(nn.Module):
    """Computes the losses of a batch. FSDP2 gathers parameters when it is called.

    Args:
        model: The model that is trained.
        config: Of the losses.
        precision: Dtype of matrix products; weights stay as they are.
    """

    def __init__(self, model: Pi05, config: LossConfig, precision: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self._config, self._precision = config, precision
        self.is_shared = False  # Whether other processes train the same weights.

    def forward(self, batch: Batch, draws: FlowDraws | None) -> Losses:
        """Compute the losses per sample."""
        kind = self.model.device.type
        with torch.autocast(kind, self._precision, enabled=self._precision != torch.float32):
            if draws is None:
                return losses(self.model, batch, self._config, reaches_all=self.is_shared)
            device = self.model.device
            prefix = None if draws.prefix is None else draws.prefix.to(device)
            return losses(
                self.model,
                batch,
                self._config,
                draws.noise.to(device),
                draws.tau.to(device),
                prefix,
                reaches_all=self.is_shared,
            )


def prepare(objective: Objective, recipe: BatchRecipe, processes: Processes) -> None:
    """Recompute activations, compile and shard as the recipe wants.

    Each layer of the language model and of the picture tower is a unit of its own; embeddings and
    the expert, whose parts are called apart, are gathered once for each pass.
    """
    model = objective.model
    layers: list[nn.Module] = [*model.language.layers]
    if isinstance(model.vision, VisionTower):  # A compact tower is too small to be divided.
        layers += model.vision.layers
    if recipe.checkpoint_activations:
        for layer in layers + (list(model.expert.layers) if model.config.has_expert else []):
            _recompute(layer)
    if recipe.compile:
        for layer in model.language.layers:
            layer.compile()
    if processes.count > 1:
        objective.is_shared = True
        for layer in layers:
            fully_shard(layer)
        fully_shard(objective, reshard_after_forward=False)


def _recompute(layer: nn.Module) -> None:
    """Let a layer compute its activations again in the backward pass."""
    forward = layer.forward

    def recomputed(*arguments: Any, **named: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*arguments, **named)
        return checkpoint(forward, *arguments, use_reentrant=False, **named)

    layer.forward = recomputed  # type: ignore[method-assign]
