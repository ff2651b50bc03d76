"""π0's action expert (arXiv 2410.24164, appendix B): time in the actions, state as a token.

An action token is W₃ · swish(W₂ · concat(W₁ · a, φ(τ))), from the action and the flow time. Norms
are plain. The state q is one more token, by a linear map, before the actions: the actions attend
to it, it does not attend to them. Its keys and values therefore depend on the observation only and
belong in the KV caches: `append_state_token` appends them once, and from then on π0 differs from
π0.5 by one cached position.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from pi05_ros.model.config import ModelConfig
from pi05_ros.model.expert import ActionExpert, embed_tau
from pi05_ros.model.transformer import KVCache, KVCaches, RMSNorm, rotation_of


class Pi0Expert(ActionExpert):
    """The expert of π0: flow time in every action token, state as a token before them.

    Args:
        config: Of the whole model.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, RMSNorm)
        width = config.required_expert().width
        self.state_in = nn.Linear(config.action_dim, width)
        self.action_time_in = nn.Linear(2 * width, width)  # Input: action, time.
        self.action_time_out = nn.Linear(width, width)

    def modulate(self, tau: Tensor) -> Tensor:
        """Compute the time's contribution to the first MLP layer at times tau (B,): (1, B, 1, W).

        For times (B, horizon): (1, B, horizon, W).
        """
        weight = self.action_time_in.weight
        embedded = embed_tau(tau, weight.shape[0]).to(weight.dtype)
        _, time_weight = weight.chunk(2, dim=1)
        contribution = F.linear(embedded, time_weight, self.action_time_in.bias)[None]
        return contribution[:, :, None] if tau.ndim == 1 else contribution

    def embed(self, noisy: Tensor, modulation: Tensor) -> Tensor:
        """Embed each action as one token, with the flow time mixed in."""
        action_weight, _ = self.action_time_in.weight.chunk(2, dim=1)
        mixed = F.linear(self.action_in(noisy), action_weight) + modulation[0]  # (B, horizon, W)
        return self.action_time_out(F.silu(mixed))

    def norm_modulation(self, modulation: Tensor) -> Sequence[Tensor | None]:
        """Return None for each norm: they are plain."""
        return [None] * (2 * len(self.layers) + 1)

    def append_state_token(
        self,
        state: Tensor,
        positions: Tensor,
        caches: Sequence[KVCache],
        mask: Tensor | None = None,
    ) -> KVCaches:
        """Append the keys and values of the state token to the KV caches.

        Args:
            state: Normalised and padded, (B, action_dim).
            positions: (B, 1) or (1,), the first position after the prefix.
            caches: KV caches of the language model, one per layer, S positions.
            mask: From `masks.attention_mask`, over S + 1 keys; None: attend to all.

        Returns:
            New caches of S + 1 positions.
        """
        x = self.state_in(state.to(self.state_in.weight.dtype))[:, None]  # (B, 1, W)
        rotation = rotation_of(positions, self.config.language.head_dim)
        extended: list[KVCache] = []
        for layer, prefix in zip(self.layers, caches, strict=True):
            x, extended_cache = layer(x, rotation, prefix, mask)
            extended.append(extended_cache)
        return tuple(extended)
