"""AdamW over groups of parameters: matrices decay; norms, biases and embeddings do not.

The patch embedding of the picture tower has a rate of its own (`OptimizerRecipe.patch_rate`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn

from pi05_ros.errors import ConfigError
from pi05_ros.training.recipes.recipe import OptimizerRecipe

_MOMENTS = ("exp_avg", "exp_avg_sq")
_PATCHES = "patch_embedding."
_SHARE = "rate_share"  # Key of a group: its learning rate, relative to the schedule's.


def make_optimizer(module: nn.Module, recipe: OptimizerRecipe) -> torch.optim.Optimizer:
    """Make the optimiser of the trainable parameters of a module.

    Raises:
        ConfigError: 8-bit states are wanted and bitsandbytes is not installed.
    """
    decayed: list[Tensor] = []
    patches: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            decays = parameter.ndim >= 2 and "embedding" not in name
            place = patches if _PATCHES in name else decayed if decays else others
            place.append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": recipe.weight_decay, _SHARE: 1.0},
        {"params": others, "weight_decay": 0.0, _SHARE: 1.0},
        {"params": patches, "weight_decay": 0.0, _SHARE: recipe.patch_rate},
    ]
    kind = _eight_bit() if recipe.eight_bit else torch.optim.AdamW
    optimizer: torch.optim.Optimizer = kind(
        [group for group in groups if group["params"]],
        lr=recipe.learning_rate,
        betas=(recipe.beta1, recipe.beta2),
        eps=recipe.epsilon,
    )
    return optimizer


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the schedule."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group[_SHARE]


def prepare_states(
    optimizer: torch.optim.Optimizer, module: nn.Module, saved: Collection[str]
) -> None:
    """Create the states of AdamW as before its first step, so that saved ones can be read into.

    Args:
        optimizer: Of the module.
        module: Its parameters have the names.
        saved: Names as of `optimizer_tensors`. Weights that never had a gradient have no state.
    """
    names = {parameter: name for name, parameter in module.named_parameters()}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if f"{names[parameter]}/{_MOMENTS[0]}" in saved and not optimizer.state[parameter]:
                state: dict[str, Any] = {"step": torch.tensor(0.0)}
                state |= {name: torch.zeros_like(parameter) for name in _MOMENTS}
                optimizer.state[parameter] = state


def optimizer_tensors(optimizer: torch.optim.Optimizer, module: nn.Module) -> dict[str, Tensor]:
    """Return every tensor of the optimiser's state by parameter and name."""
    return {
        f"{name}/{key}": value
        for name, parameter in module.named_parameters()
        if parameter in optimizer.state
        for key, value in optimizer.state[parameter].items()
        if isinstance(value, Tensor)
    }


def _eight_bit() -> Any:
    try:
        from bitsandbytes.optim import AdamW8bit  # type: ignore[import-not-found]
    except ImportError as error:
        raise ConfigError(
            "recipe: optimizer.eight_bit",
            f"needs the library bitsandbytes, which cannot be imported ({error}): install it, or "
            "set optimizer.eight_bit=false",
        ) from error
    return AdamW8bit
