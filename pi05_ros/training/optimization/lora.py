"""Low-rank updates (arXiv 2106.09685): W + (α / r) · B · A, with W frozen.

The linear maps of the language model's and the expert's layers get them. Beside them the expert's
own ends (actions in and out, flow time) are trained; pictures and embeddings are frozen. A
checkpoint holds the merged weights, so it runs wherever a fully trained one does.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.pi05 import Pi05

_TRAINED_ENDS = ("action_in", "action_out", "time_in", "time_out", "time_mix", "state_in")


class LoraLinear(nn.Linear):
    """A linear map with frozen weights and a trained update of low rank.

    Args:
        base: Its weights are shared.
        rank: r.
        alpha: α.
        generator: Draws A; B is 0, so that the first output is that of the base.
    """

    def __init__(
        self, base: nn.Linear, rank: int, alpha: float, generator: torch.Generator
    ) -> None:
        super().__init__(1, 1, bias=False, device="meta")
        self.in_features, self.out_features = base.in_features, base.out_features
        self.weight, self.bias = base.weight, base.bias
        self.scale = alpha / rank
        down = torch.randn(rank, base.in_features, generator=generator)
        self.lora_a = nn.Parameter((down / math.sqrt(base.in_features)).to(base.weight))
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank).to(base.weight))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the map to x (..., in) and return (..., out)."""
        update = F.linear(F.linear(x, self.lora_a), self.lora_b)
        return F.linear(x, self.weight, self.bias) + self.scale * update


def add_lora(model: Pi05, rank: int, alpha: float, seed: int) -> None:
    """Freeze a model and give its layers low-rank updates, in place."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    stacks = [model.language.layers, *([model.expert.layers] if model.config.has_expert else [])]
    for stack in stacks:
        for module in list(stack.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.Linear) and name != "modulation":
                    setattr(module, name, LoraLinear(child, rank, alpha, generator))
    for name, parameter in model.named_parameters():
        is_update = name.rpartition(".")[2].startswith("lora_")
        parameter.requires_grad_(is_update or is_trained_beside_lora(name))


def is_trained_beside_lora(name: str) -> bool:
    """Check whether a weight is trained itself: the expert's ends and its conditioning."""
    parts = name.split(".")
    return (parts[0] == "expert" and parts[1] in _TRAINED_ENDS) or "modulation" in parts


def merged(weights: dict[str, Tensor], scale: float) -> dict[str, Tensor]:
    """Return weights by name with every update added to its base.

    Args:
        weights: From `state_dict`, whole tensors.
        scale: α / r.
    """
    found = {}
    for name, value in weights.items():
        if name.rpartition(".")[2].startswith("lora_"):
            continue
        stem = name.removesuffix("weight")
        if name.endswith("weight") and f"{stem}lora_a" in weights:
            update = weights[f"{stem}lora_b"].float() @ weights[f"{stem}lora_a"].float()
            value = (value.float() + scale * update).to(value.dtype)
        found[name] = value
    return found
