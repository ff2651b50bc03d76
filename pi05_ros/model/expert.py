"""The action expert: a small Gemma that predicts the flow's velocity for noisy actions.

π0 mixes the flow time into the action tokens (`pi0_expert`). π0.5 passes it through a separate
MLP, swish(W₂ · swish(W₁ · φ)), into an adaptive RMSNorm in every layer (paper, section IV-E):
scale and shift of the normalised tokens, and a gate on each residual. Everything else is common to
both, in ActionExpert.

The modulation depends on the flow time only, not on the observation. `modulate` is therefore a
separate step: inference computes it once for its ten fixed times and keeps the result.

Each action may have its own flow time (arXiv 2512.05964): known prefix actions have time 1, that
is, no noise, and the network continues the chunk from them.

Shapes: B batch, W width of the expert.
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
from pi05_ros.model.transformer import NORM_EPSILON, DecoderLayer, KVCache, rotation_of

SHORTEST_PERIOD, LONGEST_PERIOD = 4e-3, 4.0  # Of the time embedding (public weights).


class AdaptiveRMSNorm(nn.Module):
    """x / rms(x) · (1 + scale) + shift, with scale, shift and a gate computed from the flow time.

    Args:
        width: W.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(width, 3 * width)
        # Initially scale 1, shift 0 and gate 0: every layer is the identity.
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, modulation: Tensor | None) -> tuple[Tensor, Tensor]:
        """Normalise x (B, L, W) with the output of `self.modulation`, (B, 1, 3W) or (B, L, 3W).

        Returns:
            The tokens (B, L, W), and the gate (B, 1 or L, W) of the residual that follows.

        Raises:
            ValueError: `modulation` is None.
        """
        if modulation is None:
            raise ValueError("an adaptive norm was given no modulation")
        scale, shift, gate = modulation.chunk(3, dim=-1)
        normed = F.rms_norm(x.float(), x.shape[-1:], eps=NORM_EPSILON)
        return (normed * (1.0 + scale) + shift).to(x.dtype), gate


class ActionExpert(nn.Module, ABC):
    """Base of the two experts: noisy actions in, the flow's velocity out.

    It attends to the KV caches of the language model and to its own tokens.

    Args:
        config: Of the whole model.
        norm: Class of every norm, called with the width.
    """

    def __init__(self, config: ModelConfig, norm: type[nn.Module]) -> None:
        super().__init__()
        width = config.required_expert().width
        self.config = config
        self.action_in = nn.Linear(config.action_dim, width)
        self.layers = nn.ModuleList(
            DecoderLayer(width, config.required_expert().mlp_width, config.language, norm)
            for _ in range(config.language.depth)
        )
        self.norm = norm(width)
        self.action_out = nn.Linear(width, config.action_dim)

    @abstractmethod
    def modulate(self, tau: Tensor) -> Tensor:
        """Compute the expert's conditioning on the flow times.

        Args:
            tau: (B,), or (B, horizon) with one time per action. 0 noise, 1 actions, as in the
                paper; float64 if possible (see `embed_time`).

        Returns:
            (..., B, 1, width), or (..., B, horizon, width) for one time per action. Leading
            dimensions and width depend on the expert.
        """

    @abstractmethod
    def embed(self, noisy: Tensor, modulation: Tensor) -> Tensor:
        """Embed noisy actions (B, horizon, action_dim) as tokens (B, horizon, W)."""

    @abstractmethod
    def norm_modulation(self, modulation: Tensor) -> Sequence[Tensor | None]:
        """Return the input of each norm: two per layer, then the last; None for plain norms."""

    def forward(
        self,
        noisy: Tensor,
        modulation: Tensor,
        positions: Tensor,
        caches: Sequence[KVCache],
        mask: Tensor | None = None,
    ) -> Tensor:
        """Predict the flow's target ω − a.

        Args:
            noisy: Noisy actions a^τ, (B, horizon, action_dim).
            modulation: From `modulate`, of the same batch or of batch 1.
            positions: (B, horizon) or (horizon,), continuing those of the prefix.
            caches: KV caches of the language model, one per layer, S positions.
            mask: From `masks.attention_mask`, over S + horizon keys; None: attend to all.

        Returns:
            (B, horizon, action_dim) float32.
        """
        x = self.embed(noisy.to(self.action_in.weight.dtype), modulation)  # (B, horizon, W)
        adapted = self.norm_modulation(modulation)
        rotation = rotation_of(positions, self.config.language.head_dim)
        for index, (layer, prefix) in enumerate(zip(self.layers, caches, strict=True)):
            norms = (adapted[2 * index], adapted[2 * index + 1])
            x, _ = layer(x, rotation, prefix, mask, norms)
        return self.action_out(self.norm(x, adapted[-1])[0]).float()


class Pi05Expert(ActionExpert):
    """The expert of π0.5: the flow time modulates every norm.

    Args:
        config: Of the whole model.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, AdaptiveRMSNorm)
        width = config.required_expert().width
        self.time_in = nn.Linear(width, width)
        self.time_out = nn.Linear(width, width)

    def condition(self, tau: Tensor) -> Tensor:
        """Embed the flow times tau (...), 0 noise and 1 actions, as (..., W)."""
        embedded = embed_tau(tau, self.time_in.in_features).to(self.time_in.weight.dtype)
        return F.silu(self.time_out(F.silu(self.time_in(embedded))))

    def modulate(self, tau: Tensor) -> Tensor:
        """Compute the input of every norm at times tau (B,): (2 · depth + 1, B, 1, 3W).

        In layer order. For times (B, horizon): (2 · depth + 1, B, horizon, 3W).
        """
        condition = self.condition(tau)
        if tau.ndim == 1:
            condition = condition[:, None]
        norms: list[Any] = [
            n for layer in self.layers for n in (layer.attention_norm, layer.mlp_norm)
        ]
        return torch.stack([norm.modulation(condition) for norm in (*norms, self.norm)])

    def embed(self, noisy: Tensor, modulation: Tensor) -> Tensor:
        """Embed each action as one token, independent of the flow time."""
        return self.action_in(noisy)

    def norm_modulation(self, modulation: Tensor) -> Sequence[Tensor | None]:
        """Return the rows of `modulate`."""
        return modulation.unbind()


def embed_tau(tau: Tensor, width: int) -> Tensor:
    """Return `embed_time` of flow times tau (...), 0 noise and 1 actions: (..., width) float64.

    The public weights count the other way: the embedded time is t = 1 − τ.
    """
    return embed_time(1.0 - tau.double(), width)


def embed_time(time: Tensor, width: int) -> Tensor:
    """Sines, then cosines of `time` (...) at width/2 periods, spaced evenly in their logarithm.

    Computed in float64, as the public weights were trained: at the shortest period a float32
    angle has an error of 1e-4.

    Returns:
        (..., width) float64.
    """
    ratio = math.log(LONGEST_PERIOD / SHORTEST_PERIOD)
    fractions = torch.linspace(0.0, 1.0, width // 2, dtype=torch.float64, device=time.device)
    periods = SHORTEST_PERIOD * torch.exp(fractions * ratio)
    angles = time.double()[..., None] * (2.0 * math.pi / periods)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
