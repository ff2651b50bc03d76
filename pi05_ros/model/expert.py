"""The action expert: a small Gemma that turns noise into actions, told the time by its norms.

π0 mixed the flow time into the action tokens (`pi0_expert`). π0.5 passes it through an MLP of its
own, swish(W₂ · swish(W₁ · φ)), into an adaptive RMSNorm in every layer (paper, section IV-E):
scale and shift of the normalised tokens, and a gate on each residual. All else is the same, and
stands in ActionExpert.

The time never depends on an observation. `modulate` is therefore a step of its own: its result for
the ten fixed times of inference is computed once and kept.

Each action may have a time of its own (arXiv 2512.05964): actions that are known stand at time 1,
clean, among those that are still on their way, and the network goes on from them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.config import ModelConfig
from pi05_ros.model.transformer import NORM_EPSILON, DecoderLayer, LayerMemory, rotation_of

SHORTEST_PERIOD, LONGEST_PERIOD = 4e-3, 4.0  # Of the time embedding (public weights).


class AdaptiveRMSNorm(nn.Module):
    """x / rms(x) · (1 + scale) + shift, with scale, shift and a gate drawn from the flow time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(width, 3 * width)
        # A fresh expert begins with scale 1, shift 0 and closed gates.
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, modulation: Tensor | None) -> tuple[Tensor, Tensor]:
        """Normalises x (B, L, W) with what `self.modulation` gave, (B, 1, 3W) or (B, L, 3W).

        Returns:
            The tokens (B, L, W), and the gate (B, 1 or L, W) of the residual that follows.
        """
        if modulation is None:
            raise ValueError("an adaptive norm was given no modulation")
        scale, shift, gate = modulation.chunk(3, dim=-1)
        normed = F.rms_norm(x.float(), x.shape[-1:], eps=NORM_EPSILON)
        return (normed * (1.0 + scale) + shift).to(x.dtype), gate


class ActionExpert(nn.Module, ABC):
    """Noisy actions in, the flow's velocity out, on the memory of the language model.

    Args:
        config: Of the whole model.
        norm: Class of every norm, called with the width.
    """

    def __init__(self, config: ModelConfig, norm: type[nn.Module]) -> None:
        super().__init__()
        width = config.expert.width
        self.config = config
        self.action_in = nn.Linear(config.action_dim, width)
        self.layers = nn.ModuleList(
            DecoderLayer(width, config.expert.mlp_width, config.language, norm)
            for _ in range(config.language.depth)
        )
        self.norm = norm(width)
        self.action_out = nn.Linear(width, config.action_dim)

    @abstractmethod
    def modulate(self, tau: Tensor) -> Tensor:
        """What the expert is told of the flow times tau: (..., B, 1, some width).

        Tau counts as in the paper, 0 noise and 1 actions, and is float64 where it can be. It is
        (B,), or (B, horizon) for a time of each action, which gives (..., B, horizon, width).
        """

    @abstractmethod
    def embed(self, noisy: Tensor, modulation: Tensor) -> Tensor:
        """The action tokens (B, horizon, W) of noisy actions (B, horizon, action_dim)."""

    @abstractmethod
    def norm_modulation(self, modulation: Tensor) -> Sequence[Tensor | None]:
        """What each norm adapts to: two a layer, then the last; None for plain norms."""

    def forward(
        self,
        noisy: Tensor,
        modulation: Tensor,
        positions: Tensor,
        memory: Sequence[LayerMemory],
        mask: Tensor | None = None,
    ) -> Tensor:
        """Predicts the flow's target ω − a.

        Args:
            noisy: Actions on their way from noise, (B, horizon, action_dim).
            modulation: From `modulate`, of the same batch or of batch 1.
            positions: (B, horizon) or (horizon,), going on where the prefix ends.
            memory: The language model's, one a layer, S positions.
            mask: From `masks.attention_mask`, over S + horizon keys; None: all are seen.

        Returns:
            (B, horizon, action_dim) float32.
        """
        x = self.embed(noisy.to(self.action_in.weight.dtype), modulation)
        adapted = self.norm_modulation(modulation)
        rotation = rotation_of(positions, self.config.language.head_dim)
        for index, (layer, prefix) in enumerate(zip(self.layers, memory, strict=True)):
            norms = (adapted[2 * index], adapted[2 * index + 1])
            x, _ = layer(x, rotation, prefix, mask, norms)
        return self.action_out(self.norm(x, adapted[-1])[0]).float()


class Pi05Expert(ActionExpert):
    """π0.5's: actions enter as they are, and the time through every norm."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, AdaptiveRMSNorm)
        width = config.expert.width
        self.time_in = nn.Linear(width, width)
        self.time_out = nn.Linear(width, width)

    def condition(self, tau: Tensor) -> Tensor:
        """The flow times tau (...) of the paper, 0 noise and 1 actions → (..., W)."""
        embedded = embed_tau(tau, self.time_in.in_features).to(self.time_in.weight.dtype)
        return F.silu(self.time_out(F.silu(self.time_in(embedded))))

    def modulate(self, tau: Tensor) -> Tensor:
        """What the norms adapt to at times tau (B,): (2 · depth + 1, B, 1, 3W), in layer order.

        At times (B, horizon): (2 · depth + 1, B, horizon, 3W).
        """
        condition = self.condition(tau)
        if tau.ndim == 1:
            condition = condition[:, None]
        norms: list[Any] = [
            n for layer in self.layers for n in (layer.attention_norm, layer.mlp_norm)
        ]
        return torch.stack([norm.modulation(condition) for norm in (*norms, self.norm)])

    def embed(self, noisy: Tensor, modulation: Tensor) -> Tensor:
        """One token an action; the time is not in it."""
        return self.action_in(noisy)

    def norm_modulation(self, modulation: Tensor) -> Sequence[Tensor | None]:
        """The rows of `modulate`."""
        return modulation.unbind()


def embed_tau(tau: Tensor, width: int) -> Tensor:
    """`embed_time` of the paper's times tau (...), 0 noise and 1 actions: (..., width) float64.

    The public weights count the other way: what is embedded is t = 1 − τ.
    """
    return embed_time(1.0 - tau.double(), width)


def embed_time(time: Tensor, width: int) -> Tensor:
    """Sines, then cosines of `time` (...) at width/2 periods, spaced evenly in their logarithm.

    Computed in float64, as the public weights were trained: at the shortest period a float32
    angle would already be off by 1e-4.

    Returns:
        (..., width) float64.
    """
    ratio = math.log(LONGEST_PERIOD / SHORTEST_PERIOD)
    fractions = torch.linspace(0.0, 1.0, width // 2, dtype=torch.float64, device=time.device)
    periods = SHORTEST_PERIOD * torch.exp(fractions * ratio)
    angles = time.double()[..., None] * (2.0 * math.pi / periods)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
